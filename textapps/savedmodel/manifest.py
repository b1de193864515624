"""assets.extra/textapps.json: what an export is, so that it can be served without the package."""

import hashlib
import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from textapps.core.config import Section
from textapps.core.errors import ExportError

MANIFEST = "assets.extra/textapps.json"
FORMAT = 1


def _installed_versions() -> dict[str, str]:
    """The versions an export was made with."""
    packages = {name: version(name) for name in ("textapps", "tensorflow", "keras")}
    return packages | {"python": platform.python_version()}


class TensorInfo(Section):
    """Data type (TensorFlow's name) and shape of a tensor, null where a size is dynamic."""

    dtype: str
    shape: tuple[int | None, ...]


class Signature(Section):
    """The named inputs and outputs of one SavedModel signature."""

    inputs: dict[str, TensorInfo]
    outputs: dict[str, TensorInfo]


class Manifest(Section):
    """Format 1 of the manifest.

    `labels` stand in the order of the columns of `scores`, `state` lists the leaves of a `step`
    signature in order, and a metric without a value (an area under the curve of one class) is
    null. `sha256` covers every file of the export but the manifest.
    """

    format: Literal[1] = 1
    task: str
    name: str
    backbone: str
    preset: str
    labels: tuple[str, ...] = ()
    sample_rate_hz: int | None = None
    signatures: dict[str, Signature]
    state: tuple[str, ...] = ()
    decoding: dict[str, bool | int | float | str | None] = Field(default_factory=dict)
    metrics: dict[str, int | float | None] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=_installed_versions)
    sha256: dict[str, str]

    def write(self, directory: Path) -> None:
        """Write the manifest into the SavedModel `directory`."""
        path = directory / MANIFEST
        path.parent.mkdir(exist_ok=True)
        path.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")


def checksums(directory: Path) -> dict[str, str]:
    """Path within `directory` → sha256 in hexadecimal, of every file but the manifest."""
    names = sorted(
        path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()
    )
    return {name: _sha256(directory / name) for name in names if name != MANIFEST}


def read_manifest(directory: Path | str) -> Manifest:
    """The manifest of an export, after comparing every file it lists with its checksum.

    Raises ExportError where the manifest is missing, damaged or of another format, and where a
    file is missing or has changed.
    """
    path = Path(directory) / MANIFEST
    try:
        fields = json.loads(path.read_bytes())
    except OSError as error:
        raise ExportError(
            f"{directory} is not an export of textapps: cannot read {MANIFEST} ({error.strerror})"
        ) from error
    except ValueError as error:
        raise ExportError(f"{path} is damaged ({error}): export the run again") from error
    found = fields.get("format") if isinstance(fields, dict) else None
    if found != FORMAT:
        raise ExportError(
            f"{path} has format {found!r}, this version of textapps reads format {FORMAT}: "
            "use the version that wrote it, or export the run again"
        )
    try:
        manifest = Manifest.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise ExportError(
            f"{path} is damaged ({key}: {first['msg']}): export the run again"
        ) from error
    for name, expected in manifest.sha256.items():
        try:
            actual = _sha256(Path(directory) / name)
        except OSError as error:
            raise ExportError(
                f"{directory} lacks {name} ({error.strerror}): copy or export it again"
            ) from error
        if actual != expected:
            raise ExportError(
                f"{directory}/{name} has changed since it was exported (sha256 {actual[:12]}…, "
                f"manifest {expected[:12]}…): copy or export it again"
            )
    return manifest


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
