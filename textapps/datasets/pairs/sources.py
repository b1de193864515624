"""Sources of sentence pairs: tables, parallel files, prepared sets."""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from textapps.core.errors import DataError
from textapps.datasets.bundled import bundled_dir
from textapps.datasets.config import PairsConfig
from textapps.datasets.formats.lines import read_lines
from textapps.datasets.formats.registry import ending_of, name_of
from textapps.datasets.ladder import Rungs, no_file, open_source
from textapps.datasets.source import Defect, Report, Source, plain_name, stop
from textapps.datasets.table import PreparedSource, TableSource, Wanted
from textapps.datasets.tfds import PreparedSet


class Pair(NamedTuple):
    """A sentence, its translation, and where to find them, such as `pairs.tsv:17`."""

    source: str
    target: str
    place: str


PairSource = Source[Pair]


def open_pairs(source: str, config: PairsConfig, report: Report = stop) -> PairSource:
    """Open the source of a name or path; DataError if there is none."""
    given = {"source": config.source_column, "target": config.target_column}

    def from_file(path: Path, name: str | None = None) -> PairSource:
        # Without named columns, TSV has no header, and its first two columns are the pair.
        header = ending_of(path) != ".tsv" or any(given.values())
        wanted = _wanted(given if header else {"source": "1", "target": "2"}, report)
        instead = ", or --source-file and --target-file"
        reading = config.reading._replace(header=header)
        return TableSource(path, wanted, report, name, reading=reading, instead=instead)

    def from_folder(path: Path) -> PairSource:
        raise DataError(f"{path}: a folder cannot be read as pairs; name a file in it")

    def from_set(found: PreparedSet) -> PairSource:
        left_out: list[Defect] = []
        return PreparedSource(found, _wanted(given, left_out.append), left_out)

    rungs = Rungs[PairSource](
        sample=partial(from_file, bundled_dir() / "sentences.tsv.gz", "sample"),
        file=from_file,
        folder=from_folder,
        prepared=from_set,
    )
    return open_source(source, config.data_dir, rungs)


def _wanted(columns: Mapping[str, str | None], report: Report) -> Wanted[Pair]:
    return Wanted(columns, lambda cells, place: whole_pair(cells[0], cells[1], place, report))


class ParallelFiles:
    """Two text files with a sentence on each line; line n of one translates line n of the other.

    DataError if they differ in length, if a line is blank in only one of them, or if all lines are
    blank.
    """

    own_splits: frozenset[str] = frozenset()

    def __init__(
        self, source: Path, target: Path, report: Report = stop, encoding: str | None = None
    ) -> None:
        for path in (source, target):
            if not path.exists():
                raise no_file(path)
        self.paths = (source, target)
        self.name = plain_name(name_of(source))
        self._report = report
        self._encoding = encoding

    def examples(self, split: str | None) -> list[Pair]:
        """The pairs in order; lines that are blank in both files are skipped."""
        sides = [
            [line for _, line in read_lines(path, self._report, self._encoding)]
            for path in self.paths
        ]
        counts = [f"{len(side):,} in {path}" for side, path in zip(sides, self.paths, strict=True)]
        if len(sides[0]) != len(sides[1]):
            raise DataError(
                f"unequal numbers of lines, {' and '.join(counts)}: line n of one must translate "
                "line n of the other"
            )
        if not any(line.strip() for lines in sides for line in lines):
            raise DataError(
                f"{self.paths[0]} and {self.paths[1]}: no sentence pairs in these files"
            )
        pairs = []
        for number, (source, target) in enumerate(zip(*sides, strict=True), 1):
            place = self.paths[0] if target.strip() else self.paths[1]  # the side to fix
            if source.strip() or target.strip():
                pairs.append(whole_pair(source, target, f"{place}:{number}", self._report))
        return [pair for pair in pairs if pair is not None]


def whole_pair(source: str, target: str, place: str, report: Report) -> Pair | None:
    """The pair with each side on one line; None, and a report, if a side is empty."""
    pair = Pair(one_line(source), one_line(target), place)
    empty = [side for side, text in zip(("source", "target"), pair[:2], strict=True) if not text]
    if not empty:
        return pair
    report(Defect(place, f"no {' and no '.join(empty)} sentence in this pair"))
    return None


def one_line(text: str) -> str:
    r"""The text without surrounding space, and with a space for each tab or line end.

    So a pair fits into a TSV row, and a sentence into a line of `predict --input`.

    >>> one_line(" Come\r\n in!\t")
    'Come in!'
    """
    return re.sub(r"\s*[\t\r\n]\s*", " ", text.strip())
