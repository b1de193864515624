"""Parquet: typed columns in compressed blocks of rows."""

from pathlib import Path

from textapps.core.errors import DataError
from textapps.datasets.formats.json_lines import cell_of
from textapps.datasets.formats.lines import decode, opened
from textapps.datasets.formats.rows import Cells, Reading, Row, Rows
from textapps.datasets.source import Defect

_BATCH = 1_000  # rows in memory at a time


def read_parquet(path: Path, reading: Reading) -> Rows:
    """The file itself says how to read it, so `reading` is ignored. DataError if it is damaged."""
    import pyarrow
    import pyarrow.parquet

    number = 0
    with opened(path) as stream:
        try:
            for batch in pyarrow.parquet.ParquetFile(stream).iter_batches(_BATCH):
                for values in batch.to_pylist():
                    number += 1
                    yield _row(path, number, values)
        except (pyarrow.ArrowException, OSError, ValueError) as error:
            cause = str(error).splitlines()[0]
            raise DataError(f"{path}: damaged or not Parquet ({cause}); write it again") from None


def _row(path: Path, number: int, values: dict[str, object]) -> Row[Cells]:
    defects: list[Defect] = []
    cells = {}
    for column, value in values.items():
        # Some writers store text as bytes.
        raw = value if isinstance(value, bytes) else cell_of(value).encode()
        cells[column] = decode(raw, f"{path}:{number}", defects.append, first=False)
    return Row(number, cells, tuple(defects))
