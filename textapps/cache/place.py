"""The folder for what can be made again, and how much of it is kept."""

import os
from pathlib import Path

from textapps.core.errors import ConfigurationError

CACHE_VARIABLE = "TEXTAPPS_CACHE_DIR"
LIMIT_VARIABLE = "TEXTAPPS_CACHE_GB"
LIMIT_GB = 50.0
FROM_VARIABLE = "TEXTAPPS_CACHE_FROM_MB"
FROM_MB = 250.0


def cache_dir() -> Path:
    """TEXTAPPS_CACHE_DIR, else textapps/ in XDG_CACHE_HOME, else in ~/.cache; existing or not."""
    if own := os.environ.get(CACHE_VARIABLE):
        return Path(own).expanduser()
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The specification says that a relative path is to be ignored.
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "textapps"


def limit_bytes() -> int:
    """How large the entries may be together: TEXTAPPS_CACHE_GB, else 50 GB.

    Raises:
        ConfigurationError: the variable is not a number, or below 0.
    """
    return int(_number(LIMIT_VARIABLE, LIMIT_GB) * 1e9)


def kept_from_bytes() -> int:
    """How large data must be to be kept there: TEXTAPPS_CACHE_FROM_MB, else 250 MB.

    Smaller data are held in memory, which takes no disk.

    Raises:
        ConfigurationError: the variable is not a number, or below 0.
    """
    return int(_number(FROM_VARIABLE, FROM_MB) * 1e6)


def _number(variable: str, default: float) -> float:
    given = os.environ.get(variable) or default
    try:
        number = float(given)
        if not 0 <= number < float("inf"):
            raise ValueError
    except ValueError:
        raise ConfigurationError(
            f"{variable} is '{given}': write a number from 0 on, such as {default:g}"
        ) from None
    return number
