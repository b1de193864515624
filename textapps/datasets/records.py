"""Reading single records of a TFRecord file."""

import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from textapps.core.errors import DataError

# A record is stored as its length and a checksum of 4 bytes, then the data and a checksum.
_HEADER_BYTES, _FOOTER_BYTES = 12, 4


class Record(NamedTuple):
    """The place of a record, and the CRC-32 of its data when TensorFlow had verified them."""

    path: Path
    start: int
    end: int
    crc32: int

    def read(self) -> bytes:
        """The data; DataError, which names the file, if they have changed since."""
        try:
            with self.path.open("rb") as stream:
                stream.seek(self.start)
                data = stream.read(self.end - self.start)
        except OSError as error:
            raise damaged(self.path, error.strerror or error) from None
        if zlib.crc32(data) != self.crc32:
            raise damaged(self.path, f"the record at byte {self.start} has changed")
        return data


def locate(path: Path, data: Iterable[bytes], previous: Record | None) -> Iterator[Record]:
    """The places of records, given their data, after `previous` or from the file's start."""
    end = previous.end + _FOOTER_BYTES if previous else 0
    for one in data:
        start = end + _HEADER_BYTES
        yield Record(path, start, start + len(one), zlib.crc32(one))
        end = start + len(one) + _FOOTER_BYTES


def damaged(path: Path, error: object) -> DataError:
    """The error for a file that cannot be read."""
    cause = str(error).splitlines()[0]
    return DataError(f"{path}: damaged ({cause}); prepare the set again")
