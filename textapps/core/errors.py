"""The errors that a user can cause, each with the exit code of the command line.

    TextappsError            1  anything that failed and can be explained in one line
    ├── ConfigurationError   2  an option, key or value that is wrong
    ├── DataError            3  data that is missing, empty or corrupt
    ├── DivergedError        4  a loss that became NaN or infinite
    ├── RunError             1  a run directory that is missing, damaged, locked or of another task
    └── ExportError          1  an export that could not be made or verified

Every message is one line that names the cause and, where there is one, the remedy.
"""

import difflib
from collections.abc import Iterable


class TextappsError(Exception):
    """Base of all expected errors; `exit_code` is what the command line ends with."""

    exit_code = 1


class ConfigurationError(TextappsError):
    """A wrong option, configuration key or value."""

    exit_code = 2


class DataError(TextappsError):
    """Data that is missing, empty, undecodable or of the wrong shape."""

    exit_code = 3


class DivergedError(TextappsError):
    """Training met a loss that is not finite."""

    exit_code = 4


class RunError(TextappsError):
    """A run directory that cannot be used as asked."""


class ExportError(TextappsError):
    """An export that could not be written or did not verify."""


def unknown(kind: str, name: str, choices: Iterable[str]) -> str:
    """The message for a name that is none of `choices`, with the nearest one suggested.

    >>> unknown("backbone", "gur", ["gru", "lstm"])
    "unknown backbone 'gur', choose from gru, lstm; did you mean 'gru'?"
    """
    names = list(choices)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return f"unknown {kind} '{name}', choose from {', '.join(names)}{hint}"
