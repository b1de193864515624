"""Signatures are answered by their compiled forms where these are compiled and faster."""

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.serving.asking import Built
from textapps.savedmodel.errors import BadInput, ModelFailed
from textapps.savedmodel.loading import load_saved_model
from textapps.savedmodel.manifest import TensorInfo
from textapps.savedmodel.signature import Signature
from textapps.serving.compiled import CompiledCalls, compile_all, compiled_calls
from textapps.serving.repository import Repository

PATIENCE_SECONDS = 60
FORMS = {"serving_default": {"signature": "serving_default_compiled", "rows": [3, 1]}}


@pytest.fixture
def calls(built: Built) -> CompiledCalls:
    saved = load_saved_model(built("compiled"))
    signatures = {name: Signature(name, each) for name, each in saved.signatures.items()}
    found = compiled_calls({"compiled": FORMS}, signatures)
    assert found["serving_default"] is found["serving_default_compiled"]
    return found["serving_default"]


def compiled_rows(calls: CompiledCalls, rows: int) -> float:
    """How many rows the compiled form was given for a call, 0 if it was not asked."""
    x = np.arange(rows, dtype=np.float32)
    outputs = calls.call({"x": x})
    np.testing.assert_array_equal(outputs["y"], 2 * x)
    assert outputs["rows"].shape == (rows,)
    return float(outputs["rows"].max(initial=0))


def test_calls_are_filled_up_to_what_is_compiled(calls: CompiledCalls) -> None:
    assert [compiled_rows(calls, rows) for rows in range(6)] == [0] * 6
    calls.compile()
    assert [compiled_rows(calls, rows) for rows in range(6)] == [0, 1, 3, 3, 0, 0]


@pytest.mark.parametrize(
    "said",
    [
        None,
        ["serving_default"],
        {"serving_default": "fast"},
        {"serving_default": {"signature": "missing", "rows": [1]}},
        {"missing": {"signature": "fast", "rows": [1]}},
        {"serving_default": {"signature": "fast", "rows": [0]}},
    ],
)
def test_what_a_foreign_manifest_says_is_passed_over(said: Any) -> None:
    signatures: Any = {"serving_default": Recording(), "fast": Recording()}
    assert compiled_calls({"compiled": said, "options": 7}, signatures) == {}
    right = {"serving_default": {"signature": "fast", "rows": [1]}}
    assert compiled_calls({"compiled": right}, signatures).keys() == signatures.keys()


class Recording:
    """A signature in all but TensorFlow that fails as it is told."""

    name = "recording"

    def __init__(self, error: Callable[[int], Exception | None] = lambda rows: None) -> None:
        self.inputs = {
            "seed": TensorInfo(dtype="string", shape=(None,)),
            "state": TensorInfo(dtype="float32", shape=(None, 2)),
            **{
                name: TensorInfo(dtype="int32", shape=(None,))
                for name in ("length", "top_k", "random_seed")
            },
        }
        self.asked: list[dict[str, Any]] = []
        self._error = error

    def call(self, inputs: Any) -> Any:
        self.asked.append({name: array.tolist() for name, array in inputs.items()})
        error = self._error(len(inputs["seed"]))
        if error:
            raise error
        return {"text": inputs["seed"]}


def calls_of(signature: Any, compiled: Any, rows: tuple[int, ...] = (1, 3)) -> CompiledCalls:
    options = {
        "length": {"minimum": 1, "default": 500},
        "top_k": {"off": 0, "minimum": -1},
        "random_seed": {"default": 4},
    }
    return CompiledCalls(signature, compiled, rows, options)


def request(rows: int) -> dict[str, Any]:
    whole = np.ones(rows, np.int32)
    state = np.ones((rows, 2), np.float32)
    seeds = np.full(rows, b"a", object)
    return dict.fromkeys(("length", "top_k", "random_seed"), whole) | {
        "seed": seeds,
        "state": state,
    }


def test_it_is_compiled_with_inputs_that_do_little() -> None:
    compiled = Recording()
    calls_of(Recording(), compiled, rows=(2,)).compile()
    nothing = {"seed": [b"", b""], "state": [[0, 0], [0, 0]], "random_seed": [0, 0]}
    assert compiled.asked == [{**nothing, "length": [1, 1], "top_k": [0, 0]}]


def test_where_it_cannot_be_compiled_calls_do_without(caplog: pytest.LogCaptureFixture) -> None:
    plain = Recording()
    calls = calls_of(plain, Recording(lambda rows: ModelFailed("no XLA") if rows > 1 else None))
    with caplog.at_level(logging.INFO, "textapps"):
        compile_all([calls, calls], "model 'm' version 1")
    (record,) = caplog.records
    assert record.getMessage() == (
        "model 'm' version 1: served without its compiled signatures: no XLA"
    )
    for rows in (1, 2):
        calls.call(request(rows))
    assert [len(asked["seed"]) for asked in plain.asked] == [2]  # one row had been compiled


def test_what_is_refused_because_it_was_filled_up_is_asked_as_it_is() -> None:
    plain, refusing = Recording(), []
    calls = calls_of(plain, Recording(lambda rows: BadInput("too large") if refusing else None))
    calls.compile()
    refusing.append(True)
    assert len(calls.call(request(2))["text"]) == 2
    with pytest.raises(BadInput, match="too large"):
        calls.call(request(3))
    assert [len(asked["seed"]) for asked in plain.asked] == [2]


@pytest.mark.parametrize("compiled", [True, False])
def test_a_version_compiles_after_it_is_loaded(
    directory: Path, place: Callable[..., Path], compiled: bool, caplog: pytest.LogCaptureFixture
) -> None:
    place("m", 1, "compiled")
    repository = Repository(directory, compiled=compiled)
    with caplog.at_level(logging.INFO, "textapps"):
        repository.poll()
        version = repository.find("m")
        until = time.monotonic() + PATIENCE_SECONDS
        while compiled and "compiled after" not in caplog.text and time.monotonic() < until:
            time.sleep(0.01)
    for name in ("serving_default", "serving_default_compiled"):
        answer = asyncio.run(version.predict(name, {"x": np.float32([1.5, 2])}))
        assert answer["y"].tolist() == [3, 4]
        assert answer["rows"].tolist() == [3 * compiled] * 2
