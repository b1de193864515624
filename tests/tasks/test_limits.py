"""What exports refuse by themselves, in any server, and that their manifests say so."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.serving.models import strings
from textapps.core.names import TASKS
from textapps.savedmodel.errors import BadInput
from textapps.savedmodel.loading import load_saved_model
from textapps.savedmodel.manifest import Manifest, read_manifest
from textapps.savedmodel.signature import Signature
from textapps.serving.budget import Budget, limits_of

# Far more than any call of these tiny models needs: what is refused exceeds a limit of its own.
MOST_BYTES = 2**40
TOO_MUCH = {
    "characters of a text": ("sentiment", "serving_default", {"text": ["x" * 1_000_001]}),
    "characters of a seed": ("generate", "serving_default", {"seed": ["x" * 200_001]}),
    "characters to score": ("generate", "score", {"text": ["x" * 200_001]}),
    "rows times characters": ("generate", "score", {"text": ["x" * 20_001] + [""] * 99}),
    "a length": ("generate", "generate", {"seed": ["a"], "length": [2**31 - 1]}),
    "rows times lengths": ("generate", "generate", {"seed": [""] * 21, "length": [100_000] * 21}),
    "characters of a source": ("translate", "serving_default", {"source": ["x" * 200_001]}),
    "beams times characters": ("translate", "n_best", {"source": ["x" * 50_001] + [""] * 99}),
    "seconds of a waveform": ("speech", "waveform", {"waveform": np.zeros([1, 960_001])}),
}


class Loaded:
    """An export in this process, as a server has it."""

    def __init__(self, directory: Path) -> None:
        self.manifest = read_manifest(directory)
        self._saved = load_saved_model(directory)
        self.signatures = {k: Signature(k, f) for k, f in self._saved.signatures.items()}


@pytest.fixture(scope="module")
def loaded(exported: Callable[..., Path]) -> Iterator[Callable[[str], Loaded]]:
    kept: dict[str, Loaded] = {}

    def load(task: str) -> Loaded:
        if task not in kept:
            kept[task] = Loaded(exported(task, "lstm"))
        return kept[task]

    yield load
    kept.clear()


def filled(signature: Signature, given: dict[str, Any]) -> dict[str, np.ndarray]:
    """All inputs of a signature: what is given, and ones for the others."""
    rows = len(next(iter(given.values())))
    inputs = {}
    for name, spec in signature.inputs.items():
        value = given.get(name, [1] * rows)
        inputs[name] = strings(*value) if spec.dtype == "string" else np.array(value, spec.dtype)
    return signature.check(inputs)


@pytest.mark.slow
@pytest.mark.parametrize("kind", TOO_MUCH, ids=[f"{each[0]}-{k}" for k, each in TOO_MUCH.items()])
def test_the_graph_and_the_server_refuse_too_much(
    loaded: Callable[[str], Loaded], kind: str
) -> None:
    task, name, given = TOO_MUCH[kind]
    model = loaded(task)
    signature = model.signatures[name]
    inputs = filled(signature, given)
    with pytest.raises(BadInput, match="exceed"):
        signature.call(inputs)
    limits = limits_of(model.manifest.model_dump(mode="json"), name)
    with pytest.raises(BadInput, match="limit is"):
        Budget(signature, limits, MOST_BYTES).size_of(inputs)


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_every_signature_has_limits(loaded: Callable[[str], Loaded], task: str) -> None:
    manifest: Manifest = loaded(task).manifest
    assert manifest.rows_independent
    assert manifest.limits.keys() == manifest.signatures.keys()
    assert all(limits.row_bytes > 0 for limits in manifest.limits.values())
