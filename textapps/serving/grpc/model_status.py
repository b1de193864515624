"""tensorflow.serving.ModelService."""

import grpc
from tensorflow.core.protobuf import error_codes_pb2
from tensorflow_serving.apis import get_model_status_pb2

from textapps.serving.errors import NotFound
from textapps.serving.exchange import Scope
from textapps.serving.grpc.calls import Method
from textapps.serving.grpc.messages import check_spec, parse
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
        check_spec(request)
        spec = request.model_spec
        statuses = self._repository.statuses(spec.name)
        if spec.HasField("version"):
            statuses = [status for status in statuses if status.version == spec.version.value]
            if not statuses:
                raise NotFound(f"model '{spec.name[:200]}' has no version {spec.version.value}")
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
