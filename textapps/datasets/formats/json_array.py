"""JSON: an array of objects."""

import json
from pathlib import Path

from textapps.core.errors import DataError
from textapps.datasets.formats.json_lines import cells_of, read_json_lines
from textapps.datasets.formats.lines import read_text
from textapps.datasets.formats.rows import Reading, Row, Rows
from textapps.datasets.source import Defect, stop


def read_json(path: Path, reading: Reading) -> Rows:
    """The objects of an array, numbered from 1; the whole file is in memory.

    A file that does not begin with `[` is read as JSON lines. DataError if it is not JSON.
    """
    text = read_text(path, stop, reading.encoding)
    if not text.lstrip().startswith("["):
        yield from read_json_lines(path, reading)
        return
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not JSON ({error})") from None
    for number, row in enumerate(rows, 1):
        cells, wrong = cells_of(row)
        yield Row(number, cells, [Defect(f"{path}:{number}", wrong)] if wrong else ())
