"""What every source of recordings gives to the loader."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from textapps.datasets.clips.files import Recording, is_clip, read_sound
from textapps.datasets.config import SILENCE, UNKNOWN
from textapps.datasets.source import Defect, Report, split_named

NOISE_FOLDER = "_background_noise_"
CLASS_NAMES = {"_unknown_": UNKNOWN, "_silence_": SILENCE}
"""Ours for those that the Speech Commands set has."""


class ClipSource(Protocol):
    """Recordings before they are split and their words are classes."""

    name: str

    @property
    def own_splits(self) -> frozenset[str]:
        """Those of train, validation and test that the source has; empty: it is not split."""

    def recordings(self, split: str | None) -> list[Recording]:
        """Those of an own split, or with None those of a source that is not split."""

    @property
    def noises(self) -> Sequence[Recording]:
        """Long recordings of background noise."""


def of_file(file: Path, word: str, speaker: str, key: str) -> Recording:
    """The recording in a file.

    Names such as `0a7c_nohash_0.wav` begin with their speaker (Warden 2018, section 7).
    """
    said_by, nohash, _ = file.name.partition("_nohash_")
    known = speaker or (said_by if nohash else "")
    return Recording(word, known, key, str(file), partial(read_sound, file, str(file)))


def named_split(value: str, place: str, report: Report) -> str | None:
    """The split that a cell means; what means none goes to `report`."""
    split = split_named(value)
    if split is None:
        report(Defect(place, f"unknown split '{value}', write one of train, validation, test"))
    return split


def clips_in(folder: Path) -> Iterator[Path]:
    """All files inside that are called like recordings, by path; none where there is no folder."""
    for file in sorted(folder.rglob("*")):
        if is_clip(file) and not file.name.startswith(".") and file.is_file():
            yield file
