"""tensorflow.serving.PredictionService."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    predict_pb2,
    regression_pb2,
)

from textapps.savedmodel.errors import BadInput
from textapps.savedmodel.signature import Arrays
from textapps.serving.codec import signature_dtypes
from textapps.serving.encoder import count_values
from textapps.serving.examples import Verb, example_inputs
from textapps.serving.exchange import Scope
from textapps.serving.frames import release
from textapps.serving.grpc.calls import Method
from textapps.serving.grpc.examples import classification, read_examples, regression
from textapps.serving.grpc.messages import find, parse
from textapps.serving.grpc.tensors import read_tensor, write_tensor
from textapps.serving.model_version import ModelVersion
from textapps.serving.repository import Repository
from textapps.serving.settings import Settings

T = TypeVar("T")

_SERVICE = "/tensorflow.serving.PredictionService/"
_SIGNATURES = "signature_def"  # the only kind of metadata that there is
# From here on messages are handled in a thread: others would have to wait.
_LARGE_BYTES = 64 * 1024
_LARGE_VALUES = 8 * 1024
_THREADS = 2  # more would only take the interpreter from the one that answers the others


class Prediction:
    """All methods but MultiInference. What is wrong with a request is raised as TextappsError."""

    def __init__(self, settings: Settings, repository: Repository) -> None:
        self._most_bytes = settings.sharing.max_call_bytes
        self._most_answer_bytes = settings.max_answer_bytes
        self._repository = repository
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="grpc")

    @property
    def methods(self) -> dict[str, Method]:
        """Path → method."""
        return {
            _SERVICE + "Predict": self._predict,
            _SERVICE + "Classify": self._classify,
            _SERVICE + "Regress": self._regress,
            _SERVICE + "GetModelMetadata": self._describe,
        }

    async def _predict(self, scope: Scope, body: bytes) -> bytes:
        large = len(body) > _LARGE_BYTES
        request = await self._run(large, parse, predict_pb2.PredictRequest, body)
        version = find(self._repository, scope, request)
        signature, _ = signature_dtypes(
            {"signature_name": request.model_spec.signature_name}, version.spec
        )
        wanted = _wanted(request.output_filter, version, signature)
        inputs = await self._run(large, self._read_inputs, request.inputs)
        del request  # it may be large
        scope["inputs"] = inputs
        call = await self._run(large, version.prepare, signature, inputs)
        outputs = await version.answer(signature, call)
        if large:
            await self._run(True, release, inputs)
        chosen = {name: outputs[name] for name in wanted}
        large = count_values(chosen) > _LARGE_VALUES
        return await self._run(large, self._response, chosen, version, signature)

    async def _classify(self, scope: Scope, body: bytes) -> bytes:
        return await self._infer(
            scope, body, "classify", classification_pb2.ClassificationRequest, classification
        )

    async def _regress(self, scope: Scope, body: bytes) -> bytes:
        return await self._infer(
            scope, body, "regress", regression_pb2.RegressionRequest, regression
        )

    async def _infer(
        self,
        scope: Scope,
        body: bytes,
        verb: Verb,
        kind: type[Any],
        answer_of: Callable[[Arrays, int], Any],
    ) -> bytes:
        large = len(body) > _LARGE_BYTES
        request = await self._run(large, parse, kind, body)
        version = find(self._repository, scope, request)
        signature, _ = signature_dtypes(
            {"signature_name": request.model_spec.signature_name}, version.spec
        )
        examples = await self._run(large, read_examples, request.input)
        del request
        scope["inputs"] = inputs = example_inputs(version.signatures[signature], verb, examples)
        call = await self._run(large, version.prepare, signature, inputs)
        outputs = await version.answer(signature, call)
        large = count_values(outputs) > _LARGE_VALUES
        answer = await self._run(large, answer_of, outputs, len(examples))
        return await self._run(large, self._finished, answer, version, signature)

    async def _describe(self, scope: Scope, body: bytes) -> bytes:
        request = parse(get_model_metadata_pb2.GetModelMetadataRequest, body)
        if not request.metadata_field:
            raise BadInput("GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != _SIGNATURES:
                raise BadInput(
                    f"Metadata field {field[:200]} is not supported; there is signature_def"
                )
        version = find(self._repository, scope, request)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for name, definition in version.definitions.items():
            signatures.signature_def[name].CopyFrom(definition)
        answer = get_model_metadata_pb2.GetModelMetadataResponse()
        answer.model_spec.name = version.name
        answer.model_spec.version.value = version.version
        answer.metadata[_SIGNATURES].Pack(signatures)
        return answer.SerializeToString()  # type: ignore[no-any-return]

    def _read_inputs(self, tensors: Mapping[str, Any]) -> dict[str, np.ndarray]:
        left, inputs = self._most_bytes, {}
        for name, tensor in tensors.items():
            inputs[name] = read_tensor(tensor, name, left)
            left -= inputs[name].nbytes
        return inputs

    def _response(self, outputs: Arrays, version: ModelVersion, signature: str) -> bytes:
        # Every value takes a byte at least: an answer far too large is not even begun.
        self._check_size(sum(array.size for array in outputs.values()))
        answer = predict_pb2.PredictResponse()
        for name, array in outputs.items():
            write_tensor(array, answer.outputs[name])
        return self._finished(answer, version, signature)

    def _finished(self, answer: Any, version: ModelVersion, signature: str) -> bytes:
        answer.model_spec.name = version.name
        answer.model_spec.version.value = version.version
        answer.model_spec.signature_name = signature
        self._check_size(answer.ByteSize())
        return answer.SerializeToString()  # type: ignore[no-any-return]

    def _check_size(self, size: int) -> None:
        if size > self._most_answer_bytes:
            raise BadInput(
                f"the answer is larger than {self._most_answer_bytes:,} bytes: send fewer rows"
            )

    async def _run(self, in_thread: bool, function: Callable[..., T], *arguments: Any) -> T:
        if not in_thread:
            return function(*arguments)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, function, *arguments)


def _wanted(output_filter: Any, version: ModelVersion, signature: str) -> list[str]:
    """The names of the outputs to answer with: all, if the filter is empty."""
    outputs = version.signatures[signature].outputs
    wanted: dict[str, None] = {}
    for name in output_filter:
        if name not in outputs:
            has = ", ".join(f"'{output}'" for output in outputs)
            raise BadInput(f"no output '{name[:200]}'; signature '{signature}' has {has}")
        if name in wanted:
            raise BadInput(f"the output '{name}' is asked for twice")
        wanted[name] = None
    return list(wanted or outputs)
