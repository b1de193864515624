"""The files of answers: JSON lines, or Parquet."""

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

from textapps.core.errors import DataError

JSON_LINES, PARQUET = "jsonl", "parquet"
FORMATS = {JSON_LINES: ".jsonl.gz", PARQUET: ".parquet"}
"""The extension of a file by its format."""


@contextmanager
def answers_file(file: BinaryIO, form: str, source: str) -> Iterator[Callable[[bytes], object]]:
    """A function that writes the answers to a window, given as JSON lines packed with gzip.

    In Parquet each window is a row group, and the columns are those of the first row. `source` is
    the file that is answered, for messages.

    Raises:
        DataError: a row has a column that the first one lacks, which Parquet cannot hold.
    """
    if form == JSON_LINES:
        yield file.write
        return
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    writer: ParquetWriter | None = None

    def opened(schema: pa.Schema) -> ParquetWriter:
        return ParquetWriter(file, schema)

    def write(good: bytes) -> None:
        nonlocal writer
        rows = [json.loads(line) for line in gzip.decompress(good).splitlines()]
        if not rows:
            return
        writer = writer or opened(pa.Table.from_pylist(rows[:1]).schema)
        known = set(writer.schema.names)
        for row in rows:
            if more := row.keys() - known:
                raise DataError(
                    f"{source}: row {row['index']} has a column that the first one lacks, "
                    f"'{min(more)}', which Parquet cannot hold: use --output-format jsonl, into "
                    "another folder"
                )
        writer.write_table(pa.Table.from_pylist(rows, writer.schema))

    try:
        yield write
    finally:
        (writer or opened(pa.schema({"index": pa.int64(), "input": pa.string()}))).close()
