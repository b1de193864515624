"""One entry of the cache: a folder of arrays, and a record that says what they are."""

import os
import random
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textapps.cache.mapped import MappedArray
from textapps.core.errors import TextappsError
from textapps.core.records import RecordError, read_record

RECORD = "entry.json"
_CHECKED = 16
"""Blocks of each file that are checked when it is opened: all of a small one."""


class EntryError(TextappsError):
    """An entry that is damaged; the message says how."""


class Entry:
    """An entry that is there and has not been changed since it was written.

    All files are mapped at once, so that the entry can be used even after it has been removed.
    Opening checks the sizes of all files, and the checksums of 64 MB of each.

    Attributes:
        directory: its folder.
        fields: what the record says besides the arrays.
        arrays: by name.

    Raises:
        OSError: there is none.
        EntryError: it is damaged.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        try:
            record = read_record(directory / RECORD)
            self.fields: dict[str, Any] = record["fields"]
            self.arrays = {
                name: _opened(directory / name, known) for name, known in record["arrays"].items()
            }
        except FileNotFoundError:
            if directory.exists() and (directory / RECORD).exists():
                raise EntryError("a file is missing") from None
            raise
        except (RecordError, KeyError, TypeError, ValueError) as error:
            raise EntryError(str(error)) from None
        with suppress(OSError):  # a folder that can only be read
            os.utime(directory / RECORD)  # when it was used last

    def values(self, name: str) -> NDArray[Any]:
        """A whole array in memory."""
        return self.arrays[name][:]


def _opened(path: Path, known: Mapping[str, Any]) -> MappedArray:
    size = path.stat().st_size
    if size != known["length"] * np.dtype(known["dtype"]).itemsize:
        raise EntryError(f"{path.name} has {size:,} bytes")
    array = MappedArray(path, known["dtype"])
    blocks = list(range(len(known["checksums"])))
    if len(blocks) > _CHECKED:
        blocks = [0, blocks[-1], *random.sample(blocks[1:-1], _CHECKED - 2)]
    if array.checksums(blocks) != [known["checksums"][block] for block in blocks]:
        raise EntryError(f"{path.name} has another checksum")
    return array
