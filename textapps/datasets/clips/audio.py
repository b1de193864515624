"""The samples of many clips, kept in memory or decoded when they are asked for."""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from textapps.datasets.clips.files import Recording, Sound, from_pcm, to_pcm
from textapps.datasets.source import Defect, Report, stop

Resample = Callable[[NDArray[np.float32], int], NDArray[np.float32]]
"""float32[samples] and its rate → float32[samples] at the rate of the models."""

T = TypeVar("T")
R = TypeVar("R")


class Shape(NamedTuple):
    """What every clip becomes: so many samples of such a rate, by this resampler."""

    samples: int
    rate_hz: int
    resample: Resample

    def converted(self, sound: Sound) -> NDArray[np.float32]:
        """float32[samples] of any length at the rate of the models."""
        if sound.rate_hz == self.rate_hz:
            return sound.waveform
        return np.asarray(self.resample(sound.waveform, sound.rate_hz), np.float32)


class ClipAudio:
    """Clips of one length, as 16-bit samples: what is longer loses its end, the rest is zeros.

    lengths: int32[clips], the samples of each clip that are not such zeros
    digests: sha256 of each clip's samples
    cut: how many clips lost their end
    """

    def __init__(
        self,
        recordings: Sequence[Recording],
        shape: Shape,
        kept: NDArray[np.int16] | None,
        lengths: NDArray[np.int32],
        digests: Sequence[bytes],
        cut: int,
    ) -> None:
        self.lengths = lengths
        self.digests = list(digests)
        self.cut = cut
        self._recordings = list(recordings)
        self._shape = shape
        self._kept = kept

    @classmethod
    def decode(
        cls,
        recordings: Sequence[Recording],
        shape: Shape,
        *,
        memory_bytes: int,
        report: Report = stop,
    ) -> tuple["ClipAudio", NDArray[np.int64]]:
        """Reads everything once; the second is which of the recordings are good, in their order.

        The samples are kept if they fit in `memory_bytes`. What is bad goes to `report`.
        """
        keep = 2 * len(recordings) * shape.samples <= memory_bytes
        kept = np.zeros((len(recordings) if keep else 0, shape.samples), np.int16)
        good: list[int] = []
        lengths: list[int] = []
        digests: list[bytes] = []
        cut = 0
        for number, pcm in enumerate(_pcm_of(recordings, shape, report)):
            if pcm is None:
                continue
            cut += len(pcm) > shape.samples
            pcm = pcm[: shape.samples]
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
            cut,
        )
        return audio, np.array(good, np.int64)

    def __len__(self) -> int:
        return len(self._recordings)

    @property
    def in_memory(self) -> bool:
        """Whether the samples are kept."""
        return self._kept is not None

    def pcm(self, indices: NDArray[np.integer]) -> NDArray[np.int16]:
        """int16[indices, samples]; DataError where a file has gone bad since."""
        if self._kept is not None:
            kept: NDArray[np.int16] = self._kept[indices]
            return kept
        chosen = [self._recordings[index] for index in indices]
        batch = np.zeros((len(chosen), self._shape.samples), np.int16)
        for row, pcm in zip(batch, _pcm_of(chosen, self._shape, stop), strict=True):
            if pcm is not None:
                row[: len(pcm)] = pcm[: len(row)]
        return batch

    def waveforms(self, indices: NDArray[np.integer]) -> NDArray[np.float32]:
        """float32[indices, samples] in [-1, 1)."""
        return from_pcm(self.pcm(indices))

    def take(self, indices: NDArray[np.integer]) -> "ClipAudio":
        """The clips at `indices`; kept samples are copied."""
        return ClipAudio(
            [self._recordings[index] for index in indices],
            self._shape,
            None if self._kept is None else self._kept[indices],
            self.lengths[indices],
            [self.digests[index] for index in indices],
            self.cut,
        )


def read_all(
    recordings: Iterable[Recording], use: Callable[[Sound], R], report: Report
) -> Iterator[R | None]:
    """What `use` makes of each sound, in order, from several threads; None for a bad one."""

    def one(recording: Recording) -> tuple[R | None, list[Defect]]:
        defects: list[Defect] = []
        sound = recording.read(defects.append)
        return None if sound is None else use(sound), defects

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for answer, defects in _ahead(pool, one, recordings):
            for defect in defects:
                report(defect)
            yield answer


def _pcm_of(
    recordings: Iterable[Recording], shape: Shape, report: Report
) -> Iterator[NDArray[np.int16] | None]:
    return read_all(recordings, lambda sound: to_pcm(shape.converted(sound)), report)


def _ahead(pool: ThreadPoolExecutor, work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """`pool.map`, but never more than a few answers ahead of the one who asks."""
    pending: deque[Future[R]] = deque()
    for item in items:
        pending.append(pool.submit(work, item))
        if len(pending) > 8 * (os.cpu_count() or 1):
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()
