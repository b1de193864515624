"""Waveforms of any length to labels, in the graph, for prediction and the export."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from textapps.core.recording_faults import LONGEST_SECONDS
from textapps.preprocessing.config import AudioConfig
from textapps.preprocessing.recordings import fit_length
from textapps.tasks.classification import classify
from textapps.tasks.speech.model import SpeechModel

_BLOCK_MS = 10  # step of the search for the loudest part of a long recording


class Answers:
    """The probabilities of the labels, or the error of a bad recording.

    Args:
        model: with its weights.
        audio: rate and length of a clip.
        labels: in the order of the scores.
    """

    def __init__(self, model: SpeechModel, audio: AudioConfig, labels: Sequence[str]) -> None:
        self.model = model
        self.audio = audio
        self.labels = tuple(labels)

    def clips(self, waveform: Any) -> Any:
        """Clips of the model's length, float32[batch, samples] → float32[batch, labels]."""
        return tf.nn.softmax(self._logits(waveform))

    def waveforms(self, waveform: Any, samples: Any) -> dict[str, Any]:
        """Recordings of any length.

        Args:
            waveform: float32[batch, any], at the model's rate.
            samples: int32[batch], the length of each recording.

        Returns:
            label string[batch], probability float32[batch], scores float32[batch, labels], error
            string[batch]. A row with an error has the label '' and zeros.
        """
        samples = tf.clip_by_value(samples, 0, tf.shape(waveform)[1])
        counts = tf.range(tf.shape(waveform)[1])[None] < samples[:, None]
        waveform = tf.where(counts, waveform, 0)
        finite = tf.reduce_all(tf.math.is_finite(waveform), axis=1)
        longest = round(LONGEST_SECONDS * self.audio.sample_rate)
        error = tf.where(finite, "", "the waveform holds numbers that are not finite")
        too_long = f"the recording is longer than {LONGEST_SECONDS:g} s"
        error = tf.where(samples > longest, too_long, error)
        error = tf.where(samples == 0, "the recording holds no sample", error)
        return self.checked(waveform, samples, error)

    def checked(self, waveform: Any, samples: Any, error: Any) -> dict[str, Any]:
        """The same for recordings whose errors are known."""
        good = error == ""
        waveform = tf.clip_by_value(tf.where(good[:, None], waveform, 0), -1.0, 1.0)
        answer = classify(self._logits(self._loudest(waveform, samples)), self.labels)
        return {
            "label": tf.where(good, answer["label"], ""),
            "probability": tf.where(good, answer["probability"], 0),
            "scores": tf.where(good[:, None], answer["scores"], 0),
            "error": error,
        }

    def _logits(self, waveform: Any) -> Any:
        return self.model.logits(self.model.front_end.frames(waveform))

    def _loudest(self, waveform: Any, samples: Any) -> Any:
        """float32[batch, any] → float32[batch, clip]: the loudest stretch of a longer recording.

        When people record two seconds by hand, the word may be anywhere.
        """
        clip = self.audio.clip_samples
        block = max(1, self.audio.sample_rate * _BLOCK_MS // 1_000)
        rows, there = tf.unstack(tf.shape(waveform))
        silence = (
            clip + block + -(clip + there) % block
        )  # a whole stretch, also after an empty recording
        padded = tf.pad(waveform, [[0, 0], [0, silence]])
        energies = tf.reduce_sum(tf.reshape(padded, [rows, -1, block]) ** 2, axis=2)
        sums = tf.cumsum(tf.cast(energies, tf.float64), axis=1, exclusive=True)
        blocks = -(-clip // block)
        stretches = sums[:, blocks:] - sums[:, :-blocks]
        # A stretch ends within the recording, unless the recording is shorter than a clip.
        starts = tf.range(tf.shape(stretches)[1])[None] * block
        inside = starts <= tf.maximum(samples - clip, 0)[:, None]
        first = block * tf.argmax(tf.where(inside, stretches, -1), axis=1, output_type=tf.int32)
        table = tf.range(clip)[None] + first[:, None]
        return fit_length(tf.gather(padded, table, batch_dims=1), clip)
