"""What can go wrong when a SavedModel is asked; every message may be shown to a client.

TextappsError
├── BadInput       a signature that does not exist, or inputs that it does not take
└── ModelFailed    the model could not answer, through no fault of the inputs
"""

import re

from textapps.core.errors import TextappsError


class BadInput(TextappsError):
    """A signature that does not exist, or inputs that it does not take."""


class ModelFailed(TextappsError):
    """The model raised something that is not a complaint about its inputs."""


def explain(error: Exception) -> str:
    """What TensorFlow says, on one line without the names of nodes.

    The cause stands first, or last where TensorFlow puts the node and its stack before it.

    >>> explain(ValueError("Graph execution error:\\n\\nDetected at node a\\ntoo long [Op:f]"))
    'too long'
    >>> explain(OSError("no such file\\nYou may be trying to load it elsewhere"))
    'no such file'
    """
    said = [re.sub(r"\[\[\{\{.*|\[Op:.*", "", line).strip() for line in str(error).splitlines()]
    lines = [line for line in said if line] or [type(error).__name__]
    return lines[-1 if lines[0].startswith("Graph execution error") else 0][:300]
