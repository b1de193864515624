"""Protobuf messages of requests, and the models that they name.

It imports neither TensorFlow nor pydantic, because reader_process.py uses it too.
"""

import sys
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Literal, NamedTuple, TypeVar

from google.protobuf.message import DecodeError, Message

from textapps.savedmodel.errors import BadInput

T = TypeVar("T", bound=Message)


# Those with tensors or examples, whose messages may be large.
Inferring = Literal["Predict", "Classify", "Regress"]


class MessageKind(NamedTuple):
    """The method that a message is for, and how many bytes its tensors may take."""

    method: Inferring
    most_bytes: int


class Target(NamedTuple):
    """The model that a request is for, and its version; None for the newest."""

    model: str
    version: int | None


def parse(kind: type[T], body: bytes) -> T:
    """The message in a body. Raises BadInput if it is malformed."""
    try:
        return kind.FromString(body)  # type: ignore[no-any-return]
    except DecodeError:
        raise BadInput(f"the message is not a {kind.DESCRIPTOR.full_name}") from None


def target_of(request: Any) -> Target:
    """What the `ModelSpec` of a request names. Raises BadInput if it names no model."""
    if not request.HasField("model_spec"):
        raise BadInput("Missing ModelSpec")
    spec = request.model_spec
    if not spec.name:
        raise BadInput("ModelSpec has no name specified")
    if spec.WhichOneof("version_choice") == "version_label":
        label = spec.version_label[:200]
        raise BadInput(f"model '{spec.name[:200]}' has no version label '{label}'")
    return Target(spec.name, spec.version.value if spec.HasField("version") else None)


def import_messages_alone() -> None:
    """Lets TensorFlow's messages be imported without TensorFlow, of which they use nothing.

    For processes that need only these: TensorFlow takes seconds, and 600 MB.
    """
    package = find_spec("tensorflow")
    if "tensorflow" not in sys.modules and package is not None:
        bare = ModuleType("tensorflow")
        bare.__path__ = list(package.submodule_search_locations or ())
        sys.modules["tensorflow"] = bare
