"""The errors of the server beside those of savedmodel; every message may be shown to a client.

ServingError
├── DirectoryError     the directory to serve is missing or is not one of models
├── NotFound           no such model or version
├── QueueFull          too many requests wait: try again later
└── DeadlineExceeded   no answer in time
"""

from textapps.core.errors import DataError, TextappsError
from textapps.savedmodel.errors import BadInput


class ServingError(TextappsError):
    """Base of the server's own errors."""


class DirectoryError(ServingError):
    """The directory to serve is missing, or is not a directory of models."""

    exit_code = DataError.exit_code


class NotFound(ServingError):
    """No such model, or no such version of it."""


class QueueFull(ServingError):
    """As many requests wait as may."""


class DeadlineExceeded(ServingError):
    """The answer did not come in time; a call that has not begun is dropped."""


# What a client can do something about: no failure of the server or of a model.
EXPECTED = (BadInput, NotFound, QueueFull, DeadlineExceeded)
