"""Strict, frozen configuration sections, and the precedence of their sources.

A value comes from the first of these that sets it: a flag, the environment
(`TEXTAPPS_TRAINING__BATCH_SIZE=32`), the file given by `--config`, the preset.
Keys are dotted: `training.batch_size`.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import tomli_w
from pydantic import BaseModel, ConfigDict, ValidationError

from textapps.core.config_errors import alternatives, known_key, message, section_of
from textapps.core.errors import ConfigurationError

FORMAT = 1  # of every TOML file that textapps writes; a newer one is refused
ENVIRONMENT_PREFIX = "TEXTAPPS_"


class Section(BaseModel):
    """A section of config.toml: immutable; an unknown key is an error.

    A run that starts from the weights of another may differ from it in the keys named in FREE, and
    in those named in GROWING if its vocabulary is extended. Presets set the keys named in
    FROM_NOTHING only for runs that start from no other.
    """

    FREE: ClassVar[tuple[str, ...]] = ()
    GROWING: ClassVar[tuple[str, ...]] = ()
    FROM_NOTHING: ClassVar[tuple[str, ...]] = ()

    # A column may be named 3, and `--set data.label_column=3` is parsed as TOML.
    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)


S = TypeVar("S", bound=Section)


class Flags(dict[str, object]):
    """Values by dotted key, with the option that set each one, for messages."""

    def __init__(
        self, values: Mapping[str, object] | None = None, options: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(values or {})
        self.options = dict(options or {})


def resolve(
    model: type[S],
    *,
    preset: Mapping[str, object] | None = None,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> S:
    """The configuration from flags, environment, file and preset, in this precedence.

    A flag that is None was not given. Text from flags and environment is converted to the type of
    its key; a file must have the right types. "none" stands for None, which TOML cannot express,
    if the key allows None but not free text. Raises a one-line ConfigurationError for an unknown
    key, a wrong type and a value out of range.

    >>> class Training(Section):
    ...     epochs: int = 3
    >>> class Config(Section):
    ...     training: Training = Training()
    >>> resolve(Config, preset={"training.epochs": 5}, environ={"TEXTAPPS_TRAINING__EPOCHS": "7"})
    Config(training=Training(epochs=7))
    """
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    for layer in (
        _from_preset(model, preset or {}),
        _from_file(model, file),
        _from_environment(model, environ or {}),
        _from_flags(model, flags or {}),
    ):
        for key, value, origin in layer:
            values[key], origins[key] = value, origin
    try:
        return model.model_validate(_nest(values))
    except ValidationError as error:
        raise ConfigurationError(message(model, error.errors()[0], origins)) from None


def lookup(
    key: str,
    *,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> object:
    """The value of one dotted key without a model; None if nothing sets it.

    It is for the keys that select the preset and are therefore needed before `resolve`: the
    preset's name and the backbone.
    """
    value = _inside(flags or {}, key)
    if value is None:
        value = (environ or {}).get(environment_name(key)) or None
    if value is None and file is not None:
        value = _inside(read_toml(file), key)
    return value


def _inside(values: Mapping[str, object], key: str) -> object:
    """The value of a dotted key, each part of which may be a table; None if there is none.

    >>> _inside({"a": {"b.c": 1}}, "a.b.c"), _inside({"a.b": {"c": None}}, "a.b.c")
    (1, None)
    """
    if values.get(key) is not None:
        return values[key]
    for name, inner in values.items():
        if isinstance(inner, Mapping) and key.startswith(f"{name}."):
            found = _inside(inner, key.removeprefix(f"{name}."))
            if found is not None:
                return found
    return None


def environment_name(key: str) -> str:
    """The environment variable of a dotted key.

    >>> environment_name("training.batch_size")
    'TEXTAPPS_TRAINING__BATCH_SIZE'
    """
    return ENVIRONMENT_PREFIX + key.upper().replace(".", "__")


def parse_setting(text: str) -> tuple[str, object]:
    """Key and value of `--set key=value`; the value is TOML, or text if it is a bare word.

    >>> parse_setting("training.batch_size=32"), parse_setting("training.schedule=linear")
    (('training.batch_size', 32), ('training.schedule', 'linear'))
    """
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ConfigurationError(
            f"--set {text} does not have the form KEY=VALUE, such as training.batch_size=32"
        )
    try:
        parsed: object = tomllib.loads(f"value = {value}\n")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value.strip()
    return key.strip(), parsed


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file without its `format`; ConfigurationError if it is newer."""
    try:
        values = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not valid TOML: {error}") from error
    version = values.pop("format", FORMAT)
    if type(version) is not int or version < 1:
        raise ConfigurationError(f"{path} has format {version!r}; it should be {FORMAT}")
    if version > FORMAT:
        raise ConfigurationError(
            f"{path} has format {version}, this version of textapps reads {FORMAT}: "
            "install a newer textapps"
        )
    return values


