"""Clips in which a command was nearly detected, saved to be labelled and trained on."""

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from textapps.core import files
from textapps.decoding.config import DetectionConfig
from textapps.decoding.detector import Detection, Detector, DetectorState
from textapps.tasks.speech.recordings import Waveform

NEAR = 0.6  # of the threshold: from here on a smoothed probability is a close miss
_AFTER_MS = 200.0  # of sound behind a close miss, which is noticed before the word has ended


class UncertainClips:
    """Saves what came close to a detection and was none, as <label>-<seconds>s.wav.

    A clip that is there already stays: the next one of its name gets -2, -3, … before `.wav`.

    A close miss is saved when no command has been detected within the refractory time around it.

    Args:
        labels, commands, config: of the detector.
        folder: where clips go; it is created with the first.
        rate_hz: of the stream.
        clip_samples: the length of a clip, to which a little is added on both sides.
    """

    def __init__(
        self,
        labels: Sequence[str],
        commands: Sequence[str],
        config: DetectionConfig,
        folder: Path,
        rate_hz: int,
        clip_samples: int,
    ) -> None:
        lower = config.model_copy(update={"threshold": NEAR * config.threshold})
        self._detector = Detector(labels, commands, lower)
        self._state: DetectorState | None = None
        self._apart_ms = float(max(config.refractory_ms, 2 * _AFTER_MS))
        self._folder, self._rate_hz = folder, rate_hz
        self._before_ms = 1_000 * clip_samples / rate_hz + _AFTER_MS
        self._sound: Waveform = np.zeros(0, np.float32)
        self._ended = 0  # samples of the stream so far, the last of which are kept
        self._waiting: list[Detection] = []
        self._detected: list[float] = []
        self.saved = 0

    def recorded(self, pieces: Iterable[Waveform]) -> Iterator[Waveform]:
        """The same pieces, whose last seconds are kept."""
        most = round((self._before_ms + 2 * self._apart_ms) * self._rate_hz / 1_000)
        for piece in pieces:
            self._ended += len(piece)
            kept = max(most, len(piece) + most)
            self._sound = np.concatenate([self._sound, piece])[-kept:]
            yield piece

    def watch(
        self, scores: npt.ArrayLike, times_ms: npt.NDArray[np.float64], found: Iterable[Detection]
    ) -> None:
        """Takes the answers to a piece and what was detected in them.

        Raises:
            OSError: a clip cannot be written.
        """
        near, self._state = self._detector(scores, times_ms, self._state)
        self._detected += [each.time_ms for each in found]
        self._waiting += near
        if len(times_ms):
            self._save_until(float(times_ms[-1]) - self._apart_ms)

    def finish(self) -> None:
        """Saves what still waits at the end of the stream; OSError as `watch`."""
        self._save_until(np.inf)

    def _save_until(self, time_ms: float) -> None:
        due = [each for each in self._waiting if each.time_ms <= time_ms]
        self._waiting = [each for each in self._waiting if each.time_ms > time_ms]
        for near in due:
            if all(abs(near.time_ms - each) > self._apart_ms for each in self._detected):
                self._save(near)
        self._detected = [each for each in self._detected if each > time_ms - self._apart_ms]

    def _save(self, near: Detection) -> None:
        import soundfile

        first = self._ended - len(self._sound)
        start, end = (
            max(0, round((near.time_ms + ms) * self._rate_hz / 1_000) - first)
            for ms in (-self._before_ms, _AFTER_MS)
        )
        label = re.sub(r"[^\w-]+", "_", near.label)
        content = io.BytesIO()
        clip = self._sound[start:end]
        soundfile.write(content, clip, self._rate_hz, subtype="PCM_16", format="WAV")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            files.write_file(self._free(f"{label}-{near.time_ms / 1_000:.2f}s"), content.getvalue())
        except OSError as error:  # which may name no file, or one that nobody has heard of
            raise OSError(error.errno, error.strerror, str(self._folder)) from error
        self.saved += 1

    def _free(self, name: str) -> Path:
        """A path that is not there yet."""
        path, number = self._folder / f"{name}.wav", 1
        while path.exists():
            number += 1
            path = self._folder / f"{name}-{number}.wav"
        return path
