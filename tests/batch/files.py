"""Input files made row by row, good rows and bad ones, and what stands in files of answers."""

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

FORMATS = (".jsonl", ".csv", ".tsv", ".txt", ".parquet")
BAD_BYTES = b"\xfe\xfe"

# No line ends and no tabs, which only some formats can hold; U+0085 and U+2028 end no line.
texts = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\0\r\n\t"), max_size=12
)
# A text, or which of the ways to be bad; a TSV or JSON line without anything is no row.
rows = st.lists(st.one_of(texts, st.sampled_from([0, 1, 2])), max_size=25)


def encoded(suffix: str, given: list[str | int]) -> bytes:
    """A file with these rows, with a column `text`."""
    if suffix == ".parquet":
        cells = [BAD_BYTES if isinstance(row, int) else row.encode() for row in given]
        sink = io.BytesIO()
        pq.write_table(
            pa.table({"id": range(len(cells)), "text": pa.array(cells, pa.binary())}), sink
        )
        return sink.getvalue()
    lines = [_line(suffix, row) for row in given]
    header = {".csv": b"text,id\n", ".tsv": b"text\tid\n"}.get(suffix, b"")
    return header + b"".join(lines)


def _line(suffix: str, row: str | int) -> bytes:
    if suffix == ".txt":
        return (BAD_BYTES if isinstance(row, int) else row.encode()) + b"\n"
    if isinstance(row, int):
        return {
            ".jsonl": [b"{oops\n", b'["text"]\n', b'{"text": "' + BAD_BYTES + b'"}\n'],
            ".csv": [b"one,2,3\n", b'"two\n' + BAD_BYTES + b'\nlines",7,8\n', BAD_BYTES + b",1\n"],
            ".tsv": [b"one\n", b"a\tb\tc" + BAD_BYTES + b"\n", BAD_BYTES + b"\t1\n"],
        }[suffix][row]
    if suffix == ".jsonl":
        return json.dumps({"id": 1, "text": row}).encode() + b"\n"
    if suffix == ".tsv":
        return f"{row}\t1\n".encode()
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerow([row, 1])
    return written.getvalue().encode()


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def read(path: Path) -> list[dict[str, Any]]:
    """The lines of a file of answers."""
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file in a folder, hidden ones too."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
