"""The inputs of `predict`, and the rows that it prints: as text and as the fields of JSON."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import numpy as np

from textapps.datasets.inputs import columns_beside
from textapps.datasets.source import Defect, Skipped, stop
from textapps.savedmodel.tensors import shortest

T = TypeVar("T")


class Asked(NamedTuple):
    """One input: a text or a path, and the other columns of its row in a table.

    defect: why its row cannot be read; it then has no text
    """

    text: str
    others: Mapping[str, str] = {}
    defect: Defect | None = None


class Row(NamedTuple):
    """An answer: as a JSON object, and as text without the line end."""

    fields: dict[str, Any]
    text: str


def fields_of(index: int, asked: Asked, answer: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a row: index, input, the other columns, then the answer.

    The columns are named as by `columns_beside`. The answer's numbers, float32 in the model, have
    as few digits as a float32 needs.

    >>> fields_of(0, Asked("fine", {"id": "a7", "label": "neg"}), {"label": "pos"})
    {'index': 0, 'input': 'fine', 'id': 'a7', 'input_label': 'neg', 'label': 'pos'}
    """
    given = {"index": index, "input": asked.text}
    others = columns_beside(asked.others, {*given, *answer})
    return {**given, **others, **{name: _short(value) for name, value in answer.items()}}


def _short(value: Any) -> Any:
    """The value with the fewest digits in each of its numbers, all of them float32 in the model."""
    if isinstance(value, float):
        return shortest(np.asarray(value, np.float32)).item()
    if isinstance(value, Mapping):
        return {name: _short(one) for name, one in value.items()}
    return [_short(one) for one in value] if isinstance(value, list | tuple) else value


def readable(asked: Iterable[Asked], *, skip_bad: bool) -> Iterator[tuple[int, Asked]]:
    """The inputs that could be read, each with its number; bad ones have numbers too.

    With `skip_bad`, a warning in the end says how many are missing, and names some.

    Raises:
        DataError: without `skip_bad`, for the first bad one.
    """
    skipped = Skipped()
    for number, one in enumerate(asked):
        if one.defect is None:
            yield number, one
        elif skip_bad:
            skipped(one.defect)
        else:
            stop(one.defect)
    skipped.warn()


def consecutive(numbered: Iterable[tuple[int, T]], size: int) -> Iterator[tuple[int, list[T]]]:
    """Up to `size` items whose numbers follow one another, with the number of the first.

    >>> list(consecutive([(0, "a"), (1, "b"), (2, "c"), (4, "e")], 2))
    [(0, ['a', 'b']), (2, ['c']), (4, ['e'])]
    """
    first = 0
    items: list[T] = []
    for number, item in numbered:
        if items and (len(items) == size or number != first + len(items)):
            yield first, items
            items = []
        first = number - len(items)
        items.append(item)
    if items:
        yield first, items


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Up to `size` items at a time, read only when they are needed.

    >>> [chunk for chunk in chunks("abcde", 2)]
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
