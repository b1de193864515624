"""Recordings in a table of paths."""

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
from textapps.datasets.tables import read_table, table_format


class ClipTable:
    """A CSV, TSV or JSON lines file (.gz too) of recordings: path, label, split and speaker.

    Paths are relative to the table's folder. Without a column of splits it is not split; without
    one of speakers each file is spoken by someone else. DataError names file and line of the first
    bad row, or `report` gets all of them.
    """

    def __init__(self, path: Path, report: Report = stop) -> None:
        kind = table_format(path)
        if kind is None or kind == ".txt":
            raise DataError(
                f"{path}: unknown kind of file for clips, use a folder of class folders, or a "
                "table of paths and labels in .csv, .tsv or .jsonl (.gz too)"
            )
        self.path = path
        self.name = plain_name(path.name[: path.name.lower().rfind(kind)])
        self._report = report

    @property
    def own_splits(self) -> frozenset[str]:
        """The values of the `split` column."""
        return frozenset(split for split in self._by_split if split is not None)

    @property
    def noises(self) -> list[Recording]:
        """The files of `_background_noise_` beside the table."""
        folder = self.path.parent / NOISE_FOLDER
        return [of_file(file, NOISE_FOLDER, "", file.name) for file in clips_in(folder)]

    def recordings(self, split: str | None) -> list[Recording]:
        """In the order of the table."""
        return self._by_split.get(split, [])

    @cached_property
    def _by_split(self) -> dict[str | None, list[Recording]]:
        columns = None
        by_split: dict[str | None, list[Recording]] = {}
        for number, cells in read_table(self.path, self._report):
            place = f"{self.path}:{number}"
            columns = columns or find_clip_columns(str(self.path), cells)
            if columns.word is None:
                raise DataError(f"{self.path}: no label column; call one 'label'")
            path, word = (cells.get(column, "").strip() for column in (columns.path, columns.word))
            if not path or not word:
                self._report(Defect(place, f"no {'path' if not path else 'label'} in this row"))
                continue
            split = None
            if columns.split:
                split = named_split(cells.get(columns.split, ""), place, self._report)
            speaker = cells.get(columns.speaker, "").strip() if columns.speaker else ""
            file = self.path.parent / path
            one = of_file(file, CLASS_NAMES.get(word, word), speaker, path)
            by_split.setdefault(split, []).append(one)
        if not by_split:
            raise DataError(f"{self.path}: no clips in this table")
        return by_split
