"""UTF-8 text files, plain or gzipped: line by line, or as a whole."""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from textapps.core.errors import DataError
from textapps.datasets.source import Defect, Report


def read_lines(path: Path, report: Report) -> Iterator[tuple[int, str]]:
    """Line numbers from 1, and lines without line ends; a byte order mark is dropped.

    Only LF and CRLF end a line: texts contain U+0085 and U+2028, where `str.splitlines` would cut.
    Undecodable bytes and NULs are reported; if `report` returns, the line contains U+FFFD in
    place of the bytes. DataError if the file cannot be read.
    """
    with opened(path) as stream:
        yield from lines_of(stream, str(path), report)


def lines_of(stream: Iterable[bytes], name: str, report: Report) -> Iterator[tuple[int, str]]:
    """The same for a stream, which messages call `name`."""
    for number, raw in enumerate(stream, 1):
        line = decode(raw, f"{name}:{number}", report, first=number == 1)
        yield number, line.removesuffix("\n").removesuffix("\r")


def read_text(path: Path, report: Report) -> str:
    """The whole text without a byte order mark, with LF for CRLF; errors as in `read_lines`."""
    with opened(path) as stream:
        return decode(stream.read(), str(path), report).replace("\r\n", "\n")


def decode(raw: bytes, place: str, report: Report, *, first: bool = True) -> str:
    """Decode UTF-8. `first`: these bytes begin a file, so a byte order mark is dropped."""
    try:
        text = raw.decode("utf-8-sig" if first else "utf-8")
    except UnicodeDecodeError as error:
        byte = f"byte 0x{raw[error.start]:02x} at position {error.start + 1}"
        report(Defect(place, f"not UTF-8 ({byte}); save it as UTF-8"))
        text = raw.decode(errors="replace")
    if "\0" in text:
        report(Defect(place, "a NUL character: UTF-16 or binary? save it as UTF-8 text"))
    return text


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file, unpacked; DataError if opening or reading it fails."""
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as stream:
            yield cast(BinaryIO, stream)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: damaged or not gzip ({error}); fetch or pack it again") from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from None