def load_toml(path: Path, model: type[S]) -> S:
    """The section written to `path` by `dump_toml`."""
    return resolve(model, file=path)


def dump_toml(config: Section) -> str:
    """The section as TOML, format first; a None that is the default is omitted.

    >>> class Training(Section):
    ...     epochs: int = 3
    ...     max_seconds: float | None = 60.0
    >>> print(dump_toml(Training(max_seconds=None)), end="")
    format = 1
    epochs = 3
    max_seconds = "none"
    """
    values = _writable(config)
    return tomli_w.dumps({"format": FORMAT, **values})


def _writable(config: Section) -> dict[str, object]:
    values: dict[str, object] = {}
    plain = config.model_dump(mode="json")
    for key, field in type(config).model_fields.items():
        value = getattr(config, key)
        if isinstance(value, Section):
            values[key] = _writable(value)
        elif value is not None:
            values[key] = plain[key]
        elif field.is_required() or field.get_default(call_default_factory=True) is not None:
            values[key] = "none"
    return values


Layer = Iterator[tuple[str, object, str]]  # dotted key, value, where it came from


def _from_preset(model: type[Section], preset: Mapping[str, object]) -> Layer:
    for key, value in _flatten(model, preset):
        yield key, value, "in the preset"


def _from_file(model: type[Section], file: Path | None) -> Layer:
    if file is None:
        return
    origin = f"in {file}"
    leaves = dict(_flatten(model, read_toml(file)))
    try:
        # Strict as JSON is: a list may stand for a tuple, but text not for a number.
        model.model_validate_json(json.dumps(_nest(leaves), default=str), strict=True)
    except ValidationError as error:
        # An error in a key that the file does not set may be fixed by a flag.
        for problem in error.errors():
            if known_key(model, problem["loc"]) in leaves:
                text = message(model, problem, dict.fromkeys(leaves, origin))
                raise ConfigurationError(text) from None
    for key, value in leaves.items():
        yield key, value, origin


def _from_environment(model: type[Section], environ: Mapping[str, str]) -> Layer:
    for name in sorted(environ):
        parts = name.removeprefix(ENVIRONMENT_PREFIX).lower().split("__")
        if name != environment_name(".".join(parts)) or parts[0] not in model.model_fields:
            continue
        if environ[name] == "":  # treated as not set
            continue
        if section_of(model, parts[0]) is not None and len(parts) == 1:
            raise ConfigurationError(
                f"environment variable {name} names a section, not a key in it: use {name}__KEY"
            )
        for key, value in _flatten(model, _nest({".".join(parts): environ[name]})):
            yield key, value, f"from environment variable {name}"


def _from_flags(model: type[Section], flags: Mapping[str, object]) -> Layer:
    options = flags.options if isinstance(flags, Flags) else {}
    for key, value in flags.items():
        if value is None:
            continue
        option = options.get(key, "--" + key.rpartition(".")[2].replace("_", "-"))
        for leaf, part in _flatten(model, _nest({key: value})):
            yield leaf, part, f"from {option}"


def _flatten(
    model: type[BaseModel] | None, values: Mapping[str, object], prefix: str = ""
) -> Iterator[tuple[str, object]]:
    """Dotted keys and values; a table is a value if the model has no section of its name."""
    for key, value in values.items():
        inner = section_of(model, key)
        if inner is not None and isinstance(value, Mapping):
            yield from _flatten(inner, value, f"{prefix}{key}.")
        elif value == "none" and model is not None and _admits_only_none(model, key):
            yield prefix + key, None
        else:
            yield prefix + key, value


def _nest(values: Mapping[str, object]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for key, value in values.items():
        table = nested
        *outer, last = key.split(".")
        for part in outer:
            inner = table.setdefault(part, {})
            if not isinstance(inner, dict):
                raise ConfigurationError(f"'{part}' is a value, so it cannot have the key '{key}'")
            table = inner
        table[last] = value
    return nested


def _admits_only_none(model: type[BaseModel], key: str) -> bool:
    field = model.model_fields.get(key)
    kinds = alternatives(field.annotation) if field is not None else ()
    return type(None) in kinds and str not in kinds
