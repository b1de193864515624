"""Labelled texts in one file."""

from functools import cached_property
from pathlib import Path

from textapps.datasets.columns import Columns, find_columns
from textapps.datasets.source import Defect, Report, Row, plain_name, split_named, stop
from textapps.datasets.tables import read_table, table_format


class FileSource:
    """A CSV, TSV, JSON lines or labelled plain text file, read once when rows are first needed.

    It is called `name`, by default as the file without its suffix. A `split` column makes own
    splits, a `group` or `movie` column keeps rows together. DataError names file and line of the
    first bad row, or `report` gets all of them.
    """

    label_names = None

    def __init__(
        self,
        path: Path,
        text_column: str | None = None,
        label_column: str | None = None,
        report: Report = stop,
        name: str | None = None,
    ):
        self.path = path
        end = path.name.lower().rfind(table_format(path) or ".")
        self.name = name or plain_name(path.name[:end])
        self._text_column = text_column
        self._label_column = label_column
        self._report = report

    @property
    def own_splits(self) -> frozenset[str]:
        """The values of the `split` column."""
        return frozenset(split for split in self._rows_by_split if split is not None)

    def rows(self, split: str | None) -> list[Row]:
        """The rows in the order of the file."""
        return self._rows_by_split.get(split, [])

    @cached_property
    def _rows_by_split(self) -> dict[str | None, list[Row]]:
        columns = None
        rows: dict[str | None, list[Row]] = {}
        for number, cells in read_table(self.path, self._report):
            columns = columns or find_columns(
                str(self.path), cells, self._text_column, self._label_column
            )
            place = f"{self.path}:{number}"
            label = cells.get(columns.label, "").strip()
            if not label:
                self._report(Defect(place, f"no label in column '{columns.label}'"))
                continue
            split = self._split(cells, columns, place)
            group = cells.get(columns.group, "") if columns.group else ""
            row = Row(cells.get(columns.text, ""), label, group, place)
            rows.setdefault(split, []).append(row)
        return rows

    def _split(self, cells: dict[str, str], columns: Columns, place: str) -> str | None:
        if columns.split is None:
            return None
        value = cells.get(columns.split, "")
        split = split_named(value)
        if split is None:
            known = "train, validation, test"
            self._report(Defect(place, f"unknown split '{value}', write one of {known}"))
        return split
