"""Limits of the size and the speed of a model."""

import re
from typing import NamedTuple

from textapps.core.errors import ConfigurationError

BYTES = 4  # of a weight in float32
_UNITS = {"B": 1.0, "KB": 1e3, "MB": 1e6, "GB": 1e9}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMG]?B?)", re.IGNORECASE)


class Limits(NamedTuple):
    """What a model may be at most; None for no limit.

    megabytes: of its weights in float32.
    milliseconds: to answer one input.
    """

    megabytes: float | None = None
    milliseconds: float | None = None

    def fit(self, parameters: int, milliseconds: float | None) -> bool:
        """Whether a model is within them; a time that is not known is."""
        return (self.megabytes is None or megabytes(parameters) <= self.megabytes) and (
            self.milliseconds is None or milliseconds is None or milliseconds <= self.milliseconds
        )


def megabytes(parameters: int) -> float:
    """The size of so many weights in float32, in units of 10^6 bytes."""
    return BYTES * parameters / 1e6


def megabytes_of(text: str) -> float:
    """A size as an option gives it; ConfigurationError if it is none.

    >>> megabytes_of("2MB"), megabytes_of("500 kB"), megabytes_of("1.5gb")
    (2.0, 0.5, 1500.0)
    """
    match = _SIZE.fullmatch(text.strip())
    unit = match[2].upper() if match else ""
    unit = unit if unit in _UNITS else f"{unit}B"
    if match is None or not float(match[1]) or not match[2]:
        raise ConfigurationError(f"--max-size {text} is not a size, such as 2MB or 500kB")
    return float(match[1]) * _UNITS[unit] / 1e6
