"""How a user narrows the space of a search: `--set KEY=LOW..HIGH` and `--set KEY=A,B`."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from textapps.core.config import Flags
from textapps.core.errors import ConfigurationError, unknown
from textapps.core.keys import Key
from textapps.search.dimension import Value

_RANGE = re.compile(r"(?P<low>[^.\s].*?)\s*\.\.\s*(?P<high>[^.\s].*)")
# Sections whose values do not say what the model is and how it is trained, and keys with which
# trials could not be compared.
_NOT_SEARCHED = ("data", "start", "decoding", "detection", "export", "preset", "random_seed")
_METRIC = "training.monitor"
START = "start.init_from"  # of its section, a list of this key is searched
_STARTS = re.compile(r"\s*(none|pretrained:[^,]+)(,\s*(none|pretrained:[^,]+)\s*)+")

FEW = 32
_SWITCH = {"true": True, "false": False}


class Narrowed(NamedTuple):
    """What a user has said of a key: from one number to another, or one of some values."""

    low: float | int | None = None
    high: float | int | None = None
    choices: tuple[Value, ...] = ()

    @property
    def samples(self) -> tuple[object, ...]:
        """Values that must all be possible: the choices, the ends, or each of a few numbers.

        >>> Narrowed(2, 4).samples, Narrowed(0.5, 4.0).samples
        ((2, 3, 4), (0.5, 4.0))
        """
        low, high = self.low, self.high
        if isinstance(low, int) and isinstance(high, int) and high - low < FEW:
            return tuple(range(low, high + 1))
        return self.choices or (low, high)


def narrowed(flags: Flags, keys: Mapping[str, Key]) -> tuple[Flags, dict[str, Narrowed]]:
    """The flags that set one value, and what the others narrow, by dotted key.

    Raises:
        ConfigurationError: a range or a list that is none, or is of a key that is not searched.
    """
    fixed, ranges = Flags(None, flags.options), dict[str, Narrowed]()
    for name, value in flags.items():
        found = None
        if isinstance(value, str) and _is_searched(name, value):
            found = _narrowed(name, value, keys.get(name))
        if found is None:
            fixed[name] = value
        else:
            ranges[name] = found
    return fixed, ranges


def excluded(key: str, preset: object, told: str) -> ConfigurationError:
    """The error for values of a key among which that of the preset is missing."""
    return ConfigurationError(
        f"{key} = {told} excludes the preset, which has {preset} and is the first trial: include "
        "it, or choose another preset"
    )


def is_list_of_starts(text: str) -> bool:
    """Whether it is a list of models of the package, and not the name of one or of a run."""
    return _STARTS.fullmatch(text) is not None


def _is_searched(name: str, text: str) -> bool:
    if name == START:  # other text is the path of a run
        return is_list_of_starts(text)
    return name != _METRIC and name.partition(".")[0] not in _NOT_SEARCHED


def _narrowed(name: str, text: str, key: Key | None) -> Narrowed | None:
    """None if the text is one value, or is for the configuration to refuse."""
    if key is None or key.kind is tuple:
        return None
    if match := _RANGE.fullmatch(text.strip()):
        if key.kind not in (int, float) or key.choices:
            raise ConfigurationError(
                f"{name} = {text}: a range needs numbers; list the values to try, such as "
                f"--set {name}={','.join(key.choices[:2]) or 'A,B'}"
            )
        low, high = (_number(name, text, part, key.kind) for part in match.group("low", "high"))
        if low >= high:
            raise ConfigurationError(
                f"{name} = {text}: the range is empty; write the smaller number first, or "
                f"{name}={match['low']} for one value"
            )
        return Narrowed(low=low, high=high)
    if ".." in text and key.kind in (int, float):
        raise ConfigurationError(
            f"{name} = {text}: a range has a number at each end, as in "
            f"{name}={'8..64' if key.kind is int else '1e-4..1e-2'}"
        )
    if "," not in text:
        return None
    parts = [part.strip() for part in text.split(",") if part.strip()]
    choices = tuple(_SWITCH) if key.kind is bool else key.choices
    if not parts:
        raise ConfigurationError(
            f"{name} = {text}: the list is empty; give the values to try, such as "
            f"--set {name}={','.join(choices[:2]) or 'A,B'}"
        )
    if choices:
        for part in parts:
            if part not in choices:
                raise ConfigurationError(f"{name}: {unknown('value', part, choices)}")
    if key.kind is bool:
        return Narrowed(choices=tuple(dict.fromkeys(_SWITCH[part] for part in parts)))
    if key.kind in (int, float):
        values = (_number(name, text, part, key.kind) for part in parts)
        return Narrowed(choices=tuple(dict.fromkeys(values)))
    return Narrowed(choices=tuple(dict.fromkeys(parts)))


def _number(name: str, text: str, part: str, kind: type) -> int | float:
    try:
        return int(part) if kind is int else float(part)
    except ValueError:
        noun = "whole numbers" if kind is int else "numbers"
        raise ConfigurationError(
            f"{name} = {text}: '{part}' is not one of the {noun} that it takes, as in "
            f"{name}={'8..64' if kind is int else '1e-4..1e-2'}"
        ) from None
