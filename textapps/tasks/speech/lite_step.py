"""The step of a streaming recogniser as a file of LiteRT: a chunk and a state in, scores out."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from textapps.core.errors import ExportError
from textapps.exporting.archive import Endpoint
from textapps.exporting.lite import LiteModel, convert
from textapps.tasks.speech.evaluate import median_milliseconds
from textapps.tasks.speech.export import sounds, step_endpoint
from textapps.tasks.speech.predictor import SpeechRecognizer

_TOLERANCE = 1e-4  # of a probability and of a number of the state, relative to its size if above 1


class LiteStep:
    """What a streaming recogniser computes of one chunk, for LiteRT.

    Its inputs and outputs have the names of the signature `step` of the SavedModel:

        waveform  float32[1, chunk_samples]   scores     float32[1, positions, labels]
        samples   int32[1], how many count    positions  int32[1], how many of the scores count
        state_…   zeros at first              state_…    for the next chunk

    Shapes are fixed in LiteRT. A chunk is the stretch of audio from one position of the model to
    the next, so that a device gets scores as early as the model can give them.

    Args:
        recognizer: with a causal model.
    """

    def __init__(self, recognizer: SpeechRecognizer) -> None:
        audio = recognizer.config.preprocessor
        self.chunk_samples = audio.hop_samples * recognizer.config.stem.stride
        self._clip_samples = audio.clip_samples
        self._endpoint: Endpoint = step_endpoint(recognizer)
        sizes = {"waveform": [1, self.chunk_samples]}
        self.specs = [
            tf.TensorSpec(sizes.get(spec.name, [1, *spec.shape[1:]]), spec.dtype, spec.name)
            for spec in self._endpoint.inputs
        ]
        self.state = tuple(spec.name for spec in self.specs[2:])

    def convert(self, *, int8: bool) -> bytes:
        """The content of a file; with `int8`, its weights have 8 bits."""
        return convert(self._endpoint.function, self.specs, int8=int8)

    def verify(self, model: LiteModel) -> None:
        """Compares a file with the signature of the SavedModel, chunk by chunk.

        Raises:
            ExportError: a score or a state differs.
        """
        ours, theirs = self._zeros(), self._zeros()
        for number, chunk in enumerate(self._chunks()):
            ours = {**ours, **self._endpoint.answer({**ours, **chunk})}
            theirs = {**theirs, **model.answer({**theirs, **chunk})}
            for name in ("scores", "positions", *self.state):
                gap = np.abs(theirs[name].astype(np.float64) - ours[name])
                if not np.all(gap <= _TOLERANCE * np.maximum(1, np.abs(ours[name]))):
                    raise ExportError(
                        f"the LiteRT file of the step does not verify: {name} after chunk {number} "
                        f"is {gap.max():.2g} off"
                    )

    def milliseconds_per_clip(self, model: LiteModel) -> float:
        """The median time of a file for the chunks of one clip."""
        chunk = next(self._chunks())
        inputs = {**self._zeros(), **chunk}
        return median_milliseconds(lambda: model.answer(inputs)) * (
            self._clip_samples / self.chunk_samples
        )

    def _zeros(self) -> dict[str, Any]:
        return {
            spec.name: np.zeros(spec.shape, spec.dtype.as_numpy_dtype) for spec in self.specs[2:]
        }

    def _chunks(self) -> Iterator[dict[str, Any]]:
        """A stream of two sounds; its last chunk is not full."""
        stream = np.concatenate(sounds(self._clip_samples)[:2])
        for start in range(0, len(stream), self.chunk_samples):
            piece = stream[start : start + self.chunk_samples]
            waveform = np.zeros((1, self.chunk_samples), np.float32)
            waveform[0, : len(piece)] = piece
            yield {"waveform": waveform, "samples": np.array([len(piece)], np.int32)}
