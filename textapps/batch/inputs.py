"""Finds the files and the model that a user names."""

import glob
import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from textapps.batch.job import Job, shard_name
from textapps.core.errors import ConfigurationError, DataError, ExportError
from textapps.core.records import read_record
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
            raise DataError(f"--input {pattern}: no such file")
        found.update(dict.fromkeys(matches))
    for path in found:
        format_of(path, lines=True)
    return list(found)


def check_names(files: Sequence[Path], job: Job) -> None:
    """Checks that no two files share an output and that no output is an input.

    Raises:
        ConfigurationError: one of them does.
    """
    by_name: dict[str, Path] = {}
    inputs = {path.resolve() for path in files}
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
    """The newest version in `named`, by default of the task's exports; or `named` itself.

    Raises:
        ExportError: there is none, or it has changed since it was exported.
        ConfigurationError: it is of another task.
    """
    folder = named or models_dir / "exported" / task
    directory = folder
    if not (folder / "saved_model.pb").is_file():
        versions = [
            path.parent
            for path in folder.glob("*/saved_model.pb")
            if path.parent.name.isascii() and path.parent.name.isdigit()
        ]
        if not versions:
            remedy = "export a run first with" if named is None else "name an export of"
            raise ExportError(
                f"no exported model in {folder}: {remedy} `textapps {task} export`"
                + (", or name one with --model" if named is None else "")
            )
        directory = max(versions, key=lambda path: int(path.name))
    if (directory / MANIFEST).is_file():
        exported = read_manifest(directory).task
        if exported != task:
            raise ConfigurationError(
                f"{directory} is an export of {exported}: use `textapps {exported} predict`"
            )
    return directory


def trained_column(directory: Path) -> str | None:
    """The column of inputs that a model was trained on, if its manifest names one."""
    manifest = directory / MANIFEST
    column: str | None = read_record(manifest).get("input_column") if manifest.is_file() else None
    return column or None


def model_sha256(directory: Path) -> str:
    """The sha256 of all files of a model but the manifest; equal for a copy in another place."""
    return hashlib.sha256(json.dumps(checksums(directory)).encode()).hexdigest()
