"""The gRPC server, which shares models, limits, log and metrics with HTTP."""

import grpc

from textapps.serving.access_log import AccessLog
from textapps.serving.errors import ServingError
from textapps.serving.grpc.calls import Calls
from textapps.serving.grpc.health import Health
from textapps.serving.held import Held
from textapps.serving.metrics import Metrics
from textapps.serving.repository import Repository
from textapps.serving.settings import Settings

_STREAMS = 1000  # of a connection; a client makes further calls wait


class GrpcServer:
    """Answers calls in the event loop that runs when it is made."""

    def __init__(
        self,
        settings: Settings,
        repository: Repository,
        metrics: Metrics,
        log: AccessLog,
        held: Held,
    ) -> None:
        # They import TensorFlow, which must have been imported without Keras.
        from textapps.serving.grpc.model_status import ModelStatus
        from textapps.serving.grpc.prediction import Prediction

        self._health = Health(repository, settings.poll_seconds)
        methods = {
            **Prediction(settings, repository).methods,
            **ModelStatus(repository).methods,
            **self._health.methods,
        }
        calls = Calls(settings, methods, self._health.streams, log, metrics, held)
        pause_ms = round(1000 * settings.write_timeout)
        options = {
            "grpc.so_reuseport": 0,  # else two servers could share a port
            # Up to twice the limit, so that the client gets a message that tells it.
            "grpc.max_receive_message_length": min(2 * settings.max_body_bytes, 2**31 - 1),
            "grpc.max_send_message_length": -1,  # Prediction has a limit
            "grpc.max_concurrent_streams": _STREAMS,
            "grpc.keepalive_time_ms": pause_ms,
            "grpc.keepalive_timeout_ms": pause_ms,
        }
        self._server = grpc.aio.server(handlers=[calls], options=list(options.items()))

    async def start(self, address: str) -> int:
        """Listens on `<host>:<port>`; returns the port. Raises ServingError if it cannot."""
        try:
            port: int = self._server.add_insecure_port(address)
        except RuntimeError:
            raise ServingError(f"cannot listen on {address} for gRPC") from None
        await self._server.start()
        return port

    async def stop(self, seconds: float) -> None:
        """Refuses further calls; those that run have some seconds to finish."""
        self._health.stop()
        await self._server.stop(seconds)
