"""Answers to a stream of samples, piece by piece."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.preprocessing.config import AudioConfig
from textapps.preprocessing.framing import Framer
from textapps.preprocessing.trimming import trimmed
from textapps.tasks.speech.model import SpeechModel
from textapps.tasks.speech.recordings import check_scale
from textapps.tasks.speech.rejection import Rejection

Floats = NDArray[np.float32]
NO_REJECTION = Rejection((), None)


class Heard(NamedTuple):
    """Probabilities float32[answers, classes] of clips, and the end of each clip in ms."""

    scores: Floats
    times_ms: NDArray[np.float64]


class Listener:
    """Answers of a model to a stream: every `hop_ms`, for the last clip's length of it.

    The first answer is for the first whole clip, and equals that for this clip alone. A causal
    model reads each sample once and carries its state on. Any other model reads the whole clip
    again for each answer, trimmed if `audio` says so.

    Law: the answers do not depend on how the stream is cut into pieces.

    Args:
        model: with its weights.
        audio: rate and length of a clip.
        hop_ms: the time between two answers.
        rejection: of the logits; by default none.
    """

    def __init__(
        self,
        model: SpeechModel,
        audio: AudioConfig,
        hop_ms: int,
        rejection: Rejection = NO_REJECTION,
    ) -> None:
        self.model = model
        self._rejection = rejection
        self.rate_hz = audio.sample_rate
        self._trim = audio.trim
        self._clip = audio.clip_samples
        hop_samples = round(hop_ms * audio.sample_rate / 1_000)
        specs = [tf.TensorSpec([None, None], tf.float32)]
        if model.causal:
            self._hop_samples = audio.hop_samples * model.stem.config.stride
            self._every = max(1, hop_samples // self._hop_samples)
            self._first = audio.window_samples  # the end of the first position
            self._skipped = model.clip_positions - 1
            state = tf.nest.map_structure(_any_rows, model.initial_state(1))
            self._step = tf.function(self._listen, input_signature=[*specs, state], autograph=False)
        else:
            self._hop_samples = hop_samples
            self._every = 1
            self._first = self._clip
            self._skipped = 0
            self._framer = Framer(self._clip, self._hop_samples)
            state = tf.nest.map_structure(_any_rows, self._framer.initial_state(1))
            self._step = tf.function(self._slide, input_signature=[*specs, state], autograph=False)

    def answers(self, pieces: Iterable[Floats]) -> Iterator[Heard]:
        """The answers after each piece, float32[samples] at the model's rate.

        Half a clip of silence follows the last piece, so that a word at the very end is recognised
        as well as one in the middle; more of it if there would not be a whole clip.

        Raises:
            DataError: a piece is of whole numbers.
        """
        state: Any = (self.model if self.model.causal else self._framer).initial_state(1)
        done = 0
        for piece in _ended(pieces, self._clip):
            scores, state = self._step(tf.constant(piece[None], tf.float32), state)
            numbers = done + np.arange(len(scores))
            done += len(scores)
            kept = (numbers >= self._skipped) & ((numbers - self._skipped) % self._every == 0)
            ends = self._first + numbers[kept] * self._hop_samples
            yield Heard(scores.numpy()[kept], 1_000 * ends / self.rate_hz)

    def _listen(self, waveform: Any, state: Any) -> tuple[Any, Any]:
        """float32[1, chunk], state → float32[positions, classes], state."""
        logits, mask, state = self.model.listen(waveform, state)
        return tf.boolean_mask(tf.nn.softmax(self._rejection(logits)), mask), state

    def _slide(self, waveform: Any, state: Any) -> tuple[Any, Any]:
        """The same from whole clips."""
        clips, mask, state = self._framer.next_frames(waveform, state)
        clips = tf.boolean_mask(clips, mask)
        if self._trim:
            samples = tf.fill([tf.shape(clips)[0]], self._clip)
            clips, _ = trimmed(clips, samples, self.rate_hz)
        logits = self.model.logits(self.model.front_end.frames(clips))
        return tf.nn.softmax(self._rejection(logits)), state


def _ended(pieces: Iterable[Floats], clip_samples: int) -> Iterator[Floats]:
    """The pieces, none longer than ten clips, and silence at the end."""
    samples = 0
    for piece in pieces:
        check_scale(piece)
        samples += len(piece)
        for start in range(0, len(piece), 10 * clip_samples):
            yield piece[start : start + 10 * clip_samples]
    yield np.zeros(max(clip_samples // 2, clip_samples - samples), np.float32)


def _any_rows(leaf: Any) -> Any:
    return tf.TensorSpec([None, *leaf.shape[1:]], leaf.dtype)
