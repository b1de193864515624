"""Recordings in a folder of class folders."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from textapps.core.errors import DataError
from textapps.datasets.clips.files import Recording
from textapps.datasets.clips.sources import (
    CLASS_NAMES,
    NOISE_FOLDER,
    clips_in,
    named_split,
    of_file,
)
from textapps.datasets.columns import find_clip_columns
from textapps.datasets.source import Defect, Report, plain_name, stop
from textapps.datasets.tables import read_table
from textapps.datasets.texts.folders import split_folders, subfolders

LOGGER = logging.getLogger("textapps")

_MANIFESTS = ("splits.tsv", "splits.csv")


class ClipFolder:
    """`<class>/*.wav` (or FLAC, Ogg), `<class>/<speaker>/*.wav`, or the same in split folders.

    A `splits.tsv` or `splits.csv` with the columns path and split (and speaker, if any) says which
    clip belongs where. `_background_noise_` holds no class. DataError where there are no classes.
    """

    def __init__(self, path: Path, report: Report = stop) -> None:
        self.path = path
        self.name = plain_name(path.absolute().name)
        self._report = report

    @property
    def own_splits(self) -> frozenset[str]:
        """The splits of the manifest, else those that subfolders are named after."""
        return frozenset(split for split in self._by_split if split is not None)

    @property
    def noises(self) -> list[Recording]:
        """The files of `_background_noise_`."""
        folder = self.path / NOISE_FOLDER
        return [self._recording(file, NOISE_FOLDER, "") for file in clips_in(folder)]

    def recordings(self, split: str | None) -> list[Recording]:
        """By class, then by path."""
        return self._by_split.get(split, [])

    @cached_property
    def _by_split(self) -> dict[str | None, list[Recording]]:
        for name in _MANIFESTS:
            if (self.path / name).is_file():
                return self._as_listed(self.path / name)
        folders: dict[str, Path] = split_folders(self.path)
        if folders:
            return {split: list(self._in(folder)) for split, folder in folders.items()}
        return {None: list(self._in(self.path))}

    def _in(self, folder: Path) -> Iterator[Recording]:
        classes = [one for one in subfolders(folder) if one.name != NOISE_FOLDER]
        files = {one: list(clips_in(one)) for one in classes}
        if not any(files.values()):
            raise DataError(
                f"{folder}: no class folders with .wav, .flac or .ogg files; name a table of "
                "paths and labels, or make some"
            )
        for one, clips in files.items():
            if not clips:
                LOGGER.warning("%s: left out, no .wav, .flac or .ogg file in this folder", one)
            for file in clips:
                between = file.relative_to(one).parts[:-1]
                word = CLASS_NAMES.get(one.name, one.name)
                yield self._recording(file, word, between[0] if between else "")

    def _as_listed(self, manifest: Path) -> dict[str | None, list[Recording]]:
        listed = dict(_splits_in(manifest, self._report))
        by_split: dict[str | None, list[Recording]] = {}
        unlisted = []
        for one in self._in(self.path):
            split, speaker = listed.pop(one.key, (None, ""))
            if split is None:
                unlisted.append(one.place)
            else:
                by_split.setdefault(split, []).append(
                    replace(one, speaker=speaker) if speaker else one
                )
        for path in listed:
            self._report(Defect(str(manifest), f"there is no clip {path}"))
        if unlisted:
            LOGGER.warning(
                "%d clips left out, such as %s: not in %s", len(unlisted), unlisted[0], manifest
            )
        return by_split

    def _recording(self, file: Path, word: str, speaker: str) -> Recording:
        key = file.relative_to(self.path).as_posix()
        return of_file(file, word, speaker, key)


def _splits_in(manifest: Path, report: Report) -> Iterator[tuple[str, tuple[str | None, str]]]:
    """Each path with its split and speaker."""
    columns = None
    for number, cells in read_table(manifest, report):
        place = f"{manifest}:{number}"
        columns = columns or find_clip_columns(str(manifest), cells)
        if columns.split is None:
            raise DataError(f"{manifest}: no column 'split'")
        speaker = cells.get(columns.speaker, "").strip() if columns.speaker else ""
        path = Path(cells[columns.path].strip()).as_posix()
        if NOISE_FOLDER not in Path(path).parts:
            yield path, (named_split(cells[columns.split], place, report), speaker)
