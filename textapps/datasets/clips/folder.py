"""A folder of class folders with recordings."""

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from textapps.core.counted import counted
from textapps.core.errors import DataError
from textapps.datasets.clips.recording import NOISES, Recording, of_file
from textapps.datasets.clips.sound_file import Found, endings, search
from textapps.datasets.columns import find_column, usual_column
from textapps.datasets.folders import split_folders, subfolders
from textapps.datasets.formats.registry import format_of, read_table
from textapps.datasets.source import Defect, Report, plain_name, split_in_cell, stop

LOGGER = logging.getLogger("textapps")

_LISTS = ("splits.tsv", "splits.csv")


class ClipFolder:
    """`<class>/*.wav` (or FLAC, MP3, …), `<class>/<speaker>/*.wav`, or the same in split folders.

    `splits.tsv` or `splits.csv` with the columns path, split and optionally speaker says which clip
    belongs to which split. `_background_noise_` is not a class. DataError if there are no classes.
    """

    def __init__(self, path: Path, report: Report = stop) -> None:
        self.path = path
        self.name = plain_name(path.absolute().name)
        self._report = report

    @property
    def own_splits(self) -> frozenset[str]:
        """The splits of the list, else those with a folder."""
        return frozenset(split for split in self._by_split if split is not None)

    @property
    def noises(self) -> list[Recording]:
        """The files of `_background_noise_`."""
        return [self._recording(file, "", "") for file in search(self.path / NOISES).clips]

    def examples(self, split: str | None) -> list[Recording]:
        """Sorted by class, then by path."""
        return self._by_split.get(split, [])

    @cached_property
    def _by_split(self) -> dict[str | None, list[Recording]]:
        for name in _LISTS:
            if (self.path / name).is_file():
                return self._as_listed(self.path / name)
        folders = split_folders(self.path)
        return {split: list(self._in(folder)) for split, folder in folders.items()}

    def _in(self, folder: Path) -> Iterator[Recording]:
        classes = [one for one in subfolders(folder) if one.name != NOISES]
        files = {one: search(one, within=self.path) for one in classes}
        others = Found([], sum((found.others for found in files.values()), Counter()))
        if not any(found.clips for found in files.values()):
            raise DataError(
                f"{folder}: no class folders with recordings; name a table of paths and labels, "
                f"or make some ({others.not_read() or endings()})"
            )
        if others.others:
            LOGGER.warning("%s: %s", folder, others.not_read())
        for one, found in files.items():
            if not found.clips:
                LOGGER.warning("%s: left out, no recording in this folder", one)
            for file in found.clips:
                between = file.relative_to(one).parts[:-1]
                yield self._recording(file, one.name, between[0] if between else "")

    def _as_listed(self, table: Path) -> dict[str | None, list[Recording]]:
        listed = dict(_splits_in(table, self._report))
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
            self._report(Defect(str(table), f"there is no clip {path}"))
        if unlisted:
            count = counted(len(unlisted), "clip")
            LOGGER.warning("%s left out, such as %s: not in %s", count, unlisted[0], table)
        return by_split

    def _recording(self, file: Path, word: str, speaker: str) -> Recording:
        return of_file(file, word, speaker, file.relative_to(self.path).as_posix())


def _splits_in(table: Path, report: Report) -> Iterator[tuple[str, tuple[str | None, str]]]:
    """Each path with its split and speaker."""
    for number, cells in read_table(table, format_of(table), report):
        path_column = find_column(str(table), cells, "path", remedy="call one 'path'")
        split_column, speaker_column = (usual_column(cells, kind) for kind in ("split", "speaker"))
        if split_column is None:
            raise DataError(f"{table}: no column 'split'")
        path = Path(cells[path_column].strip())
        speaker = cells[speaker_column].strip() if speaker_column else ""
        if NOISES not in path.parts:
            split = split_in_cell(cells[split_column], f"{table}:{number}", report)
            yield path.as_posix(), (split, speaker)
