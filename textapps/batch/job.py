"""What to answer with which model, and which files are finished."""

import json
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from textapps.batch.model import Answered
from textapps.core.errors import DataError
from textapps.core.files import file_aside, write_file
from textapps.datasets.formats.registry import name_of
from textapps.datasets.formats.rows import Reading

FORMAT = 1
_USUAL = Reading()


@dataclass(frozen=True)
class Record:
    """The result of one file; `broken` says why it could not be read to its end."""

    rows: int
    bad_rows: int
    broken: str
    long_rows: int = 0


@dataclass(frozen=True)
class Job:
    """One model, one way to read files, and one folder of answers.

        part-00000.jsonl.gz             a line for each good row, in order
        bad/part-00000.jsonl.gz         a line for each bad row; no file where there are none
        manifest/part-00000.jsonl.gz.json   what the two were made from, written last

    Models with the same `model_sha256` give the same answers.
    """

    model: Path
    model_sha256: str
    kind: str
    column: str | None
    batch_size: int
    output: Path
    reading: Reading = _USUAL

    @property
    def folders(self) -> tuple[Path, Path, Path]:
        """The folders of answers, bad rows and manifests."""
        return self.output, self.output / "bad", self.output / "manifest"

    def paths(self, source: Path) -> tuple[Path, Path, Path]:
        """The files in `folders` that are made from one source."""
        answers, bad, manifest = self.folders
        name = shard_name(source)
        return answers / name, bad / name, manifest / f"{name}.json"

    def finished(self, source: Path) -> Record | None:
        """The record of a source that is finished and has not changed since; otherwise None."""
        record = self.record(source)
        answers, bad, _ = self.paths(source)
        there = answers.exists() and (bad.exists() or not (record and record.bad_rows))
        return record if record and there and not record.broken else None

    def record(self, source: Path) -> Record | None:
        """The record of a source, if it has not changed since it was read."""
        try:
            fields = json.loads(self.paths(source)[2].read_bytes())
            if fields.pop("made_from") == self._made_from(source):
                return Record(**fields)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass  # none, or of another kind: then it is made anew
        return None

    def write(self, source: Path, windows: Iterable[Answered]) -> Record:
        """Write all answers to a source, or none; earlier ones are removed first.

        For a file that cannot be read to its end, only a record is written.
        """
        answers, bad, manifest = self.paths(source)
        made_from = self._made_from(source)  # before it is read: a change since then must tell
        for path in (manifest, answers, bad):
            path.unlink(missing_ok=True)
        rows = bad_rows = long_rows = 0
        broken = ""
        try:
            with ExitStack() as stack:
                good_file = stack.enter_context(file_aside(answers))
                bad_file = None
                for window in windows:
                    if window.broken:
                        raise DataError(window.broken)
                    rows, bad_rows = rows + window.rows, bad_rows + window.bad_rows
                    long_rows += window.long_rows
                    good_file.write(window.good)
                    if window.bad:
                        bad_file = bad_file or stack.enter_context(file_aside(bad))
                        bad_file.write(window.bad)
        except DataError as error:
            broken = str(error)
        record = Record(rows, bad_rows, broken, long_rows)
        fields = {"made_from": made_from, **asdict(record)}
        write_file(manifest, json.dumps(fields, indent=2) + "\n")
        return record

    def _made_from(self, source: Path) -> dict[str, Any]:
        stat = source.stat()
        names = ("encoding", "delimiter", "sheet", "trained_column")
        given = {name: value for name in names if (value := getattr(self.reading, name))}
        return {
            "format": FORMAT,
            "file": source.name,
            "bytes": stat.st_size,
            "modified_ns": stat.st_mtime_ns,
            "model_sha256": self.model_sha256,
            "column": self.column,
            "batch_size": self.batch_size,
            **given,
        }


def shard_name(source: Path) -> str:
    """
    >>> shard_name(Path("in/part-00000.csv.gz"))
    'part-00000.jsonl.gz'
    """
    return f"{name_of(source)}.jsonl.gz"
