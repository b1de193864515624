"""Which sounds of a recording its label comes from."""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.interpret.integrated_gradients import log_odds
from textapps.interpret.patch_occlusion import Grid, patch_occlusion
from textapps.preprocessing.config import AudioConfig
from textapps.preprocessing.recordings import read_recordings
from textapps.tasks.classification import label_index
from textapps.tasks.speech.answers import Answers

COLUMNS, ROWS = 14, 8  # patches of a clip
BACKGROUND = 0.1  # of the frames of a clip are quieter in a band than its background


class SoundShares:
    """What each stretch of time and band of frequencies adds to a label: occlusion, in the graph.

    A patch of the log-mel spectrogram is replaced by the background of the clip: in each band, the
    level that a tenth of its frames stay below. So silence adds nothing, and a sound is replaced
    by what is there without it.
    """

    def __init__(self, answers: Answers) -> None:
        audio = answers.audio
        self._answers = answers
        self._grid = Grid.over(audio.clip_frames, audio.mels, COLUMNS, ROWS)
        self._hz = _band_edges_hz(audio)[self._grid.rows]

    def __call__(self, audio_bytes: Any) -> dict[str, Any]:
        """The exported signature: string[batch], as `serving_default` takes them →

        label string[batch], the answer; attributions float32[batch, times, bands], the fall of its
        log-odds without that part; begin_ms, end_ms float32[batch, times], from the beginning of
        the recording; low_hz, high_hz float32[batch, bands]; error string[batch]. A row with an
        error has zeros.
        """
        answers, audio = self._answers, self._answers.audio
        waveform, samples, error = read_recordings(audio_bytes, audio.sample_rate)
        good = error == ""
        waveform = tf.clip_by_value(tf.where(good[:, None], waveform, 0), -1.0, 1.0)
        clip, left, start = answers.stretch(waveform, samples)
        front_end = answers.model.front_end
        log_mels = tf.ensure_shape(front_end.log_mels(clip), [None, audio.clip_frames, audio.mels])
        logits = answers.logits(front_end.from_log_mels(log_mels))
        label = label_index(tf.fill([tf.shape(clip)[0]], ""), logits, answers.labels)

        def score(features: Any) -> Any:
            rows = tf.shape(features)[0] // tf.maximum(tf.shape(label)[0], 1)
            logits = answers.logits(front_end.from_log_mels(features))
            return log_odds(logits, tf.repeat(label, rows))

        fill = _background(log_mels, self._frames_that_count(left))
        found = tf.ensure_shape(
            patch_occlusion(score, log_mels, fill, self._grid),
            [None, len(self._grid.columns) - 1, len(self._grid.rows) - 1],
        )
        ones = tf.where(good, 1.0, 0.0)[:, None]
        times = self._times_ms(start)
        return {
            "label": tf.where(good, tf.gather(tf.constant(answers.labels), label), ""),
            "attributions": found * ones[:, :, None],
            "begin_ms": times[:, :-1] * ones,
            "end_ms": times[:, 1:] * ones,
            "low_hz": self._hz[:-1] * ones,
            "high_hz": self._hz[1:] * ones,
            "error": error,
        }

    def _times_ms(self, start: Any) -> Any:
        """The edges of the patches in each recording, float32[batch, times + 1]."""
        audio = self._answers.audio
        # A frame stands for the time from its middle half a hop back and half a hop on.
        before = (audio.window_samples - audio.hop_samples) / 2
        samples = self._grid.columns * audio.hop_samples + before
        samples[0], samples[-1] = 0, audio.clip_samples
        edges = tf.cast(start, tf.float32)[:, None] + samples.astype(np.float32)
        return edges * (1_000 / audio.sample_rate)

    def _frames_that_count(self, samples: Any) -> Any:
        audio = self._answers.audio
        whole = (samples - audio.window_samples) // audio.hop_samples + 1
        return tf.clip_by_value(whole, 1, audio.clip_frames)


def _background(log_mels: Any, frames: Any) -> Any:
    """float32[batch, time, bands], int32[batch] valid frames → float32[batch, 1, bands]."""
    valid = tf.range(tf.shape(log_mels)[1]) < frames[:, None]
    ordered = tf.sort(tf.where(valid[:, :, None], log_mels, np.inf), axis=1)
    place = tf.cast(BACKGROUND * tf.cast(frames, tf.float32), tf.int32)
    return tf.gather(ordered, place[:, None], batch_dims=1)


def _band_edges_hz(audio: AudioConfig) -> NDArray[np.float32]:
    """float32[mels + 1]: where one mel band takes over from the other, as in `MelBands`."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (audio.low_hz, audio.high_hz))
    mels = low + (high - low) * (np.arange(audio.mels + 1) + 0.5) / (audio.mels + 1)
    found: NDArray[np.float32] = (700 * (10 ** (mels / 2595) - 1)).astype(np.float32)
    return found
