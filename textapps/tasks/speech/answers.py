"""Waveforms of any length to labels, in the graph, for prediction and the export."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from textapps.core.recording_faults import LONGEST_SECONDS
from textapps.preprocessing.config import AudioConfig
from textapps.preprocessing.recordings import loudest, loudest_start
from textapps.preprocessing.trimming import sound_bounds, trimmed
from textapps.tasks.classification import classify
from textapps.tasks.speech.model import SpeechModel
from textapps.tasks.speech.rejection import Rejection


class Answers:
    """The probabilities of the labels, or the error of a bad recording.

    Args:
        model: with its weights.
        audio: rate and length of a clip.
        labels: in the order of the scores.
        threshold: as `Rejection` takes it.
    """

    def __init__(
        self,
        model: SpeechModel,
        audio: AudioConfig,
        labels: Sequence[str],
        threshold: float | None = None,
    ) -> None:
        self.model = model
        self.audio = audio
        self.labels = tuple(labels)
        self.rejection = Rejection(labels, threshold)

    def clips(self, waveform: Any) -> Any:
        """Clips of the model's length, float32[batch, samples] → float32[batch, labels]."""
        samples = tf.fill([tf.shape(waveform)[0]], self.audio.clip_samples)
        return tf.nn.softmax(self._logits(self._trimmed(waveform, samples)[0]))

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
        answer = classify(self._logits(self._stretch(waveform, samples)[0]), self.labels)
        return {
            "label": tf.where(good, answer["label"], ""),
            "probability": tf.where(good, answer["probability"], 0),
            "scores": tf.where(good[:, None], answer["scores"], 0),
            "error": error,
        }

    def embeddings(self, waveform: Any) -> Any:
        """What the last layer reads of clips of the model's length.

        float32[batch, samples] → float32[batch, pooled].
        """
        samples = tf.fill([tf.shape(waveform)[0]], self.audio.clip_samples)
        features = self.model.front_end.frames(self._trimmed(waveform, samples)[0])
        return self.model.embedding(features)

    def loudest(self, waveform: Any) -> Any:
        """float32[samples] → float32[at most clip]: the stretch that `checked` would choose."""
        samples = tf.size(waveform)
        clip, left = self._stretch(tf.clip_by_value(waveform, -1.0, 1.0)[None], samples[None])
        return clip[0, : left[0]]

    def stretch(self, waveform: Any, samples: Any) -> tuple[Any, Any, Any]:
        """What `checked` recognises of recordings.

        Returns:
            float32[batch, clip]; int32[batch], how many samples of it count; int32[batch], the
            sample of the recording with which it begins.
        """
        audio = self.audio
        clip, left = self._stretch(waveform, samples)
        start = 0
        if audio.trim:
            start, _ = sound_bounds(waveform, samples, audio.sample_rate)
            waveform, samples = self._trimmed(waveform, samples)
        start += loudest_start(waveform, samples, audio.clip_samples, audio.sample_rate)
        if audio.trim:
            whole = loudest(waveform, samples, audio.clip_samples, audio.sample_rate)
            counted = tf.minimum(samples, audio.clip_samples)
            start += sound_bounds(whole, counted, audio.sample_rate)[0]
        return clip, left, start

    def _stretch(self, waveform: Any, samples: Any) -> tuple[Any, Any]:
        """What is recognised of recordings, float32[batch, clip], and its lengths.

        The stretch of a stretch is itself, as it is trimmed once more.
        """
        waveform, samples = self._trimmed(waveform, samples)
        clip = loudest(waveform, samples, self.audio.clip_samples, self.audio.sample_rate)
        return self._trimmed(clip, tf.minimum(samples, self.audio.clip_samples))

    def _trimmed(self, waveform: Any, samples: Any) -> tuple[Any, Any]:
        """Recordings and their lengths, trimmed if the model was trained so."""
        if not self.audio.trim:
            return waveform, samples
        return trimmed(waveform, samples, self.audio.sample_rate)

    def logits(self, features: Any) -> Any:
        """float32[batch, time, features] of clips → float32[batch, labels]."""
        return self.rejection(self.model.logits(features))

    def _logits(self, waveform: Any) -> Any:
        return self.logits(self.model.front_end.frames(waveform))
