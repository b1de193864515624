"""Short recordings with their classes, as the speech task and its reports use them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from textapps.datasets.clips.audio import ClipAudio
from textapps.datasets.clips.noise import Noise


@dataclass(frozen=True, eq=False)
class Clips:
    """One split of a data set, in a fixed order: commands, then `unknown`, then `silence`.

    name: what reports and file names call the set
    names: the classes in the order of a model's scores
    labels: int32[clips], each an index into `names`
    words: what is said in each, which for an unknown word is not its class
    speakers: who says it, "" where that is not known
    places: where a person finds each
    audio: the samples
    rate_hz: of all of them
    noises: the background noise that this split may hear
    rotation: for each unknown word the indices of its clips, and how many a pass takes of them;
        empty where a pass takes every clip
    """

    name: str
    names: tuple[str, ...]
    labels: NDArray[np.int32]
    words: list[str]
    speakers: list[str]
    places: list[str]
    audio: ClipAudio
    rate_hz: int
    noises: tuple[Noise, ...] = ()
    rotation: tuple[tuple[NDArray[np.int64], int], ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def lengths(self) -> NDArray[np.int32]:
        """int32[clips]: the samples that are not padding."""
        return self.audio.lengths

    def waveforms(
        self, indices: Sequence[int] | NDArray[np.integer] | None = None
    ) -> NDArray[np.float32]:
        """float32[indices, samples] in [-1, 1), padded with zeros; by default all clips.

        DataError where a file that is not in memory has gone bad since it was first read.
        """
        chosen = np.arange(len(self)) if indices is None else np.asarray(indices, np.int64)
        return self.audio.waveforms(chosen)

    def drawn(self, number: int) -> NDArray[np.int64]:
        """The indices of the clips that pass `number` of training takes, in rising order.

        Equally many each time: all clips of commands and of silence, and of each unknown word the
        next of its clips.
        """
        if not self.rotation:
            return np.arange(len(self))
        taken = np.ones(len(self), bool)
        for indices, quota in self.rotation:
            taken[indices] = False
            taken[indices[(number * quota + np.arange(quota)) % len(indices)]] = True
        return np.flatnonzero(taken)

    def take(self, indices: Sequence[int] | NDArray[np.integer]) -> "Clips":
        """The clips at `indices`, in that order; IndexError where one is out of range."""
        at = np.asarray(indices, np.int64)
        words, speakers, places = (
            [values[index] for index in at] for values in (self.words, self.speakers, self.places)
        )
        return Clips(
            self.name,
            self.names,
            self.labels[at],
            words,
            speakers,
            places,
            self.audio.take(at),
            self.rate_hz,
            self.noises,
        )

    @cached_property
    def fingerprint(self) -> str:
        """sha256 (64 hexadecimal digits) over classes, samples and their order."""
        digest = hashlib.sha256()
        for name in self.names:
            data = name.encode()
            digest.update(len(data).to_bytes(8, "little") + data)
        digest.update(self.labels.astype("<i4").tobytes())
        for clip in self.audio.digests:
            digest.update(clip)
        return digest.hexdigest()
