"""Sentence pairs in one file, or in two whose lines belong together."""

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from textapps.core.errors import DataError
from textapps.datasets.columns import SPLIT_COLUMNS, find_pair_columns
from textapps.datasets.lines import read_lines
from textapps.datasets.source import Defect, Report, plain_name, split_named, stop
from textapps.datasets.tables import read_table, table_format


class Pair(NamedTuple):
    """A sentence, its translation, and where a person finds them, such as `pairs.tsv:17`."""

    source: str
    target: str
    place: str


class PairFile:
    """A TSV, CSV or JSON lines file (.gz too).

    A TSV file without named columns has no header: the pair is in its first two columns. Where
    there is a header, a `split` column makes own splits. Every row must have both sides; DataError
    names file and line, or `report` gets all of them.
    """

    def __init__(
        self,
        path: Path,
        source_column: str | None = None,
        target_column: str | None = None,
        report: Report = stop,
        name: str | None = None,
    ) -> None:
        kind = table_format(path)
        if kind is None or kind == ".txt":
            raise DataError(
                f"{path}: unknown kind of file for pairs, use .tsv, .csv or .jsonl (.gz too), or "
                "--source-file and --target-file"
            )
        self.path = path
        self.name = name or plain_name(path.name[: path.name.lower().rfind(kind)])
        self._columns = (source_column, target_column)
        self._report = report

    @property
    def own_splits(self) -> frozenset[str]:
        """The values of the `split` column."""
        return frozenset(split for split in self._by_split if split is not None)

    def pairs(self, split: str | None) -> list[Pair]:
        """The pairs in the order of the file."""
        return self._by_split.get(split, [])

    @cached_property
    def _by_split(self) -> dict[str | None, list[Pair]]:
        plain = table_format(self.path) == ".tsv" and self._columns == (None, None)
        by_split: dict[str | None, list[Pair]] = {}
        empty = True
        for split, pair in self._cells() if plain else self._named_cells():
            empty = False
            if whole := whole_pair(pair, self._report):
                by_split.setdefault(split, []).append(whole)
        if empty:
            raise DataError(f"{self.path}: no sentence pairs in this file")
        return by_split

    def _cells(self) -> Iterator[tuple[None, Pair]]:
        for number, line in read_lines(self.path, self._report):
            if line.strip():
                cells = [*line.split("\t"), ""]
                yield None, Pair(cells[0], cells[1], f"{self.path}:{number}")

    def _named_cells(self) -> Iterator[tuple[str | None, Pair]]:
        columns = None
        for number, cells in read_table(self.path, self._report):
            columns = columns or find_pair_columns(str(self.path), cells, *self._columns)
            place = f"{self.path}:{number}"
            split = None
            value = next((cells[name] for name in SPLIT_COLUMNS if name in cells), None)
            if value is not None:
                split = split_named(value)
                if split is None:
                    known = "train, validation, test"
                    self._report(Defect(place, f"unknown split '{value}', write one of {known}"))
            source, target = (cells.get(column, "") for column in columns)
            yield split, Pair(source, target, place)


class ParallelFiles:
    """Two texts with a sentence on each line; line n of one translates line n of the other.

    Raises:
        DataError: one has more lines than the other, or a line is empty in one of them, or all
            are in both.
    """

    own_splits: frozenset[str] = frozenset()

    def __init__(self, source: Path, target: Path, report: Report = stop) -> None:
        self.paths = (source, target)
        stem = source.name.removesuffix(".gz")
        self.name = plain_name(stem.rpartition(".")[0] or stem)
        self._report = report

    def pairs(self, split: str | None) -> list[Pair]:
        """The pairs in the order of the lines; lines that are empty in both are left out."""
        sides = [[line for _, line in read_lines(path, self._report)] for path in self.paths]
        if len(sides[0]) != len(sides[1]):
            counts = " and ".join(
                f"{len(lines):,} in {path}" for path, lines in zip(self.paths, sides, strict=True)
            )
            raise DataError(
                f"unequal numbers of lines, {counts}: line n of one must translate line n of the "
                "other"
            )
        kept = []
        for number, (source, target) in enumerate(zip(*sides, strict=True), 1):
            if not source.strip() and not target.strip():
                continue
            place = self.paths[0] if target.strip() else self.paths[1]  # where it is mended
            if pair := whole_pair(Pair(source, target, f"{place}:{number}"), self._report):
                kept.append(pair)
        if not any(line.strip() for lines in sides for line in lines):
            raise DataError(
                f"{self.paths[0]} and {self.paths[1]}: no sentence pairs in these files"
            )
        return kept


def whole_pair(pair: Pair, report: Report) -> Pair | None:
    """The pair with each side on one line; one that lacks a side goes to `report`."""
    source, target = one_line(pair.source), one_line(pair.target)
    empty = [side for side, text in (("source", source), ("target", target)) if not text]
    if empty:
        report(Defect(pair.place, f"no {' and no '.join(empty)} sentence in this pair"))
        return None
    return Pair(source, target, pair.place)


def one_line(text: str) -> str:
    r"""Without space around it, and with a space for tabs and line ends inside.

    So a pair always fits a TSV row, and a sentence a line of `predict --input`.

    >>> one_line(" Come\r\n in!\t")
    'Come in!'
    """
    return re.sub(r"\s*[\t\r\n]\s*", " ", text.strip())
