"""Text files, plain or gzipped: line by line, or as a whole."""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from textapps.core.errors import DataError
from textapps.core.notices import notice
from textapps.datasets.source import Defect, Report

# What a UTF-16 or UTF-32 file begins with. UTF-32 is first, because UTF-16's mark begins its own.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
PIECE_BYTES = 1 << 22
_OTHER_ENCODING = "not {}; name another with --encoding"


def read_lines(
    path: Path, report: Report, encoding: str | None = None
) -> Iterator[tuple[int, str]]:
    """Line numbers from 1, and lines without line ends; a byte order mark is dropped.

    Only LF and CRLF end a line: texts contain U+0085 and U+2028, where `str.splitlines` would cut.
    Undecodable bytes and NULs are reported; if `report` returns, the line contains U+FFFD in
    place of the bytes. DataError if the file cannot be read.

    Without `encoding` a file that begins with the byte order mark of UTF-16 or UTF-32 is read as
    such, with a notice, and any other as UTF-8. No other encoding can be told with certainty.
    """
    with opened(path) as stream:
        yield from lines_of(stream, str(path), report, encoding)


def lines_of(
    stream: BinaryIO, name: str, report: Report, encoding: str | None = None
) -> Iterator[tuple[int, str]]:
    """The same for a stream, which messages call `name`."""
    start = stream.readline()
    encoding = encoding or _marked(start, name)
    lines: Iterable[str | bytes] = _chained(start, stream)
    if encoding and not is_utf_8(encoding):
        source = cast(BinaryIO, _Rest(start, stream))
        lines = io.TextIOWrapper(source, encoding, errors="replace", newline="\n")
    for number, raw in enumerate(_until_refused(lines, name, report, encoding), 1):
        place = f"{name}:{number}"
        if isinstance(raw, bytes):
            line = decode(raw, place, report, first=number == 1)
        else:
            line = _checked(raw, place, report, encoding, first=number == 1)
        yield number, line.removesuffix("\n").removesuffix("\r")


def _until_refused(
    lines: Iterable[str | bytes], name: str, report: Report, encoding: str | None
) -> Iterator[str | bytes]:
    """The lines, up to where a codec refuses more, as UTF-16 without a byte order mark."""
    try:
        yield from lines
    except UnicodeError:
        report(_refused(name, encoding))


def read_text(path: Path, report: Report, encoding: str | None = None) -> str:
    """The whole text without a byte order mark, with LF for CRLF; otherwise as `read_lines`."""
    with opened(path) as stream:
        return text_of(stream.read(), str(path), report, encoding)


def read_pieces(path: Path, report: Report, encoding: str | None = None) -> Iterator[str]:
    """The same text in pieces of whole lines, of about 4 MB or of one line that is longer."""
    with opened(path) as stream:
        start = stream.readline()
        encoding = encoding or _marked(start, str(path))
        if encoding and not is_utf_8(encoding):
            rest = cast(BinaryIO, _Rest(start, stream))
            texts = io.TextIOWrapper(rest, encoding, errors="replace", newline="\n")
            first = True
            while lines := _decoded(texts, path, report, encoding):
                text = _checked("".join(lines), str(path), report, encoding, first=first)
                yield text.replace("\r\n", "\n")
                first = False
            return
        done, raw = 0, start + b"".join(stream.readlines(PIECE_BYTES))
        while raw:
            yield decode(raw, str(path), report, first=not done, done=done).replace("\r\n", "\n")
            done += len(raw)
            raw = b"".join(stream.readlines(PIECE_BYTES))


def text_of(raw: bytes, place: str, report: Report, encoding: str | None = None) -> str:
    """The same for bytes from `place`."""
    encoding = encoding or _marked(raw, place)
    if encoding and not is_utf_8(encoding):
        text = _checked(raw.decode(encoding, "replace"), place, report, encoding, first=True)
    else:
        text = decode(raw, place, report)
    return text.replace("\r\n", "\n")


def decode(raw: bytes, place: str, report: Report, *, first: bool = True, done: int = 0) -> str:
    """Decode UTF-8. `first`: these bytes begin a file, so a byte order mark is dropped.

    `done` bytes of it were decoded before.
    """
    try:
        text = raw.decode("utf-8-sig" if first else "utf-8")
    except UnicodeDecodeError as error:
        byte = f"byte 0x{raw[error.start]:02x} at position {done + error.start + 1}"
        remedy = "save it as UTF-8, or name its encoding, as in --encoding cp1252"
        report(Defect(place, f"not UTF-8 ({byte}); {remedy}"))
        text = raw.decode(errors="replace")
    if "\0" in text:
        report(Defect(place, "a NUL character: UTF-16 or binary? save it as UTF-8 text"))
    return text


def is_utf_8(encoding: str) -> bool:
    """Whether this is a name of UTF-8, with or without a byte order mark.

    >>> is_utf_8("UTF8"), is_utf_8("cp1252")
    (True, False)
    """
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")


def check_encoding(encoding: str) -> str:
    """The name of an encoding of text; ValueError if Python knows none of this name.

    >>> check_encoding("Latin1")
    'Latin1'
    """
    try:
        "".encode(encoding)
    except (LookupError, UnicodeError):
        names = "utf-8, utf-16, cp1252, latin-1, gb18030, shift_jis"
        raise ValueError(f"unknown encoding, name one of Python's, such as {names}") from None
    return encoding


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


def _marked(start: bytes, name: str) -> str | None:
    """The encoding whose byte order mark begins a file, with a notice; None for UTF-8."""
    found = next((one for mark, one in _MARKS.items() if start.startswith(mark)), None)
    if found:
        notice("%s: read as %s, by its byte order mark", name, found.upper())
    return found


def _decoded(texts: io.TextIOWrapper, path: Path, report: Report, encoding: str) -> list[str]:
    """The next lines; none where a codec refuses more, as UTF-16 without a byte order mark."""
    try:
        return texts.readlines(PIECE_BYTES)
    except UnicodeError:
        report(_refused(str(path), encoding))
        return []


def _refused(place: str, encoding: str | None) -> Defect:
    return Defect(place, f"{_OTHER_ENCODING.format(encoding)}, such as {encoding}-le")


def _checked(text: str, place: str, report: Report, encoding: str | None, *, first: bool) -> str:
    """A decoded text; what could not be decoded, and NULs, are reported."""
    if "\ufffd" in text:
        report(Defect(place, _OTHER_ENCODING.format(encoding)))
    if "\0" in text:
        report(Defect(place, f"a NUL character: binary, or not {encoding}?"))
    return text.removeprefix("\ufeff") if first else text


def _chained(start: bytes, stream: BinaryIO) -> Iterator[bytes]:
    if start:
        yield start
        yield from stream


class _Rest(io.RawIOBase):
    """A stream after its first line was read, with this line before it."""

    def __init__(self, start: bytes, stream: BinaryIO) -> None:
        self._start = start
        self._stream = stream

    def readable(self) -> bool:
        return True

    def read1(self, size: int = -1) -> bytes:
        start, self._start = self._start, b""
        return start or self._stream.readline()

    def read(self, size: int | None = -1) -> bytes:
        return self.read1()
