"""Arrays in files, of which only what is being read is in memory."""

import mmap
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK_BYTES = 4 << 20
"""Each block of a file has a checksum of its own."""


class MappedArray:
    """A one-dimensional array in a file, read like an array of NumPy.

    What is read is copied, and the pages of the file are given back at once: the system keeps them
    in its own cache, which all processes share, and no process grows with the file.

    Args:
        path: a file that no one changes; it may be removed while it is mapped.
        dtype: of its values.

    Raises:
        OSError: the file cannot be read.
    """

    def __init__(self, path: Path, dtype: str) -> None:
        self.dtype = np.dtype(dtype)
        self._map: mmap.mmap | None = None
        self._values = np.zeros(0, self.dtype)
        with path.open("rb") as file:
            if path.stat().st_size:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
                self._values = np.frombuffer(self._map, self.dtype)

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, places: slice | NDArray[Any]) -> NDArray[Any]:
        """The values of a slice or of an array of places, as an array in memory."""
        found = self._values[places]
        if isinstance(places, slice):
            found = found.copy()
        self._give_back()
        return found

    def blocks(self, size: int) -> Iterator[NDArray[Any]]:
        """All values in their order, `size` at a time."""
        return (self[start : start + size] for start in range(0, len(self), size))

    def checksums(self, blocks: list[int]) -> list[int]:
        """The CRC-32 of some of the blocks of the file."""
        step = BLOCK_BYTES // self.dtype.itemsize
        parts = (self[number * step : (number + 1) * step] for number in blocks)
        return [zlib.crc32(part.data) for part in parts]

    def _give_back(self) -> None:
        if self._map is not None and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)
