"""The errors of the server, every message one line that may be shown to a client.

ServingError
├── DirectoryError     the directory to serve is missing or is not one of models
├── NotFound           no such model or version
├── BadInput           a signature that is not there, or inputs that it does not take
├── QueueFull          too many requests wait: try again later
├── DeadlineExceeded   no answer in time
└── ModelFailed        the model could not answer, through no fault of the inputs
"""

import re


class ServingError(Exception):
    """Base of all expected errors of the server."""


class DirectoryError(ServingError):
    """The directory to serve is missing, or is not a directory of models."""


class NotFound(ServingError):
    """No such model, or no such version of it."""


class BadInput(ServingError):
    """A signature that does not exist, or inputs that it does not take."""


class QueueFull(ServingError):
    """As many requests wait as are allowed to."""


class DeadlineExceeded(ServingError):
    """The answer did not come in time; a call that has not begun is dropped."""


class ModelFailed(ServingError):
    """The model raised something that is not a complaint about its inputs."""


def explain(error: Exception) -> str:
    """What TensorFlow says, on one line: of a graph the last, behind the node and its stack.

    >>> explain(ValueError("Graph execution error:\\n\\nDetected at node a\\ntoo long [Op:f]"))
    'too long'
    >>> explain(OSError("no such file\\nYou may be trying to load it elsewhere"))
    'no such file'
    """
    said = [re.sub(r"\[\[\{\{.*|\[Op:.*", "", line).strip() for line in str(error).splitlines()]
    lines = [line for line in said if line] or [type(error).__name__]
    return lines[-1 if lines[0].startswith("Graph execution error") else 0][:300]
