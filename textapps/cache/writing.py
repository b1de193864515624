"""Writing a new entry of the cache."""

import zlib
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from textapps.cache.entry import RECORD
from textapps.cache.mapped import BLOCK_BYTES, MappedArray
from textapps.core.files import write_file
from textapps.core.records import dump_record


class EntryWriter:
    """Fills an empty folder with arrays, and at last with the record that makes it an entry.

    A context, at whose end all files are closed.

    Attributes:
        directory: the folder, for files of other kinds.
        fields: to be filled with what JSON can hold.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.fields: dict[str, Any] = {}
        self._arrays: dict[str, _Growing] = {}
        self._open = ExitStack()

    def __enter__(self) -> "EntryWriter":
        return self

    def __exit__(self, *exception: object) -> None:
        self._open.close()

    def create(self, dtypes: Mapping[str, str]) -> None:
        """New arrays of these types, empty as yet."""
        for name, dtype in dtypes.items():
            file = self._open.enter_context((self.directory / name).open("wb"))
            self._arrays[name] = _Growing(file, np.dtype(dtype))

    def append(self, **values: Any) -> None:
        """Adds values to arrays, by name; OSError if the disk is full."""
        for name, more in values.items():
            self._arrays[name].append(more)

    def write(self, **arrays: NDArray[Any]) -> None:
        """New arrays, whole."""
        self.create({name: array.dtype.str for name, array in arrays.items()})
        self.append(**arrays)

    def so_far(self, name: str) -> MappedArray:
        """What has been added to an array."""
        return self._arrays[name].so_far(self.directory / name)

    def finish(self) -> None:
        """Closes all files, and writes the record."""
        self._open.close()
        arrays = {name: growing.record() for name, growing in self._arrays.items()}
        record = dump_record({"fields": self.fields, "arrays": arrays})
        write_file(self.directory / RECORD, record)


class _Growing:
    """An array that is being written, and the checksums of the blocks of its file."""

    def __init__(self, file: BinaryIO, dtype: np.dtype[Any]) -> None:
        self._file = file
        self._dtype = dtype
        self._length = self._filled = self._checksum = 0
        self._checksums: list[int] = []

    def append(self, values: Any) -> None:
        array = np.asarray(values).astype(self._dtype, copy=False)
        self._length += array.size
        rest = memoryview(array.tobytes())
        self._file.write(rest)
        while rest:
            part, rest = rest[: BLOCK_BYTES - self._filled], rest[BLOCK_BYTES - self._filled :]
            self._checksum = zlib.crc32(part, self._checksum)
            self._filled += len(part)
            if self._filled == BLOCK_BYTES:
                self._checksums.append(self._checksum)
                self._filled = self._checksum = 0

    def so_far(self, path: Path) -> MappedArray:
        self._file.flush()
        return MappedArray(path, self._dtype.str)

    def record(self) -> dict[str, Any]:
        last = [self._checksum] if self._filled else []
        checksums = [*self._checksums, *last]
        return {"dtype": self._dtype.str, "length": self._length, "checksums": checksums}
