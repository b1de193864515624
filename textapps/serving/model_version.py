"""One version of a model, loaded and ready to answer."""

import json
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from textapps.savedmodel.errors import BadInput
from textapps.savedmodel.loading import load_saved_model
from textapps.savedmodel.manifest import MANIFEST
from textapps.savedmodel.signature import Arrays, Signature
from textapps.serving.batcher import Batcher, Batching
from textapps.serving.stream_request import option_schemas
from textapps.serving.warmup import warm_up

# Model, version, signature and rows of a call that begins; called in the event loop.
OnBatch = Callable[[str, int, str, int], None]

_log = logging.getLogger("textapps")


class ModelVersion:
    """The signatures of a loaded SavedModel, each with its queue.

    One call of each runs at a time, so that a long one of `generate` does not hold up streams.

    Whoever holds a version can go on asking it after a newer one has taken its place: it is
    freed when nobody does any more.
    """

    def __init__(
        self, name: str, version: int, directory: Path, batching: Batching, on_batch: OnBatch
    ) -> None:
        """Load the SavedModel in `directory` and warm it up.

        `manifest` will be what assets.extra/textapps.json says, {} if there is none. Raises what
        TensorFlow raises where it cannot be loaded, BadInput and ModelFailed where a recorded
        request fails.
        """
        self.name = name
        self.version = version
        self.directory = directory
        self.manifest = _read_manifest(directory)
        self._saved = load_saved_model(directory)  # its variables live as long as it does
        self.signatures: Mapping[str, Signature] = {
            key: Signature(key, function) for key, function in self._saved.signatures.items()
        }
        if "continue" in self.signatures:  # what the page shows and a stream takes
            self.manifest = {**self.manifest, "options": option_schemas(self.manifest)}
        warm_up(self.signatures, directory)
        executor = ThreadPoolExecutor(
            max(1, len(self.signatures)), thread_name_prefix=f"{name}-{version}"
        )
        self._batchers = {
            key: Batcher(signature, executor, batching, partial(on_batch, name, version, key))
            for key, signature in self.signatures.items()
        }

    @property
    def waiting(self) -> int:
        """How many requests wait for their call to begin."""
        return sum(batcher.waiting for batcher in self._batchers.values())

    async def predict(self, signature_name: str, inputs: Arrays) -> dict[str, np.ndarray]:
        """The outputs of a signature, which may be called for other requests together.

        Raises BadInput for an unknown signature and for inputs that it does not take; QueueFull,
        DeadlineExceeded and ModelFailed as `Batcher.submit` does.
        """
        if signature_name not in self.signatures:
            has = ", ".join(f"'{name}'" for name in self.signatures) or "none"
            raise BadInput(f"no signature '{signature_name}'; model '{self.name}' has {has}")
        checked = self.signatures[signature_name].check(inputs)
        return await self._batchers[signature_name].submit(checked)


def _read_manifest(directory: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((directory / MANIFEST).read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        _log.warning("%s is served without its %s: %s", directory, MANIFEST, error)
        return {}
    return manifest if isinstance(manifest, dict) else {}
