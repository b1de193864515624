"""A gRPC server in a thread of this process, asked by a real client."""

import asyncio
import io
import json
import threading
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, TypeVar

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from textapps.serving.access_log import AccessLog
from textapps.serving.grpc.server import GrpcServer
from textapps.serving.held import Held
from textapps.serving.metrics import Metrics
from textapps.serving.repository import Repository
from textapps.serving.settings import Settings

PATIENCE_SECONDS = 60
PREDICT = "/tensorflow.serving.PredictionService/Predict"
Request = TypeVar("Request")


class Served:
    """As a context it listens; `ask(path, request)` gives the bytes of the answer."""

    def __init__(
        self,
        repository: Repository,
        settings: Settings | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._arguments = (settings or Settings(), repository, metrics or Metrics())
        self._written = io.StringIO()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> "Served":
        self._thread.start()
        self.port = self.run(self._start())
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.port}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.channel.close()
        self.run(self.server.stop(0))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Any) -> Any:
        """The result of a coroutine in the loop of the server."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_SECONDS)

    async def _start(self) -> int:
        held = Held(self._arguments[0].max_held_bytes)
        self.server = GrpcServer(*self._arguments, AccessLog(self._written), held)
        return await self.server.start("127.0.0.1:0")

    @property
    def log(self) -> list[dict[str, Any]]:
        """The lines of the access log."""
        return [json.loads(line) for line in self._written.getvalue().splitlines()]

    def method(self, path: str) -> grpc.UnaryUnaryMultiCallable:
        return self.channel.unary_unary(path)

    def ask(
        self, path: str, request: Any, seconds: float = PATIENCE_SECONDS, **metadata: str
    ) -> bytes:
        """The answer to a message, or to bytes that should be one. Raises grpc.RpcError."""
        body = request if isinstance(request, bytes) else request.SerializeToString()
        named = [(name.replace("_", "-"), value) for name, value in metadata.items()]
        answer: bytes = self.method(path)(body, timeout=seconds, metadata=named)
        return answer

    def predict(self, request: Any, **more: Any) -> dict[str, np.ndarray]:
        """The outputs, as TensorFlow reads them."""
        answer = predict_pb2.PredictResponse.FromString(self.ask(PREDICT, request, **more))
        return {name: tf.make_ndarray(proto) for name, proto in answer.outputs.items()}

    def refusal(self, path: str, request: Any, **more: Any) -> tuple[str, str]:
        """Code and message of the error that a request must get."""
        try:
            answer = self.ask(path, request, **more)
        except grpc.RpcError as error:
            return error.code().name, error.details()
        raise AssertionError(f"answered with {answer!r}")


def of(
    request: Request,
    model: str,
    *,
    signature: str = "",
    version: int | None = None,
    label: str | None = None,
) -> Request:
    """A request with the model that it is for."""
    spec = request.model_spec  # type: ignore[attr-defined]
    spec.name, spec.signature_name = model, signature
    if version is not None:
        spec.version.value = version
    if label is not None:
        spec.version_label = label
    return request


def predict_request(
    model: str, inputs: Mapping[str, Any], only: Iterable[str] = (), **spec: Any
) -> predict_pb2.PredictRequest:
    """A request with inputs as TensorFlow writes them."""
    request = of(predict_pb2.PredictRequest(output_filter=only), model, **spec)
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return request
