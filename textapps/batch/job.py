"""What to answer with which model, and which files are finished."""

import hashlib
import json
import shutil
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from textapps.batch.answers import FORMATS, JSON_LINES, answers_file
from textapps.batch.model import Answered
from textapps.core.errors import ConfigurationError, DataError
from textapps.core.files import file_aside, write_file
from textapps.datasets.formats.registry import name_of
from textapps.datasets.formats.rows import Reading

FORMAT = 1
_USUAL = Reading()
_OF_A_SOURCE = ("file", "bytes", "modified_ns")


class Stat(Protocol):
    """The size of a file and the time of its last modification."""

    @property
    def st_size(self) -> int: ...  # noqa: D102
    @property
    def st_mtime_ns(self) -> int: ...  # noqa: D102


class Source(Protocol):
    """A file to answer: a path, or a `Remote`."""

    @property
    def name(self) -> str: ...  # noqa: D102
    def stat(self) -> Stat: ...  # noqa: D102


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
        parts/part-00000.jsonl.gz/      what Spark has answered of an unfinished file, see Parts

    Models with the same `model_sha256` give the same answers. With `keep_columns` these repeat the
    other columns of their rows. `output_format` is a key of `answers.FORMATS`.
    """

    model: Path
    model_sha256: str
    kind: str
    column: str | None
    batch_size: int
    output: Path
    reading: Reading = _USUAL
    keep_columns: bool = False
    output_format: str = JSON_LINES

    @property
    def folders(self) -> tuple[Path, Path, Path]:
        """The folders of answers, bad rows and manifests."""
        return self.output, self.output / "bad", self.output / "manifest"

    def paths(self, source: Source) -> tuple[Path, Path, Path]:
        """The files in `folders` that are made from one source."""
        answers, bad, manifest = self.folders
        name = _name(source) + FORMATS[self.output_format]
        return answers / name, bad / shard_name(source), manifest / f"{name}.json"

    @property
    def parts_folder(self) -> Path:
        """The folder of the parts of unfinished files, of which Spark keeps some."""
        return self.output / "parts"

    def parts(self, source: Source) -> Path:
        """The folder for the parts of a source, which goes when the source is finished."""
        return self.parts_folder / shard_name(source)

    def key(self, source: Source) -> str:
        """16 hexadecimal digits: others for another model, or after the source has changed."""
        return hashlib.sha256(json.dumps(self._made_from(source)).encode()).hexdigest()[:16]

    def finished(self, source: Source) -> Record | None:
        """The record of a source that is finished and has not changed since; otherwise None."""
        record = self.record(source)
        answers, bad, _ = self.paths(source)
        there = answers.exists() and (bad.exists() or not (record and record.bad_rows))
        return record if record and there and not record.broken else None

    def record(self, source: Source) -> Record | None:
        """The record of a source, if it has not changed since it was read."""
        try:
            fields = json.loads(self.paths(source)[2].read_bytes())
            if fields.pop("made_from") == self._made_from(source):
                return Record(**fields)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass  # none, or of another kind: then it is made anew
        return None

    def write(self, source: Source, windows: Iterable[Answered]) -> Record:
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
                file = stack.enter_context(file_aside(answers))
                write_good = stack.enter_context(
                    answers_file(file, self.output_format, str(source))
                )
                bad_file = None
                for window in windows:
                    if window.broken:
                        raise DataError(window.broken)
                    rows, bad_rows = rows + window.rows, bad_rows + window.bad_rows
                    long_rows += window.long_rows
                    write_good(window.good)
                    if window.bad:
                        bad_file = bad_file or stack.enter_context(file_aside(bad))
                        bad_file.write(window.bad)
        except DataError as error:
            broken = str(error)
        record = Record(rows, bad_rows, broken, long_rows)
        fields = {"made_from": made_from, **asdict(record)}
        write_file(manifest, json.dumps(fields, indent=2) + "\n")
        shutil.rmtree(self.parts(source), ignore_errors=True)
        return record

    def check_folder(self) -> None:
        """Checks that whatever the folder of answers holds was made by the same job.

        Raises:
            ConfigurationError: the answers to some file were made with another model, column, …
        """
        for manifest in sorted(self.folders[2].glob("*.json")):
            try:
                made_from = json.loads(manifest.read_bytes())["made_from"]
                theirs = {name: made_from[name] for name in made_from.keys() - _OF_A_SOURCE}
            except (ValueError, KeyError, TypeError, AttributeError):
                continue  # no manifest: its file is answered anew
            if theirs != self._made_with:
                differing = min(name for name, _ in theirs.items() ^ self._made_with.items())
                raise ConfigurationError(
                    f"{self.output} has answers of another job ({differing} differs): name "
                    "another folder with --output, or delete this one"
                )

    @property
    def _made_with(self) -> dict[str, Any]:
        names = ("encoding", "delimiter", "sheet", "trained_column")
        given = {name: value for name in names if (value := getattr(self.reading, name))}
        if self.keep_columns:
            given["keep_columns"] = True
        if self.output_format != JSON_LINES:
            given["output_format"] = self.output_format
        return {
            "format": FORMAT,
            "model_sha256": self.model_sha256,
            "column": self.column,
            "batch_size": self.batch_size,
            **given,
        }

    def _made_from(self, source: Source) -> dict[str, Any]:
        stat = source.stat()
        of_source = (source.name, stat.st_size, stat.st_mtime_ns)
        named = dict(zip(_OF_A_SOURCE, of_source, strict=True))
        return {"format": FORMAT, **named, **self._made_with}


def shard_name(source: Source) -> str:
    """
    >>> shard_name(Path("in/part-00000.csv.gz"))
    'part-00000.jsonl.gz'
    """
    return f"{_name(source)}.jsonl.gz"


def _name(source: Source) -> str:
    return name_of(Path(source.name))
