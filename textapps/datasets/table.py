"""Sources whose examples are rows: files and prepared sets, for every kind of example."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from textapps.core.counted import counted
from textapps.core.errors import DataError
from textapps.core.notices import notice
from textapps.datasets.columns import find_columns, usual_column
from textapps.datasets.formats.json_lines import HALF_PAIR, cell_at, dotted_columns, is_text
from textapps.datasets.formats.registry import format_of, name_of, read_table, without_header
from textapps.datasets.formats.rows import LINE, Cells, Reading
from textapps.datasets.source import Defect, Report, plain_name, split_in_cell
from textapps.datasets.tfds import PreparedSet

E = TypeVar("E")
_USUAL = Reading()


class Wanted(NamedTuple, Generic[E]):
    """What a kind of example needs from a row.

    columns: the required columns by what they hold, each with its given name; None: a usual name
    make: turns the cells of the required and then of the optional columns, and the row's place,
        into an example; None if there is none, or after reporting a defect
    optional: more columns by what they hold; their cells are "" if a table lacks them
    line: turns a line of text and its place into an example, for a format without columns
    remedy: what to do if a column is missing, unless an option names it
    """

    columns: Mapping[str, str | None]
    make: Callable[[list[str], str], E | None]
    optional: tuple[str, ...] = ()
    line: Callable[[str, str], E | None] | None = None
    remedy: str = ""

    def find(self, place: str, names: list[str]) -> list[str]:
        """The columns for `make`, "" for a missing optional one; DataError as `find_columns`."""
        optional = [usual_column(names, kind) or "" for kind in self.optional]
        return find_columns(place, names, self.columns, self.remedy) + optional


class TableSource(Generic[E]):
    """A file, read once, when examples are first needed.

    A `split` column gives the source its own splits. `name` defaults to the file name, `reading`
    says how to read the file, `instead` is that of `format_of`.
    """

    def __init__(
        self,
        path: Path,
        wanted: Wanted[E],
        report: Report,
        name: str | None = None,
        *,
        reading: Reading = _USUAL,
        instead: str = "",
    ) -> None:
        self.path = path
        self.name = name or plain_name(name_of(path))
        self._form = format_of(path, lines=wanted.line is not None, instead=instead)
        self._wanted = wanted
        self.report = report
        self._reading = reading

    @property
    def named(self) -> bool:
        """Whether its rows have columns; otherwise a row is a line of text."""
        return self._form.named

    @property
    def own_splits(self) -> frozenset[str]:
        """The values of the `split` column."""
        return frozenset(split for split in self._by_split if split is not None)

    def examples(self, split: str | None) -> Sequence[E]:
        """In the order of the file; DataError if it has no rows."""
        return self._by_split.get(split, [])

    @cached_property
    def _by_split(self) -> dict[str | None, list[E]]:
        by_split: dict[str | None, list[E]] = {}
        for split, example in self.stream():
            by_split.setdefault(split, []).append(example)
        return by_split

    def stream(self) -> Iterator[tuple[str | None, E]]:
        """All examples, each with its split, without keeping them; DataError as `examples`."""
        columns: list[str] | None = None
        split = split_column = None
        given = self._wanted.columns.values()
        reading = without_header(self.path, self._form, self._reading, given)
        for number, cells in read_table(self.path, self._form, self.report, reading):
            place = f"{self.path}:{number}"
            if columns is None:
                columns = self._columns(cells)
                split_column = usual_column(cells, "split")
            elif not self._form.uniform:
                self._look_again(cells, place, columns, split_column)
            if self._wanted.line and not self._form.named:
                example = self._wanted.line(cells[LINE], place)
            else:
                # A column that is missing is "", and pandas gives that name to its index.
                found = [(cell_at(cells, column) or "") if column else "" for column in columns]
                if not is_text("".join(found)):
                    self.report(Defect(place, HALF_PAIR))
                    continue
                example = self._wanted.make(found, place)
            if example is not None:
                if split_column:
                    split = split_in_cell(cells.get(split_column, ""), place, self.report)
                yield split, example
        if columns is None:
            raise DataError(f"{self.path}: no rows in this file")

    def _look_again(
        self, cells: Cells, place: str, columns: list[str], split_column: str | None
    ) -> None:
        """Looks for what the first row lacks, where each row has columns of its own.

        Raises:
            DataError: this row names a split, and those before it did not.
        """
        for at, kind in enumerate(self._wanted.optional, len(self._wanted.columns)):
            columns[at] = columns[at] or usual_column(cells, kind) or ""
        if split_column is None and (late := usual_column(cells, "split")):
            raise DataError(
                f"{place}: '{late}' in this row, but not in those before it: name the split in all "
                "rows, or in none"
            )

    def _columns(self, cells: Cells) -> list[str]:
        if not self._form.named:
            return []
        if not self._reading.header:  # rows may have fewer columns than they should
            return [name or "" for name in self._wanted.columns.values()]
        columns = self._wanted.find(str(self.path), [*cells, *dotted_columns(cells)])
        read = ", ".join(
            f"{kind} from '{column}'"
            for kind, column in zip(
                (*self._wanted.columns, *self._wanted.optional), columns, strict=True
            )
            if column
        )
        if self.name != "sample":
            notice("%s: reads %s", self.path, read)
        return columns


class PreparedSource(Generic[E]):
    """A set of TensorFlow Datasets.

    By default the columns are the set's supervised keys. `left_out` is the list to which `wanted`
    reports defects; users cannot fix a prepared set, so these rows only cause a warning.
    """

    def __init__(
        self, found: PreparedSet, wanted: Wanted[E], left_out: list[Defect] | None = None
    ) -> None:
        self.name = found.name
        self.found = found
        columns = zip(wanted.columns.items(), found.keys, strict=False)
        self.wanted = wanted._replace(columns={kind: name or key for (kind, name), key in columns})
        self._left_out = [] if left_out is None else left_out

    @property
    def own_splits(self) -> frozenset[str]:
        """Its train, validation and test splits."""
        return frozenset(self.found.splits)

    def examples(self, split: str | None) -> list[E]:
        """In the order of the records; places are record numbers."""
        columns = self.wanted.find(str(self.found.directory), list(self.found.columns))
        rows = enumerate(self.found.rows(split, columns), 1)
        made = [self.wanted.make(cells, f"{self.name}/{split}:{n}") for n, cells in rows]
        if bad := self._left_out:
            count = counted(len(bad), "row")
            logging.getLogger("textapps").warning("%s left out, such as %s", count, bad[0])
            bad.clear()
        return [example for example in made if example is not None]
