"""The inputs of `predict`, and the rows that it prints: as text and as the fields of JSON."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")


class Asked(NamedTuple):
    """One input: a text or a path, and the other columns of its row in a table."""

    text: str
    others: Mapping[str, str] = {}


class Row(NamedTuple):
    """An answer: as a JSON object, and as text without the line end."""

    fields: dict[str, Any]
    text: str


def fields_of(index: int, asked: Asked, answer: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a row: index, input, the other columns, then the answer.

    A column with the name of another field gets the prefix `input_`, so that `label` is always the
    label of the model.

    >>> fields_of(0, Asked("fine", {"id": "a7", "label": "neg"}), {"label": "pos"})
    {'index': 0, 'input': 'fine', 'id': 'a7', 'input_label': 'neg', 'label': 'pos'}
    """
    fields: dict[str, Any] = {"index": index, "input": asked.text}
    for name, cell in asked.others.items():
        while name in fields or name in answer:
            name = f"input_{name}"
        fields[name] = cell
    return {**fields, **answer}


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Up to `size` items at a time, read only when they are needed.

    >>> [chunk for chunk in chunks("abcde", 2)]
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
