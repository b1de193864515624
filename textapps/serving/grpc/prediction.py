"""tensorflow.serving.PredictionService."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2

from textapps.savedmodel.errors import BadInput
from textapps.savedmodel.signature import Arrays, Signature
from textapps.serving.codec import find_signature
from textapps.serving.deadline import within
from textapps.serving.encoder import count_values
from textapps.serving.errors import EXPECTED
from textapps.serving.examples import Verb, example_inputs
from textapps.serving.exchange import Scope
from textapps.serving.frames import release
from textapps.serving.grpc.calls import Method
from textapps.serving.grpc.examples import classification, regression
from textapps.serving.grpc.messages import MessageKind, Target, parse, target_of
from textapps.serving.grpc.requests import Inference, read_inference
from textapps.serving.grpc.tensors import write_tensor
from textapps.serving.model_version import ModelVersion
from textapps.serving.readers import Readers
from textapps.serving.repository import Repository
from textapps.serving.settings import Settings

T = TypeVar("T")

_SERVICE = "/tensorflow.serving.PredictionService/"
_SIGNATURES = "signature_def"  # the only kind of metadata that there is
# From here on a message is read by another process, and inputs and outputs are handled in a thread:
# others would have to wait.
_LARGE_BYTES = 64 * 1024
_LARGE_VALUES = 8 * 1024
_THREADS = 2  # more would only take the interpreter from the one that answers the others


class Prediction:
    """All methods but MultiInference. What is wrong with a request is raised as TextappsError."""

    def __init__(self, settings: Settings, repository: Repository) -> None:
        self._most_bytes = settings.sharing.max_call_bytes
        self._most_answer_bytes = settings.max_answer_bytes
        self._deadline_ms = settings.deadline_ms
        self._repository = repository
        self._readers = Readers(settings.max_depth, settings.deadline_ms / 1000)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="grpc")

    @property
    def methods(self) -> dict[str, Method]:
        """Path → method."""
        return {
            _SERVICE + "Predict": self._limited(self._predict),
            _SERVICE + "Classify": self._limited(self._classify),
            _SERVICE + "Regress": self._limited(self._regress),
            _SERVICE + "GetModelMetadata": self._describe,
        }

    def _limited(self, method: Method) -> Method:
        async def answer(scope: Scope, body: bytes) -> bytes:
            return await within(self._deadline_ms, method(scope, body))

        return answer

    async def _predict(self, scope: Scope, body: bytes) -> bytes:
        request = await self._read(body, MessageKind("Predict", self._most_bytes))
        version, signature = self._find(scope, request)
        wanted = _wanted(request.outputs, signature)
        outputs = await self._answer(scope, version, signature, request.inputs, len(body))
        chosen = {name: outputs[name] for name in wanted}
        large = count_values(chosen) > _LARGE_VALUES
        return await self._run(large, self._predicted, chosen, version, signature)

    async def _classify(self, scope: Scope, body: bytes) -> bytes:
        request = await self._read(body, MessageKind("Classify", self._most_bytes))
        return await self._infer(scope, request, "classify", classification, len(body))

    async def _regress(self, scope: Scope, body: bytes) -> bytes:
        request = await self._read(body, MessageKind("Regress", self._most_bytes))
        return await self._infer(scope, request, "regress", regression, len(body))

    async def _infer(
        self,
        scope: Scope,
        request: Inference,
        verb: Verb,
        answer_of: Callable[[Arrays, int], Any],
        size: int,
    ) -> bytes:
        version, signature = self._find(scope, request)
        examples = request.inputs["inputs"]
        count = len(examples)
        inputs = example_inputs(signature, verb, examples)
        outputs = await self._answer(scope, version, signature, inputs, size)
        large = count_values(outputs) > _LARGE_VALUES
        answer = await self._run(large, answer_of, outputs, count)
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
        version = self._version(scope, target_of(request))
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for name, definition in version.definitions.items():
            signatures.signature_def[name].CopyFrom(definition)
        answer = get_model_metadata_pb2.GetModelMetadataResponse()
        answer.model_spec.name = version.name
        answer.model_spec.version.value = version.version
        answer.metadata[_SIGNATURES].Pack(signatures)
        return answer.SerializeToString()  # type: ignore[no-any-return]

    async def _read(self, body: bytes, kind: MessageKind) -> Inference:
        if len(body) > _LARGE_BYTES:
            return await self._readers.message(body, kind)
        return read_inference(body, kind)

    def _version(self, scope: Scope, target: Target) -> ModelVersion:
        version = self._repository.find(*target)
        scope["served"] = (version.name, str(version.version))
        return version

    def _find(self, scope: Scope, request: Inference) -> tuple[ModelVersion, Signature]:
        version = self._version(scope, request.target)
        return version, find_signature(request.signature, version.name, version.signatures)

    async def _answer(
        self, scope: Scope, version: ModelVersion, signature: Signature, inputs: Arrays, size: int
    ) -> Arrays:
        """The outputs for the inputs of a message of `size` bytes."""
        scope["inputs"] = inputs
        large = size > _LARGE_BYTES
        try:
            call = await self._run(large, version.prepare, signature.name, inputs)
            outputs = await version.answer(signature.name, call)
        except EXPECTED:  # after any other error the log must know what to hide
            await self._run(large, release, inputs)
            raise
        await self._run(large, release, inputs)
        return outputs

    def _predicted(self, outputs: Arrays, version: ModelVersion, signature: Signature) -> bytes:
        # Every value takes a byte at least: an answer far too large is not even begun.
        self._check_size(sum(array.size for array in outputs.values()))
        answer = predict_pb2.PredictResponse()
        for name, array in outputs.items():
            write_tensor(array, answer.outputs[name])
        return self._finished(answer, version, signature)

    def _finished(self, answer: Any, version: ModelVersion, signature: Signature) -> bytes:
        answer.model_spec.name = version.name
        answer.model_spec.version.value = version.version
        answer.model_spec.signature_name = signature.name
        message: bytes = answer.SerializeToString()
        self._check_size(len(message))
        return message

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


def _wanted(only: tuple[str, ...], signature: Signature) -> list[str]:
    """The names of the outputs to answer with: all, if the request names none."""
    for name in only:
        if name not in signature.outputs:
            has = ", ".join(f"'{output}'" for output in signature.outputs)
            raise BadInput(f"no output '{name[:200]}'; signature '{signature.name}' has {has}")
    if len(set(only)) < len(only):
        raise BadInput("an output is asked for twice")
    return list(only or signature.outputs)
