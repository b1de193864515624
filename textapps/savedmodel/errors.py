"""What can go wrong when a SavedModel is called; every message may be shown to a client.

TextappsError
├── BadInput       a signature that does not exist, or inputs that it does not take
└── ModelFailed    the model could not answer, through no fault of the inputs
"""

import re

from textapps.core.errors import TextappsError

# Names of nodes and functions of the graph, and how TensorFlow numbers several errors.
_NODES = re.compile(
    r"\{\{(?:function_)?node [^}]*\}\}|\[Op:.*|\S*__inference_\S*|^\s*\(\d+\) [A-Z_]+:"
)
_ASSERTION = re.compile(r"assertion failed: (?:\[\] )*\[([^\]]+)\]")
_PATH = re.compile(r"(?<![\w/.])/(?:[^\s/:;,'\"\])]+/)+([^\s/:;,'\"\])]*)")


class BadInput(TextappsError):
    """A signature that does not exist, or inputs that it does not take."""


class ModelFailed(TextappsError):
    """The model raised something that is not a complaint about its inputs."""


def explain(error: Exception) -> str:
    """What TensorFlow says, on one line without the names of nodes.

    An error in a graph says first where the node was defined, then what is wrong, then `[[node]]`
    and sometimes a hint. Any other error says on its first line what is wrong. An assertion that
    failed has a message and then names and values of tensors.

    >>> explain(ValueError("Graph execution error:\\n\\nDetected at node a\\ntoo long [Op:f]"))
    'too long'
    >>> explain(ValueError("assertion failed: [] [too long] [x (x:0) = ] [5]"))
    'too long'
    >>> explain(OSError("no such file\\nYou may be trying to load it elsewhere"))
    'no such file'
    """
    said, *_ = str(error).split("[[{{")
    in_graph = said.startswith("Graph execution error")
    lines = [line for line in map(_without_nodes, said.splitlines()) if line]
    line = (lines or [type(error).__name__])[-1 if in_graph else 0]
    assertion = _ASSERTION.match(line)
    return (assertion[1].replace("\\'", "'") if assertion else line)[:300]


def for_clients(message: str) -> str:
    """A message without the server's paths, of which the last part stays.

    >>> for_clients("failed to find any matching files for /srv/models/m/1/variables/variables")
    'failed to find any matching files for variables'
    >>> for_clients("either/or: 1/2 is not of tensorflow/serving/predict")
    'either/or: 1/2 is not of tensorflow/serving/predict'
    """
    return _PATH.sub(lambda found: found[1], message)


def _without_nodes(line: str) -> str:
    return _NODES.sub("", line).strip()
