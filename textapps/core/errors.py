"""The errors that a user can cause, with the exit codes of the command line.

    TextappsError            1  any failure that one line can explain
    ├── ConfigurationError   2  a wrong option, key or value
    ├── DataError            3  missing, empty or corrupt data
    ├── DivergedError        4  a loss that became NaN or infinite
    ├── RunError             1  a run that is missing, damaged or of another task
    │   └── LockedError      1  a run that another process is training
    └── ExportError          1  an export that could not be written or verified

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
    """The loss became NaN or infinite in training."""

    exit_code = 4


class RunError(TextappsError):
    """A run directory that cannot be used as requested."""


class LockedError(RunError):
    """A run that another process is training."""


class ExportError(TextappsError):
    """An export that could not be written or failed verification."""


def unknown(kind: str, name: str, choices: Iterable[str]) -> str:
    """The message for a name that is not among `choices`; it suggests the closest one.

    >>> unknown("backbone", "gur", ["gru", "lstm"])
    "unknown backbone 'gur', choose from gru, lstm; did you mean 'gru'?"
    """
    names = list(choices)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return f"unknown {kind} '{name}', choose from {', '.join(names)}{hint}"
