"""Limits in the graph: what exceeds them fails before anything else happens."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.serving.models import strings
from textapps.exporting import limits
from textapps.exporting.archive import Endpoint, write_saved_model
from textapps.savedmodel.errors import BadInput
from textapps.savedmodel.limits import CallLimits, Size
from textapps.savedmodel.signature import Signature

LIMITS = CallLimits(longest={"text": 5, "length": 7, "ids": 3}, cells=24)


@pytest.fixture(scope="module")
def signatures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Signature]:
    directory = tmp_path_factory.mktemp("model") / "1"

    def count(text: Any, length: Any, ids: Any) -> dict[str, Any]:
        width = tf.reduce_max(length)
        return {"zeros": tf.zeros([tf.size(text), width]) + tf.cast(ids[:, :1], tf.float32)}

    text = tf.TensorSpec([None], tf.string, "text")
    specs = [
        text,
        tf.TensorSpec([None], tf.int32, "length"),
        tf.TensorSpec([None, None], tf.int32, "ids"),
    ]

    def same(text: Any) -> dict[str, Any]:
        return {"same": tf.identity(text)}

    image = tf.TensorSpec([None], tf.string, "image_bytes")
    memory = CallLimits(longest={"text": 99}, counted=10, row_bytes=2**20, cell_bytes=2**27)
    write_saved_model(
        directory,
        {
            "serving_default": Endpoint(count, specs, LIMITS),
            "memory": Endpoint(same, [text], memory),
            "bytes": Endpoint(
                lambda image_bytes: {"same": tf.identity(image_bytes)},
                [image],
                CallLimits(longest={"image_bytes": 2}),
            ),
        },
    )
    saved = tf.saved_model.load(str(directory))
    found = {name: Signature(name, function) for name, function in saved.signatures.items()}
    found["serving_default"].keep = saved  # type: ignore[attr-defined]
    return found


def inputs(texts: list[str], lengths: list[int], columns: int) -> dict[str, np.ndarray]:
    return {
        "text": strings(*(text.encode() for text in texts)),
        "length": np.array(lengths, np.int32),
        "ids": np.ones([len(texts), columns], np.int32),
    }


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (inputs(["abcde", ""], [1, 5], 2), None),  # 2 rows, at most 5 + 2 and 5 long
        (inputs(["äöüäö"], [1], 1), None),  # characters, not bytes
        (inputs(["abcdef"], [1], 1), "input 'text'"),
        (inputs(["a"], [8], 1), "input 'length'"),
        (inputs(["a"], [2**31 - 1], 1), "input 'length'"),
        (inputs(["a"], [-5], 1), None),  # counts as 0; whether it makes sense, others say
        (inputs(["a"], [1], 4), "input 'ids'"),
        (inputs(["abcde", "a", "b"], [1, 1, 1], 2), None),  # 3 rows of 8
        (inputs(["abcde", "a", "b"], [2, 1, 1], 2), "24"),  # 3 rows of 9
    ],
    ids=range(9),
)
def test_server_and_graph_agree(
    signatures: dict[str, Signature], given: dict[str, np.ndarray], problem: str | None
) -> None:
    signature = signatures["serving_default"]
    if problem is None:
        LIMITS.size_of(given)
        if (given["length"] > 0).all():
            assert len(signature.call(given)["zeros"]) == len(given["text"])
        return
    with pytest.raises(BadInput, match=problem):
        LIMITS.size_of(given)
    with pytest.raises(BadInput, match=problem):
        signature.call(given)


def test_the_size_of_a_call() -> None:
    given = inputs(["abc", "ab", "a"], [1, 4, 6], 1)
    assert CallLimits(longest=LIMITS.longest).size_of(given) == Size(rows=3, length=4, steps=6)
    assert CallLimits().size_of(given) == Size(rows=3)
    assert CallLimits(longest={"number": 7}).size_of({"number": np.array(3)}) == Size(1, steps=3)
    assert Size(3, 8, 2, 10).joined(Size(2, 9, 1, 5)) == Size(5, 9, 2, 15)


def test_the_memory_of_a_call(signatures: dict[str, Signature]) -> None:
    estimate = CallLimits(counted=10, row_bytes=100, cell_bytes=3, step_bytes=7)
    assert estimate.memory(Size(rows=5, length=4)) == 5 * (100 + 12)
    assert estimate.memory(Size(rows=5, length=50, steps=11)) == 5 * (100 + 30 + 77)
    # in the graph: 1 MB a row and 128 MB for each of ten characters, 4,096 MB altogether
    three = strings(*[b"x" * 50] * 3)
    assert len(signatures["memory"].call({"text": three})["same"]) == 3
    four = strings(*[b"x" * 50] * 4)
    with pytest.raises(BadInput, match="needs more than 4,096 MB"):
        signatures["memory"].call({"text": four})


def test_binary_strings_are_measured_in_bytes(signatures: dict[str, Signature]) -> None:
    signatures["bytes"].call({"image_bytes": strings(b"\xff\xfe")})
    for wrong in (b"\xff\xfe\xfd", "äö".encode()):
        with pytest.raises(BadInput, match="input 'image_bytes'"):
            signatures["bytes"].call({"image_bytes": strings(wrong)})


def test_nothing_is_allocated_before_the_check(signatures: dict[str, Signature]) -> None:
    """Otherwise 2^31 - 1 zeros in each of two rows would take 17 GB."""
    before = _peak_megabytes()
    for _ in range(20):
        with pytest.raises(BadInput):
            signatures["serving_default"].call(inputs(["a", "b"], [1, 2**31 - 1], 1))
    assert _peak_megabytes() - before < 200


def test_no_rows_are_no_problem() -> None:
    given = inputs([], [], 1)
    checked = limits.within_limits({k: tf.constant(v) for k, v in given.items()}, LIMITS)
    assert {name: tensor.shape[0] for name, tensor in checked.items()} == dict.fromkeys(given, 0)


def _peak_megabytes() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1000
