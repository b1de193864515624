"""UTF-8 lines of a file, plain or gzip, with the number of each."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from textapps.core.errors import DataError
from textapps.datasets.source import Defect, Report


def read_lines(path: Path, report: Report) -> Iterator[tuple[int, str]]:
    r"""Line numbers from 1 on and lines without their end; a byte order mark is dropped.

    Only LF and CRLF end a line: texts hold U+0085 and U+2028, at which `str.splitlines` would cut.
    Undecodable bytes and NULs are reported; where `report` returns, the line comes with
    replacement characters. DataError where the file cannot be read at all.
    """
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as stream:
            for number, raw in enumerate(stream, 1):
                line = decode(raw, f"{path}:{number}", report, first=number == 1)
                yield number, line.removesuffix("\n").removesuffix("\r")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: damaged or not gzip ({error}); fetch or pack it again") from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from None


def decode(raw: bytes, place: str, report: Report, *, first: bool = True) -> str:
    """The text of UTF-8 bytes, without a byte order mark where they are the first of a file."""
    try:
        text = raw.decode("utf-8-sig" if first else "utf-8")
    except UnicodeDecodeError as error:
        byte = f"byte 0x{raw[error.start]:02x} at position {error.start + 1}"
        report(Defect(place, f"not UTF-8 ({byte}); save it as UTF-8"))
        text = raw.decode(errors="replace")
    if "\0" in text:
        report(Defect(place, "a NUL character: UTF-16 or binary? save it as UTF-8 text"))
    return text
