"""Records: JSON objects that begin with the number of their format.

A record is written aside, synchronised to disk and renamed, so that it is whole or absent. One
that stands beside a file and has its name, with the ending .json, holds the file's sha256.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textapps.core.errors import TextappsError
from textapps.core.files import write_file

FORMAT = 1


class RecordError(TextappsError):
    """A record or a described file that is not as it was written; the message names it."""


class FormatError(RecordError):
    """A record of another format than this version of textapps reads."""


def dump_record(fields: Mapping[str, Any], *, indent: int | None = None) -> str:
    """The JSON text of a record.

    >>> dump_record({"task": "speech"})
    '{"format": 1, "task": "speech"}\\n'
    """
    return json.dumps({"format": FORMAT, **fields}, ensure_ascii=False, indent=indent) + "\n"


def read_record(path: Path) -> dict[str, Any]:
    """The fields of a record, its format included.

    Raises:
        OSError: it cannot be read.
        RecordError: it is damaged.
        FormatError: it is of another format.
    """
    try:
        fields = json.loads(path.read_bytes())
    except ValueError as error:
        raise RecordError(f"{path} is damaged ({error})") from error
    if not isinstance(fields, dict) or "format" not in fields:
        raise RecordError(f"{path} is damaged (it has no format)")
    if fields["format"] != FORMAT:
        raise FormatError(
            f"{path} has format {fields['format']!r}, this version of textapps reads format "
            f"{FORMAT}"
        )
    return fields


def write_described(path: Path, content: str | bytes) -> None:
    """Writes a file (text as UTF-8), then the record of its sha256 beside it."""
    content = content.encode() if isinstance(content, str) else content
    write_file(path, content)
    checksum = hashlib.sha256(content).hexdigest()
    write_file(path.with_suffix(".json"), dump_record({"sha256": checksum}))


def read_described(path: Path) -> bytes:
    """The content of a file that `write_described` wrote.

    A file without a record is taken as it is: earlier versions wrote none.

    Raises:
        OSError: one of the two files cannot be read.
        RecordError: one of them is damaged, or the record is of another format.
    """
    content = path.read_bytes()
    beside = path.with_suffix(".json")
    if beside.exists() and read_record(beside).get("sha256") != hashlib.sha256(content).hexdigest():
        raise RecordError(f"{path} is not what was written: {beside.name} has another sha256")
    return content


def sha256_of(path: Path) -> str:
    """The sha256 of a file of any size, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
