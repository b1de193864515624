"""Protobuf messages of requests, and the models that they name."""

from typing import Any, TypeVar

from google.protobuf.message import DecodeError, Message

from textapps.savedmodel.errors import BadInput
from textapps.serving.exchange import Scope
from textapps.serving.model_version import ModelVersion
from textapps.serving.repository import Repository

T = TypeVar("T", bound=Message)


def parse(kind: type[T], body: bytes) -> T:
    """The message in a body. Raises BadInput if it is malformed."""
    try:
        return kind.FromString(body)  # type: ignore[no-any-return]
    except DecodeError:
        raise BadInput(f"the message is not a {kind.DESCRIPTOR.full_name}") from None


def check_spec(request: Any) -> None:
    """Raises BadInput unless the request has a `ModelSpec` that names a model."""
    if not request.HasField("model_spec"):
        raise BadInput("Missing ModelSpec")
    spec = request.model_spec
    if not spec.name:
        raise BadInput("ModelSpec has no name specified")
    if spec.WhichOneof("version_choice") == "version_label":
        raise BadInput(
            f"model '{spec.name[:200]}' has no version label '{spec.version_label[:200]}'"
        )


def find(repository: Repository, scope: Scope, request: Any) -> ModelVersion:
    """The version that the `ModelSpec` of a request names, left in the scope for the log.

    Raises BadInput if it names none, NotFound if there is no such one.
    """
    check_spec(request)
    spec = request.model_spec
    version = repository.find(spec.name, spec.version.value if spec.HasField("version") else None)
    scope["served"] = (version.name, str(version.version))
    return version
