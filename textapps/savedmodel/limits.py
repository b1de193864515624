"""The limits of a model call, and an estimate of the memory that it needs."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from pydantic import Field

from textapps.core.config import Section
from textapps.savedmodel.errors import BadInput
from textapps.savedmodel.tensors import in_parts

Measure = Callable[[bytes], int]


class Size(NamedTuple):
    """The size of a call.

    length         of the longest row, in its texts and arrays
    steps          the largest value of its integers, such as the length of a text to generate
    tensor_bytes   of its inputs and outputs
    """

    rows: int
    length: int = 0
    steps: int = 0
    tensor_bytes: int = 0

    def joined(self, other: "Size") -> "Size":
        """The size of a call with the rows of both."""
        return Size(
            self.rows + other.rows,
            max(self.length, other.length),
            max(self.steps, other.steps),
            self.tensor_bytes + other.tensor_bytes,
        )


class CallLimits(Section):
    """The limits of one signature. An export checks them in its graph, a server before the call.

    `longest` is the maximum for a row in some of the inputs: the characters of a text (the bytes if
    the input's name ends in _bytes), n of an array [batch, n, …], or the value of an integer
    [batch]. The length of a row is the sum over these inputs. Rows are padded to the longest one;
    `cells` is the maximum of rows times the longest length.

    A call needs about `row_bytes` of memory for each row, and for each unit of the padded length
    `cell_bytes`, or `step_bytes` if it comes from an integer. Of texts and arrays `counted` units
    are counted at most: the model reads no more, or no more at a time.
    """

    longest: dict[str, int] = Field(default_factory=dict)
    counted: int | None = None
    cells: int | None = None
    row_bytes: int = 0
    cell_bytes: int = 0
    step_bytes: int = 0

    def size_of(self, inputs: Mapping[str, np.ndarray]) -> Size:
        """The size of a call with these inputs; their strings are bytes.

        Raises BadInput if a row is too long or there are too many cells.
        """
        try:
            return self._size_of(inputs, len)  # quick: never fewer bytes than characters
        except BadInput:
            return self._size_of(inputs, lambda text: len(text.decode(errors="replace")))

    def memory(self, size: Size) -> int:
        """The estimated memory of a call of this size, in bytes."""
        length = size.length if self.counted is None else min(size.length, self.counted)
        return size.rows * (
            self.row_bytes + self.cell_bytes * length + self.step_bytes * size.steps
        )

    def allow(self, size: Size) -> bool:
        """Whether a call may have this number of cells."""
        return self.cells is None or size.rows * (size.length + size.steps) <= self.cells

    def _size_of(self, inputs: Mapping[str, np.ndarray], characters: Measure) -> Size:
        rows = max((len(array) for array in inputs.values() if array.ndim), default=1)
        lengths, steps = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
        for name in self.longest.keys() & inputs.keys():
            array = inputs[name]
            if array.dtype == object or array.ndim > 1:
                lengths += self._lengths(name, array, characters)
            else:
                steps += self._check(name, np.maximum(array.astype(np.int64), 0), "is")
        size = Size(rows, int(lengths.max(initial=0)), int(steps.max(initial=0)))
        if not self.allow(size):
            longest = size.length + size.steps
            raise BadInput(
                f"{rows:,} rows of length {longest:,} are {rows * longest:,} in total; the limit "
                f"is {self.cells:,}: send fewer or shorter rows"
            )
        return size

    def _lengths(self, name: str, array: np.ndarray, characters: Measure) -> np.ndarray:
        """int64[rows], or int64[1] for all of them."""
        if array.dtype == object:
            measure = len if name.endswith("_bytes") else characters
            parts = [np.fromiter(map(measure, part), np.int64) for part in in_parts(array)]
            lengths = np.concatenate([np.zeros(0, np.int64), *parts])
        else:
            lengths = np.array([array.shape[1]])
        return self._check(name, lengths, "has a row of length")

    def _check(self, name: str, lengths: np.ndarray, said: str) -> np.ndarray:
        length, most = lengths.max(initial=0), self.longest[name]
        if length > most:
            raise BadInput(f"input '{name}' {said} {length:,}; the limit is {most:,}")
        return lengths
