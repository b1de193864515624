"""textapps.json: what an export is, so that it can be used without this package."""

import hashlib
import json
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, JsonValue, PositiveInt, ValidationError, model_validator

from textapps.core.config import Section
from textapps.core.errors import ExportError
from textapps.core.files import write_file
from textapps.core.records import FormatError, RecordError, read_record, sha256_of
from textapps.savedmodel.limits import CallLimits

MANIFEST = "assets.extra/textapps.json"  # of a SavedModel
LITE_MANIFEST = "textapps.json"  # of a directory of LiteRT files
_CHECKSUM = "checksum"
_SERVED = {"limits", "rows_independent", "compiled", "examples", "input_column"}
_LITE = {"clip_samples", "chunk_samples", "files", "evaluated_on", "accuracy", "int8_against_float"}


class TensorInfo(Section):
    """Data type (TensorFlow's name) and shape of a tensor.

    None stands for a dynamic size, and for a shape whose rank is unknown.
    """

    dtype: str
    shape: tuple[int | None, ...] | None

    @classmethod
    def of(cls, tensor: Any) -> Self:
        """Of a TensorFlow tensor or `TensorSpec`."""
        shape = tensor.shape
        return cls(
            dtype=tensor.dtype.name, shape=None if shape.rank is None else tuple(shape.as_list())
        )

    @property
    def batched(self) -> bool:
        """Whether the first dimension is a batch of any size."""
        return self.shape is not None and self.shape[:1] == (None,)


class SignatureInfo(Section):
    """The named inputs and outputs of one SavedModel signature."""

    inputs: dict[str, TensorInfo]
    outputs: dict[str, TensorInfo]


class CompiledForm(Section):
    """A `signature` that answers as another one does, but for rounding, and that XLA compiles.

    XLA compiles it anew, in seconds, for each number of rows. With any of `rows` it is the faster
    one of the two.
    """

    signature: str
    rows: tuple[PositiveInt, ...]


class Example(Section):
    """A row for people to try: `inputs` of `serving_default` as a request has them, and the outputs
    that are `expected`."""

    inputs: dict[str, str | dict[str, str]]
    expected: dict[str, str] = Field(default_factory=dict)


class LiteFile(Section):
    """One LiteRT file: its name, its size, and the median time for one clip on one core.

    For a file that takes chunks it is the time for all chunks of a clip.
    """

    file: str
    bytes: int
    milliseconds_per_clip: float


class EvaluatedOn(Section):
    """The examples on which LiteRT files were compared with their run."""

    data: str
    split: str
    examples: int


def _installed_versions() -> dict[str, str]:
    """The versions that an export is made with."""
    packages = {name: version(name) for name in ("textapps", "tensorflow", "keras")}
    return packages | {"python": platform.python_version()}


class Manifest(Section):
    """Format 1 of the manifest, of a SavedModel with `signatures` or of LiteRT `files`.

    `labels` stand in the order of the columns of `scores`, `state` lists the leaves of a `step`
    signature in order, and a metric without a value (an area under the curve of one class) is
    null. `data` is the name of the data set, `exported` the time of the export in UTC (ISO 8601),
    both "" in earlier exports; `input_column` is the column of inputs that training was told to
    read, "" if it was found by its name. `examples` come from the validation split. `options` says
    what a request for a generated text may contain: name → JSON schema with range, default and
    description. `limits` has the limits of the calls of each signature.
    `compiled` names, for signatures that have one, the form that XLA compiles.
    `rows_independent` says that no row affects the answer to another, so requests may share a call.
    `sha256` covers every file of the export except the manifest, whose own checksum stands in it as
    `checksum`.

    LiteRT files, "float" and "int8", take one clip of `clip_samples`; those of a streaming model,
    "step_float" and "step_int8", a chunk of `chunk_samples` and the leaves of `state`. Where the
    test split was at hand, `accuracy` gives that of the run and of both files of clips on the
    examples of `evaluated_on`, and `int8_against_float` counts on how many of them both files, one
    or none was right. The file for TensorFlow Lite Micro is "int8" alone; it takes the features of
    a clip, and is compared with the run.
    """

    format: Literal[1] = 1
    task: str
    name: str
    backbone: str
    preset: str
    labels: tuple[str, ...] = ()
    sample_rate_hz: int | None = None
    signatures: dict[str, SignatureInfo] = Field(default_factory=dict)
    limits: dict[str, CallLimits] = Field(default_factory=dict)
    rows_independent: bool = True
    compiled: dict[str, CompiledForm] = Field(default_factory=dict)
    state: tuple[str, ...] = ()
    decoding: dict[str, bool | int | float | str | None] = Field(default_factory=dict)
    options: dict[str, dict[str, JsonValue]] = Field(default_factory=dict)
    data: str = ""
    exported: str = ""
    input_column: str = ""
    examples: tuple[Example, ...] = ()
    metrics: dict[str, int | float | None] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=_installed_versions)
    sha256: dict[str, str]
    clip_samples: int | None = None
    chunk_samples: int | None = None
    files: dict[str, LiteFile] = Field(default_factory=dict)
    evaluated_on: EvaluatedOn | None = None
    accuracy: dict[str, float] = Field(default_factory=dict)
    int8_against_float: dict[str, int] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _describe_something(self) -> Self:
        if not self.signatures and not self.files:
            raise ValueError("it has neither signatures nor files")
        return self

    def write(self, directory: Path) -> None:
        """Writes the manifest into the directory of the export."""
        path = directory / (MANIFEST if self.signatures else LITE_MANIFEST)
        path.parent.mkdir(exist_ok=True)
        absent = _LITE if self.signatures else _SERVED
        fields = json.loads(self.model_dump_json(exclude=absent))
        fields[_CHECKSUM] = _checksum(fields)
        write_file(path, json.dumps(fields, indent=2, ensure_ascii=False) + "\n")


