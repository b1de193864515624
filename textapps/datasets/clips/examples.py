"""Labelled clips, as the speech task and its reports use them."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from textapps.core.part import WHOLE, Part
from textapps.datasets.clips.audio import ClipAudio
from textapps.datasets.clips.noise import Noise


@dataclass(frozen=True, eq=False)
class Clips:
    """One split, in a fixed order: commands, then `unknown`, then `silence`.

    name: its name in reports and file names
    names: the classes in the order of a model's scores
    labels: int32[clips], indices into `names`
    words: the spoken words; those of `unknown` clips are not their class
    speakers: "" for an unknown speaker
    places: where to find each clip
    audio: the samples
    rate_hz: the sample rate
    noises: the background noise for this split
    part: which part of the recordings it is
    rotation: for each unknown word, the indices of its clips and how many of them a pass takes;
        empty if every pass takes all clips
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
    part: Part = WHOLE
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

        DataError if a file that is not in memory has changed and cannot be read.
        """
        chosen = np.arange(len(self)) if indices is None else np.asarray(indices, np.int64)
        return self.audio.waveforms(chosen)

    def drawn(self, number: int) -> NDArray[np.int64]:
        """The indices of the clips in pass `number` of training, in ascending order.

        Every pass has the same number of clips: all clips of commands and of silence, and the next
        clips of each unknown word.
        """
        if not self.rotation:
            return np.arange(len(self))
        taken = np.ones(len(self), bool)
        for indices, quota in self.rotation:
            taken[indices] = False
            taken[indices[(number * quota + np.arange(quota)) % len(indices)]] = True
        return np.flatnonzero(taken)

    @property
    def short_places(self) -> list[str]:
        """The places within the folder that has them all, for people."""
        try:
            folder = os.path.commonpath(self.places)
        except ValueError:  # no clips, or of several sources
            return self.places
        if folder in self.places:
            folder = folder.rpartition(os.sep)[0]
        return [place.removeprefix(folder).lstrip(os.sep) for place in self.places]

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
