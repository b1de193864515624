"""What the fields of a configuration say of themselves.

Command-line options, environment variables, the space that `search` looks through, and the tables
in docs/ are made of it.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from textapps.core.config import environment_name
from textapps.core.config_errors import alternatives, section_of


@dataclass(frozen=True)
class Option:
    """Gives a field an option of its own: `units: Annotated[int, Option("--units")]`.

    A field without one is set by `--set section.key=value`.

    name: the option; "--a/--no-a" for a flag that can be negated
    metavar: stands for the value in --help
    noun: what a choice is called in error messages; by default the option without its dashes
    choices: its values, where the type of the field does not name them
    commands: those that take the option
    multiple: whether it may be given several times; the field takes all values as a tuple
    """

    name: str
    metavar: str | None = None
    noun: str | None = None
    choices: tuple[str, ...] = ()
    commands: tuple[str, ...] = ("train",)
    multiple: bool = False


class Options(dict[str, Option]):
    """Gives fields of a shared section an option in this configuration alone."""

    def __init__(self, **options: Option) -> None:
        super().__init__(options)


@dataclass(frozen=True, kw_only=True)
class Search:
    """Lets `textapps TASK search` vary a field: `units: Annotated[int, Search(times=(0.5, 2))]`.

    One of the three says which values are tried. The preset's value always is one of them.

    times: from so many times the preset's value to so many times, on a logarithmic scale
    between: from one number to another
    among: these
    multiple: integers are rounded to a multiple of it
    cost: the time of a training grows about with this power of the value
    with_start: whether it may differ from that of a run to start from, as all keys of training may
    needs: another key, without whose value it has no effect; "" for none
    soon: one of these that is tried right after the preset, with the preset's other values
    """

    times: tuple[float, float] | None = None
    between: tuple[float, float] | None = None
    among: tuple[str | float | bool, ...] = ()
    multiple: int = 1
    cost: float = 0.0
    with_start: bool = False
    needs: str = ""
    soon: str | float | bool | None = None


@dataclass(frozen=True)
class Key:
    """A dotted key of a configuration, such as training.batch_size.

    kind: the type of its value: bool, int, float, str or tuple
    choices: all values, where they are named
    limits: its range in words, "" for none
    default: its value where nothing sets it, None for none
    """

    name: str
    kind: type
    choices: tuple[str, ...]
    limits: str
    default: object
    description: str
    option: Option | None
    search: Search | None = None

    @property
    def environment(self) -> str:
        """The environment variable that sets it."""
        return environment_name(self.name)

    @property
    def default_text(self) -> str:
        """The default as --set takes it, "" for None."""
        if self.default is None:
            return ""
        if isinstance(self.default, str):
            return self.default
        if isinstance(self.default, float):
            return f"{self.default:g}"
        return json.dumps(self.default)


def keys_of(model: type[BaseModel], prefix: str = "") -> Iterator[Key]:
    """All keys of a configuration in their order, those of its sections included.

    >>> from typing import Annotated
    >>> from pydantic import Field
    >>> from textapps.core.config import Section
    >>> class Training(Section):
    ...     epochs: Annotated[int, Option("--epochs")] = Field(3, ge=1, description="Passes.")
    >>> class Config(Section):
    ...     training: Training = Training()
    >>> (key,) = keys_of(Config)
    >>> key.name, key.limits, key.environment, key.option.name
    ('training.epochs', 'at least 1', 'TEXTAPPS_TRAINING__EPOCHS', '--epochs')
    """
    return _keys(model, prefix, Options())


def _keys(model: type[BaseModel], prefix: str, added: Options) -> Iterator[Key]:
    for name, field in model.model_fields.items():
        section = section_of(model, name)
        if section is not None:
            yield from _keys(section, f"{prefix}{name}.", _found(field, Options) or Options())
            continue
        annotation = next(kind for kind in alternatives(field.annotation) if kind is not type(None))
        option = added.get(name) or _found(field, Option)
        choices = get_args(annotation) if get_origin(annotation) is Literal else ()
        kind: Any = str if choices else get_origin(annotation) or annotation
        yield Key(
            name=prefix + name,
            kind=kind,
            choices=choices or (option.choices if option else ()),
            limits=_limits_each(annotation) if kind is tuple else _limits(field.metadata),
            default=field.get_default(call_default_factory=True),
            description=field.description or "",
            option=option,
            search=_found(field, Search),
        )


T = TypeVar("T")


def _found(field: FieldInfo, kind: type[T]) -> T | None:
    return next((each for each in field.metadata if isinstance(each, kind)), None)


def _limits_each(annotation: Any) -> str:
    """The limits of the items of `tuple[Annotated[int, Field(…)], ...]`."""
    item, *_ = get_args(annotation)
    fields = (each for each in get_args(item) if isinstance(each, FieldInfo))
    limits = _limits([each for field in fields for each in field.metadata])
    return f"each {limits}" if limits else ""


def _limits(metadata: Iterable[object]) -> str:
    """
    >>> from annotated_types import Ge, Gt, Le, Lt
    >>> _limits([Ge(1), Le(65536)]), _limits([Gt(0), Lt(1)]), _limits([Ge(0), Lt(7)])
    ('1 to 65,536', 'above 0, below 1', 'at least 0, below 7')
    """
    bounds = {
        name: f"{getattr(each, name):,}"
        for each in metadata
        for name in ("ge", "gt", "le", "lt")
        if hasattr(each, name)
    }
    if "ge" in bounds and "le" in bounds:
        return f"{bounds['ge']} to {bounds['le']}"
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    return ", ".join(f"{words[name]} {bound}" for name, bound in bounds.items())