def checksums(directory: Path) -> dict[str, str]:
    """Path within `directory` → sha256 in hexadecimal, of every file except the manifest."""
    return {name: sha256_of(directory / name) for name in _files(directory)}


def added_files(directory: Path, manifest: Manifest) -> list[str]:
    """The paths within `directory` of the files that the export did not have."""
    return [name for name in _files(directory) if name not in manifest.sha256]


def _files(directory: Path) -> list[str]:
    """The paths within `directory` of every file except the manifest, in order."""
    names = (
        path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()
    )
    return sorted(name for name in names if name not in (MANIFEST, LITE_MANIFEST))


def read_manifest(directory: Path | str) -> Manifest:
    """The manifest of an export, after its checksums have been compared with it and its files.

    Raises ExportError where the manifest is missing, damaged or of another format, and where it or
    a file is missing or has changed.
    """
    directory = Path(directory)
    path = _path(directory)
    if path is None:
        raise ExportError(f"{directory} is not an export of textapps: it has no {MANIFEST}")
    fields = _read(path)
    try:
        manifest = Manifest.model_validate({k: v for k, v in fields.items() if k != _CHECKSUM})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "manifest"
        raise ExportError(
            f"{path} is damaged ({key}: {first['msg']}): export the run again"
        ) from error
    _verify(directory, path, fields)
    return manifest


def verified_fields(directory: Path) -> dict[str, Any]:
    """What a manifest says, its unknown keys too, after the same checks; {} if there is none.

    Raises ExportError as `read_manifest` does.
    """
    path = _path(directory)
    if path is None:
        return {}
    fields = _read(path)
    if not isinstance(fields.get("sha256"), dict):
        raise ExportError(f"{path} is damaged (it has no checksums): export the run again")
    _verify(directory, path, fields)
    return fields


def _path(directory: Path) -> Path | None:
    return next(
        (directory / m for m in (MANIFEST, LITE_MANIFEST) if (directory / m).exists()), None
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_record(path)
    except OSError as error:
        raise ExportError(f"cannot read {path} ({error.strerror})") from error
    except FormatError as error:
        raise ExportError(
            f"{error}: use the version that wrote it, or export the run again"
        ) from error
    except RecordError as error:
        raise ExportError(f"{error}: export the run again") from error


def _checksum(fields: Mapping[str, Any]) -> str:
    """The sha256 of a manifest without its checksum; earlier versions wrote none."""
    others = {key: value for key, value in fields.items() if key != _CHECKSUM}
    return hashlib.sha256(json.dumps(others, sort_keys=True).encode()).hexdigest()


def _verify(directory: Path, path: Path, fields: Mapping[str, Any]) -> None:
    if fields.get(_CHECKSUM, _checksum(fields)) != _checksum(fields):
        raise ExportError(f"{path} has changed since it was exported: copy or export it again")
    for name, expected in fields["sha256"].items():
        try:
            actual = sha256_of(directory / name)
        except OSError as error:
            raise ExportError(
                f"{directory} lacks {name} ({error.strerror}): copy or export it again"
            ) from error
        if actual != expected:
            raise ExportError(
                f"{directory}/{name} has changed since it was exported (sha256 {actual[:12]}…, "
                f"manifest {str(expected)[:12]}…): copy or export it again"
            )
