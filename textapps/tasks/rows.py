"""The rows that `predict` prints: an answer as text and as the fields of JSON."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")


class Row(NamedTuple):
    """An answer: as a JSON object, and as text without the line end."""

    fields: dict[str, Any]
    text: str


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Up to `size` items at a time, read only when they are needed.

    >>> [chunk for chunk in chunks("abcde", 2)]
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
