"""tensorflow.serving.ModelService."""

import grpc
from tensorflow.core.protobuf import error_codes_pb2
from tensorflow_serving.apis import get_model_status_pb2

from textapps.serving.errors import NotFound
from textapps.serving.exchange import Scope
from textapps.serving.grpc.calls import Method
from textapps.serving.grpc.messages import parse, target_of
from textapps.serving.grpc.rejection import Rejection
from textapps.serving.repository import Repository

_SERVICE = "/tensorflow.serving.ModelService/"


class ModelStatus:
    """GetModelStatus; HandleReloadConfigRequest is refused."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    @property
    def methods(self) -> dict[str, Method]:
        """Path → method."""
        return {
            _SERVICE + "GetModelStatus": self._status,
            _SERVICE + "HandleReloadConfigRequest": self._reload,
        }

    async def _status(self, scope: Scope, body: bytes) -> bytes:
        request = parse(get_model_status_pb2.GetModelStatusRequest, body)
        model, version = target_of(request)
        statuses = self._repository.statuses(model)
        if version is not None:
            statuses = [status for status in statuses if status.version == version]
            if not statuses:
                raise NotFound(f"model '{model[:200]}' has no version {version}")
        answer = get_model_status_pb2.GetModelStatusResponse()
        for status in statuses:
            answer.model_version_status.add(
                version=status.version,
                state=status.state,
                status={
                    "error_code": error_codes_pb2.Code.Value(status.error_code),
                    "error_message": status.message,
                },
            )
        return answer.SerializeToString()  # type: ignore[no-any-return]

    async def _reload(self, scope: Scope, body: bytes) -> bytes:
        raise Rejection(
            grpc.StatusCode.UNIMPLEMENTED,
            "the models are those in the directory that is served; add or remove them there",
        )
