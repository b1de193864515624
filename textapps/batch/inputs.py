"""Finds the files and the model that a user names."""

import glob
import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from textapps.batch.job import Job, Source, shard_name
from textapps.batch.remote import is_remote
from textapps.core.errors import ConfigurationError, DataError, ExportError
from textapps.core.notices import notice
from textapps.core.records import RecordError, read_record
from textapps.datasets.formats.registry import format_of
from textapps.savedmodel.manifest import MANIFEST, checksums, read_manifest


def find_files(patterns: Iterable[str]) -> list[Path]:
    """The files that glob patterns match, each once: pattern by pattern, then by name.

    Raises:
        DataError: a pattern matches nothing, or a file of an unknown format.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        named = [pattern] if Path(pattern).is_file() else glob.glob(pattern, recursive=True)  # noqa: PTH207 - absolute too
        matches = sorted(filter(Path.is_file, map(Path, named)))
        if not matches:
            only_spark = "; URIs need --runner spark" if is_remote(pattern) else ""
            raise DataError(f"--input {pattern}: no such file{only_spark}")
        found.update(dict.fromkeys(matches))
    for path in found:
        format_of(path, lines=True)
    return list(found)


def check_names(files: Sequence[Source], job: Job) -> None:
    """Checks that no two files share an output and that no output is an input.

    Raises:
        ConfigurationError: one of them does.
    """
    by_name: dict[str, Source] = {}
    inputs = {path.resolve() for path in files if isinstance(path, Path)}
    for path in files:
        name = shard_name(path)
        if name in by_name:
            raise ConfigurationError(
                f"{by_name[name]} and {path} would both be answered in {name}: rename one, or "
                "answer them in two calls with different --output"
            )
        by_name[name] = path
        for output in job.paths(path):
            if output.resolve() in inputs:
                raise ConfigurationError(
                    f"--output would replace the input {output}: name another folder"
                )


def find_model(task: str, models_dir: Path, named: Path | None) -> Path:
    """The newest version in `named`, or `named` itself.

    By default, of the export that is called like the task, or else of the task's only export, with
    a notice.

    Raises:
        ExportError: there is none, or it has changed since it was exported.
        ConfigurationError: it is of another task, or there are several by other names.
    """
    folder = named or models_dir / "exported" / task
    directory = folder if (folder / "saved_model.pb").is_file() else _newest(folder)
    if directory is None and named is not None:
        raise ExportError(
            f"no exported model in {folder}: name an export of `textapps {task} export`"
        )
    if directory is None:
        directory = _only(task, folder)
        notice("answers come from %s", directory)
    if (directory / MANIFEST).is_file():
        exported = read_manifest(directory).task
        if exported != task:
            raise ConfigurationError(
                f"{directory} is an export of {exported}: use `textapps {exported} predict`"
            )
    return directory


def _newest(folder: Path) -> Path | None:
    versions = [
        path.parent
        for path in folder.glob("*/saved_model.pb")
        if path.parent.name.isascii() and path.parent.name.isdigit()
    ]
    return max(versions, key=lambda path: int(path.name), default=None)


def _only(task: str, usual: Path) -> Path:
    """The newest version of the only export of the task, whose name is not the usual one."""
    newest = [one for folder in sorted(usual.parent.glob("*")) if (one := _newest(folder))]
    own = [one for one in newest if _field(one, "task") == task]
    if len(own) > 1:
        raise ConfigurationError(
            f"no export is called '{task}', and there are {len(own)} of the task: name one with "
            f"--model: {', '.join(str(one.parent) for one in own)}"
        )
    if not own:
        raise ExportError(
            f"no exported model in {usual}: export a run first with `textapps {task} export`, or "
            "name one with --model"
        )
    return own[0]


def _field(directory: Path, name: str) -> str | None:
    """A field of the manifest, unchecked; None if there is none."""
    try:
        value: str | None = read_record(directory / MANIFEST).get(name)
    except (OSError, RecordError):
        return None
    return value


def trained_column(directory: Path) -> str | None:
    """The column of inputs that a model was trained on, if its manifest names one."""
    return _field(directory, "input_column") or None


def model_sha256(directory: Path) -> str:
    """The sha256 of all files of a model but the manifest; equal for a copy in another place."""
    return hashlib.sha256(json.dumps(checksums(directory)).encode()).hexdigest()
