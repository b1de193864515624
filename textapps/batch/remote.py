"""Input files that only Spark can read, such as those of HDFS and S3."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from textapps.batch.spark_errors import first_sentence
from textapps.core.errors import DataError
from textapps.datasets.formats.registry import format_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_SLASHES = re.compile(":/+")  # file:///a is file:/a
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+:/", re.IGNORECASE)
MOST_BYTES = 256 << 20  # of one file, which a worker holds as a whole
_COLUMNS = ("path", "length", "unix_micros(modificationTime) * 1000 AS modified_ns")


@dataclass(frozen=True)
class Remote:
    """A file by its URI, with what Spark's listing says of it; a `Source` of a job."""

    uri: str
    st_size: int
    st_mtime_ns: int

    @property
    def name(self) -> str:
        """The last part of the URI."""
        return self.uri.rpartition("/")[2]

    def stat(self) -> "Remote":
        """As of the listing."""
        return self

    def __str__(self) -> str:
        return self.uri


def is_remote(pattern: str) -> bool:
    """Whether this is a URI, and no path.

    >>> is_remote("hdfs://host/part-*.csv"), is_remote("file:/a"), is_remote("a:b/c")
    (True, True, False)
    """
    return _SCHEME.match(pattern) is not None


def find_remote(session: "SparkSession", patterns: list[str]) -> list[Remote]:
    """The files that patterns match, by name, each once.

    Raises:
        DataError: a pattern matches nothing or cannot be listed, or a file is of an unknown format
            or larger than 256 MB.
    """
    found: dict[str, Remote] = {}
    for pattern in patterns:
        try:
            frame = _binary(session, [pattern])
            listed = [Remote(*row) for row in frame.selectExpr(*_COLUMNS).collect()]
            # Spark gives no row for an empty file.
            named = {_SLASHES.sub(":/", unquote(name)): name for name in frame.inputFiles()}
            full = {_SLASHES.sub(":/", one.uri) for one in listed}
            listed += [Remote(named[name], 0, 0) for name in named.keys() - full]
        except Exception as error:
            reason = first_sentence(str(error))
            raise DataError(f"--input {pattern}: cannot be listed ({reason})") from error
        for remote in sorted(listed, key=str):
            found[remote.uri] = remote
            format_of(Path(remote.name), lines=True)
            if remote.st_size > MOST_BYTES:
                raise DataError(
                    f"{remote}: larger than {MOST_BYTES >> 20} MB, which a worker cannot hold; "
                    "divide it, or give it by a path that all workers see"
                )
    return list(found.values())


def contents(session: "SparkSession", files: list[Remote]) -> "DataFrame":
    """A row for each file that is not empty: URI, size, time of modification and bytes, as now."""
    found = _binary(session, [file.uri for file in files])
    return found.selectExpr("path AS file", *_COLUMNS[1:], "content")


def _binary(session: "SparkSession", paths: list[str]) -> "DataFrame":
    return session.read.format("binaryFile").load(paths)
