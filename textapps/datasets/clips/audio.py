"""The samples of clips, kept in memory or decoded on demand."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from textapps.core.parallel import in_threads
from textapps.core.recording_faults import LONGEST_SECONDS, TOO_LONG
from textapps.datasets.clips.recording import Recording, from_pcm, to_pcm
from textapps.datasets.clips.sound_file import Sound
from textapps.datasets.source import Defect, Report, stop

Resample = Callable[[NDArray[np.float32], int], NDArray[np.float32]]
"""float32[samples] and its rate → float32[samples] at the rate of the models."""

Loudest = Callable[[NDArray[np.float32], int], NDArray[np.float32]]
"""float32[any] and a smaller number of samples → float32[samples], its loudest stretch."""

Trim = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""float32[any] → float32[fewer or as many], without silence at both ends."""

R = TypeVar("R")


class Shape(NamedTuple):
    """The length and sample rate of all clips, and how recordings of others are converted.

    trim: cuts silence from both ends of recordings that become clips; by default nothing.
    """

    samples: int
    rate_hz: int
    resample: Resample
    loudest: Loudest
    trim: Trim = lambda waveform: waveform

    def converted(self, sound: Sound) -> NDArray[np.float32]:
        """float32[samples] at `rate_hz`, of any length."""
        if sound.rate_hz == self.rate_hz:
            return sound.waveform
        return np.asarray(self.resample(sound.waveform, sound.rate_hz), np.float32)

    def clip(self, sound: Sound) -> tuple[NDArray[np.int16], bool]:
        """At most `samples` 16-bit samples at `rate_hz`, and whether the recording has more."""
        waveform = self.trim(self.converted(sound))
        longer = len(waveform) > self.samples
        if longer:  # the stretch of a stretch must be itself, so it is trimmed as well
            waveform = self.trim(self.loudest(waveform, self.samples))
        return to_pcm(waveform), longer


@dataclass(frozen=True, eq=False)
class ClipAudio:
    """Clips of equal length as 16-bit samples: the loudest stretch, or padded with zeros.

    kept: int16[clips, samples], or None if they are decoded on demand
    lengths: int32[clips], the samples of each clip without padding
    digests: sha256 of each clip's samples
    longer: the number of clips that are stretches of longer recordings
    """

    recordings: list[Recording]
    shape: Shape
    kept: NDArray[np.int16] | None
    lengths: NDArray[np.int32]
    digests: list[bytes]
    longer: int

    @classmethod
    def decode(
        cls,
        recordings: Sequence[Recording],
        shape: Shape,
        *,
        memory_bytes: int,
        report: Report = stop,
    ) -> tuple["ClipAudio", NDArray[np.int64]]:
        """Read all recordings once; also returns the indices of the good ones, in order.

        The samples are kept if they fit into `memory_bytes`. Defects go to `report`.
        """
        keep = 2 * len(recordings) * shape.samples <= memory_bytes
        kept = np.zeros((len(recordings) if keep else 0, shape.samples), np.int16)
        good: list[int] = []
        lengths: list[int] = []
        digests: list[bytes] = []
        longer = 0
        for number, clip in enumerate(read_all(recordings, shape.clip, report)):
            if clip is None:
                continue
            pcm, is_longer = clip
            longer += is_longer
            if keep:
                kept[len(good), : len(pcm)] = pcm
            good.append(number)
            lengths.append(len(pcm))
            digests.append(hashlib.sha256(pcm.astype("<i2").tobytes()).digest())
        audio = cls(
            [recordings[number] for number in good],
            shape,
            kept[: len(good)] if keep else None,
            np.array(lengths, np.int32),
            digests,
            longer,
        )
        return audio, np.array(good, np.int64)

    def __len__(self) -> int:
        return len(self.recordings)

    def pcm(self, indices: NDArray[np.integer]) -> NDArray[np.int16]:
        """int16[indices, samples]; DataError if a file has changed and cannot be read."""
        if self.kept is not None:
            return np.asarray(self.kept[indices])
        chosen = [self.recordings[index] for index in indices]
        batch = np.zeros((len(chosen), self.shape.samples), np.int16)
        for row, clip in zip(batch, read_all(chosen, self.shape.clip, stop), strict=True):
            if clip is not None:
                row[: len(clip[0])] = clip[0]
        return batch

    def waveforms(self, indices: NDArray[np.integer]) -> NDArray[np.float32]:
        """float32[indices, samples] in [-1, 1)."""
        return from_pcm(self.pcm(indices))


def read_all(
    recordings: Iterable[Recording], use: Callable[[Sound], R], report: Report
) -> Iterator[R | None]:
    """The result of `use` for each recording, in order; None for a bad one. Uses threads.

    More than 30 s are a defect: no prediction is made of such a recording either.
    """

    def one(recording: Recording) -> tuple[R | None, list[Defect]]:
        defects: list[Defect] = []
        sound, seconds = None, recording.seconds()
        if seconds <= LONGEST_SECONDS:  # else it is not decoded, which may need all memory
            sound = recording.read(defects.append)
        if sound is not None:
            seconds = len(sound.waveform) / sound.rate_hz
        if seconds > LONGEST_SECONDS:
            defects.append(Defect(recording.place, TOO_LONG.format(f"{seconds:.1f}")))
            sound = None
        return None if sound is None else use(sound), defects

    for answer, defects in in_threads(one, recordings):
        for defect in defects:
            report(defect)
        yield answer
