"""grpc.health.v1.Health: whether the server and its models are ready."""

import asyncio

from grpc_health.v1 import health_pb2

from textapps.serving.errors import NotFound
from textapps.serving.exchange import Scope
from textapps.serving.grpc.calls import Method, Stream, Write
from textapps.serving.grpc.messages import parse
from textapps.serving.repository import Repository

_SERVICE = "/grpc.health.v1.Health/"
# What a client may ask for to hear about the whole server.
_WHOLE = ("", "tensorflow.serving.PredictionService", "tensorflow.serving.ModelService")


class Health:
    """Check and Watch, of the server or of a model by its name."""

    def __init__(self, repository: Repository, poll_seconds: float) -> None:
        """Those who watch hear of a change within `poll_seconds`."""
        self._repository = repository
        self._poll_seconds = poll_seconds
        self._stopping = asyncio.Event()

    @property
    def methods(self) -> dict[str, Method]:
        """Path → method."""
        return {_SERVICE + "Check": self._check}

    @property
    def streams(self) -> dict[str, Stream]:
        """Path → method with several answers."""
        return {_SERVICE + "Watch": self._watch}

    def stop(self) -> None:
        """Nothing is ready any more."""
        self._stopping.set()

    def _of(self, service: str) -> str:
        state = self._repository.states().get(service)
        if service not in _WHOLE and state is None:
            return "SERVICE_UNKNOWN"
        ready = self._repository.ready if service in _WHOLE else state == "ready"
        return "SERVING" if ready and not self._stopping.is_set() else "NOT_SERVING"

    async def _check(self, scope: Scope, body: bytes) -> bytes:
        service = parse(health_pb2.HealthCheckRequest, body).service
        status = self._of(service)
        if status == "SERVICE_UNKNOWN":
            raise NotFound(f"there is no model '{service[:200]}'")
        return _message(status)

    async def _watch(self, scope: Scope, body: bytes, write: Write) -> None:
        """Ends when the server does, so that it need not wait for those who watch."""
        service = parse(health_pb2.HealthCheckRequest, body).service
        told = None
        while True:
            stopping = self._stopping.is_set()
            if (status := self._of(service)) != told:
                await write(_message(status))
                told = status
            if stopping:
                return
            try:
                async with asyncio.timeout(self._poll_seconds):
                    await self._stopping.wait()
            except TimeoutError:
                pass


def _message(status: str) -> bytes:
    message = health_pb2.HealthCheckResponse(status=status)
    return message.SerializeToString()  # type: ignore[no-any-return]
