"""Tables of labelled texts that are too large to be held: they are kept in the cache."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from textapps.cache.entry import Entry
from textapps.cache.store import Cache
from textapps.cache.writing import EntryWriter
from textapps.core.records import sha256_of
from textapps.datasets.formats.registry import ending_of
from textapps.datasets.source import SPLITS, Skipped
from textapps.datasets.splits import hash_of
from textapps.datasets.stamp import stamp_of
from textapps.datasets.texts.sources import Text, TextTable

_AT_ONCE = 4_096  # rows
_NO_SPLIT = -1


class NotKept(Exception):
    """A table that cannot be kept in the cache; a warning has said why."""


class KeptTexts(Sequence[str]):
    """Texts in a file, each of which is read when it is needed.

    Args:
        entry: what `KeptTable` keeps.
        rows: int64[texts], the rows of the table.
    """

    def __init__(self, entry: Entry, ends: NDArray[np.int64], rows: NDArray[np.int64]) -> None:
        self._content = entry.arrays["texts"]
        self._ends = ends
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return [self._text(row) for row in self._rows[place].tolist()]
        return self._text(int(self._rows[place]))

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), _AT_ONCE):
            yield from self[start : start + _AT_ONCE]

    def _text(self, row: int) -> str:
        start = int(self._ends[row - 1]) if row else 0
        return self._content[start : int(self._ends[row])].tobytes().decode()


class KeptRows(Sequence[Text]):
    """Rows of a kept table: a source's examples, of which none is in memory.

    Attributes:
        table: where they are.
        rows: int64[examples], in the order of the file.
    """

    def __init__(self, table: "KeptTable", rows: NDArray[np.int64]) -> None:
        self.table = table
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, place: int) -> Text: ...
    @overload
    def __getitem__(self, place: slice) -> "KeptRows": ...
    def __getitem__(self, place: int | slice) -> "Text | KeptRows":
        if isinstance(place, slice):
            return KeptRows(self.table, self.rows[place])
        row = int(self.rows[place])
        label = self.table.labels[int(self.values("labels")[place])]
        return Text(self.texts[place], label, "", self.table.place(row))

    @property
    def texts(self) -> KeptTexts:
        """Their texts."""
        return KeptTexts(self.table.entry, self.table.ends, self.rows)

    def chosen(self, which: NDArray[np.bool_]) -> "KeptRows":
        """Some of them, by bool[examples]."""
        return KeptRows(self.table, self.rows[which])

    def values(self, name: str) -> NDArray[Any]:
        """A column: labels int32, an index into `table.labels`; blank bool; hashes uint64."""
        column: NDArray[Any] = self.table.entry.values(name)[self.rows]
        return column

    @staticmethod
    def joined(parts: list[Sequence[Text]]) -> "KeptRows":
        """The rows of several parts of a table, one after the other."""
        kept = [part for part in parts if isinstance(part, KeptRows)]
        return KeptRows(kept[0].table, np.concatenate([part.rows for part in kept]))


class KeptTable(TextTable):
    """As `TextTable`, but its rows are kept in the cache, keyed by the content of the file.

    Whether a file has changed is told by its name, size and modification time, as by `stamp_of`;
    a copy with another name or time is read once, to find that its content is known.

    Raises:
        NotKept: of its properties and methods; the cache cannot be written.
    """

    @property
    def own_splits(self) -> frozenset[str]:
        """The values of the `split` column."""
        return frozenset(SPLITS[code] for code in self._codes if code != _NO_SPLIT)

    def examples(self, split: str | None) -> KeptRows:
        """In the order of the file; DataError if it has no rows."""
        code = _NO_SPLIT if split is None else SPLITS.index(split)
        splits = self.entry.values("splits")
        return KeptRows(self, np.flatnonzero(splits == code))

    @cached_property
    def cache(self) -> Cache:
        """Where it is kept."""
        return Cache()

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The different labels, as they are written."""
        return tuple(self.entry.fields["labels"])

    @cached_property
    def ends(self) -> NDArray[np.int64]:
        """int64[rows]: where each text ends."""
        return self.entry.values("ends")

    def place(self, row: int) -> str:
        """Where to find a row, such as `reviews.csv:17`."""
        return f"{self.path}:{self.entry.arrays['numbers'][row : row + 1][0]}"

    @cached_property
    def content(self) -> str:
        """sha256 of the file."""
        key = {"of": "a file", "stamp": stamp_of([self.path.absolute()])}
        return self.cache.noted(key, lambda: sha256_of(self.path))

    @cached_property
    def key(self) -> dict[str, object]:
        """What its rows depend on."""
        return {
            "sha256": self.content,
            "ending": ending_of(self.path),
            "columns": dict(self._wanted.columns),
            "reading": self._reading._asdict(),
        }

    @cached_property
    def entry(self) -> Entry:
        """What is kept of it."""
        found = self.cache.kept("table", self.key, self._write, str(self.path))
        if found is None:
            raise NotKept
        return found

    @cached_property
    def _codes(self) -> list[int]:
        codes: list[int] = np.unique(self.entry.values("splits")).tolist()
        return codes

    def _write(self, into: EntryWriter) -> None:
        into.create(
            {
                "texts": "u1",
                "ends": "<i8",
                "labels": "<i4",
                "splits": "<i1",
                "blank": "?",
                "hashes": "<u8",
                "numbers": "<i8",
            }
        )
        numbers: dict[str, int] = {}
        rows, end = self.stream(), 0
        while part := list(islice(rows, _AT_ONCE)):
            texts = [row.text.encode() for _, row in part]
            ends = end + np.cumsum([len(text) for text in texts])
            end = int(ends[-1])
            into.append(
                texts=np.frombuffer(b"".join(texts), np.uint8),
                ends=ends,
                labels=[numbers.setdefault(row.label, len(numbers)) for _, row in part],
                splits=[_NO_SPLIT if split is None else SPLITS.index(split) for split, _ in part],
                blank=[not row.text.strip() for _, row in part],
                hashes=np.array([hash_of(row.group or row.text) for _, row in part], np.uint64),
                numbers=[int(row.place.rpartition(":")[2]) for _, row in part],
            )
        into.fields["labels"] = list(numbers)
        if isinstance(self.report, Skipped):
            self.report.warn(self.name)
