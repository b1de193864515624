"""One version of a model, loaded and ready to answer."""

import json
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from textapps.core.errors import ExportError
from textapps.savedmodel.graph import changes_state, read_graph
from textapps.savedmodel.loading import load_saved_model
from textapps.savedmodel.manifest import MANIFEST, verified_fields
from textapps.savedmodel.signature import Arrays, Signature
from textapps.serving.batcher import Batcher, Call
from textapps.serving.batching import Batching
from textapps.serving.budget import Budget, limits_of
from textapps.serving.codec import ModelSpec
from textapps.serving.compiled import compile_all, compiled_calls
from textapps.serving.metadata import describe_signatures
from textapps.serving.stream_request import option_schemas
from textapps.serving.warmup import warm_up

# Model, version, signature and rows of a call that begins; called in the event loop.
OnBatch = Callable[[str, int, str, int], None]

_log = logging.getLogger("textapps")


class ModelVersion:
    """The signatures of a loaded SavedModel, each with its queue.

    Each signature runs one call at a time, so a long call of `generate` does not hold up streams.

    Whoever holds a version can still call it after a newer one has replaced it. It is freed when
    nobody holds it any more.
    """

    def __init__(
        self,
        name: str,
        version: int,
        directory: Path,
        batching: Batching,
        on_batch: OnBatch,
        *,
        verify_files: bool = True,
        compiled: bool = True,
    ) -> None:
        """Load the SavedModel in `directory` and warm it up.

        What is to be compiled is compiled by a thread, unless `compiled` is false.

        `manifest` will be what assets.extra/textapps.json says, {} if there is none, `definitions`
        the `SignatureDef`s, and `metadata` the answer to a request for them: all as they are at
        this moment. Raises what TensorFlow raises where it cannot be loaded, ExportError where
        manifest or files are not as they were exported, BadInput and ModelFailed where a recorded
        request fails.
        """
        self.name = name
        self.version = version
        self.directory = directory
        self.manifest = _read_manifest(directory, verify_files)
        self._saved = load_saved_model(directory)  # its variables live as long as it does
        graph = read_graph(directory)
        self.metadata = describe_signatures(graph, name, version)
        # Copies, because a part of a message keeps the whole alive.
        self.definitions: Mapping[str, Any] = {
            key: deepcopy(definition) for key, definition in graph.signature_def.items()
        }
        self.signatures: Mapping[str, Signature] = {
            key: Signature(
                key,
                function,
                graph.signature_def[key].method_name,
                stateful=not self.manifest and changes_state(graph, key),
            )
            for key, function in self._saved.signatures.items()
        }
        if "continue" in self.signatures:  # what the page shows and a stream takes
            self.manifest = {**self.manifest, "options": option_schemas(self.manifest)}
        self.spec = ModelSpec(name, {key: s.dtypes for key, s in self.signatures.items()})
        calls = compiled_calls(self.manifest, self.signatures)
        forms = {each.compiled_name for each in calls.values()}
        warm_up({k: each for k, each in self.signatures.items() if k not in forms}, directory)
        executor = ThreadPoolExecutor(
            max(1, len(self.signatures)), thread_name_prefix=f"{name}-{version}"
        )
        if compiled and calls:
            executor.submit(compile_all, calls.values(), f"model '{name}' version {version}")
        shared = batching.shares(name, self.manifest)
        self._batchers = {
            key: Batcher(
                signature,
                executor,
                batching,
                Budget(signature, limits_of(self.manifest, key), batching.max_call_bytes),
                partial(on_batch, name, version, key),
                shared=shared,
                compiled=calls.get(key),
            )
            for key, signature in self.signatures.items()
        }

    @property
    def waiting(self) -> int:
        """How many requests wait for their call to begin."""
        return sum(batcher.waiting for batcher in self._batchers.values())

    def prepare(self, signature_name: str, inputs: Arrays) -> Call:
        """Checks inputs for `answer`; slow for many rows, and may run in any thread.

        Raises BadInput for inputs that the signature does not take.
        """
        return self._batchers[signature_name].prepare(inputs)

    async def answer(self, signature_name: str, call: Call) -> dict[str, np.ndarray]:
        """The outputs of a call, which other requests may share.

        Raises QueueFull, DeadlineExceeded, BadInput and ModelFailed as `Batcher.submit` does.
        """
        return await self._batchers[signature_name].submit(call)

    async def predict(self, signature_name: str, inputs: Arrays) -> dict[str, np.ndarray]:
        """`prepare` and `answer` in one, for few rows. Raises what they raise."""
        return await self.answer(signature_name, self.prepare(signature_name, inputs))


def _read_manifest(directory: Path, verify_files: bool) -> dict[str, Any]:
    if verify_files:
        try:
            return verified_fields(directory)
        except ExportError as error:
            raise ExportError(f"{error}, or serve it by --no-verify-files") from error
    try:
        manifest = json.loads((directory / MANIFEST).read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        _log.warning("%s is served without its %s: %s", directory, MANIFEST, error)
        return {}
    return manifest if isinstance(manifest, dict) else {}
