"""Requests that nobody would send, and what must hold for the answer to any."""

import json
import string
from typing import Any

from hypothesis import strategies as st

from tests.serving.asking import Asker

CODES = {200, 400, 401, 404, 405, 413}
MODELS = ("lengths", "sums", "typed", "writer", "flowers", "scalar", "none", "")
INPUTS = ("text", "ids", "weights", "number", "seed", "length", "bool", "image_bytes", "b64")

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.binary(max_size=4).map(lambda data: {"b64": data.hex()})
    | st.sampled_from([{"b64": "AAAA"}, {"b64": 1}, "\ud800", 10**400])
)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(INPUTS) | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=15,
)


def _mostly(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(good, good, good, good, good, values)


# What comes near to what the models take, so that some of it reaches them.
_texts = _mostly(st.text(max_size=9) | st.just({"b64": "/wA="}))
_likely = st.one_of(
    _texts,
    st.fixed_dictionaries({"text": _texts}),
    st.fixed_dictionaries(
        {
            "ids": _mostly(st.lists(st.integers(-9, 9), min_size=2, max_size=2)),
            "weights": _mostly(st.lists(st.floats(width=32), min_size=3, max_size=3)),
        }
    ),
)
_examples = st.dictionaries(
    st.sampled_from(["size", "name"]), _mostly(st.floats(width=32) | _texts | scalars), max_size=2
)
_near = st.one_of(
    st.fixed_dictionaries({"instances": st.lists(_texts, min_size=1, max_size=4)}),
    st.fixed_dictionaries({"inputs": st.lists(_texts, min_size=1, max_size=4)}),
    st.fixed_dictionaries({"instances": _likely.map(lambda row: [row, row])}),
    st.fixed_dictionaries(
        {"examples": st.lists(_mostly(_examples), min_size=1, max_size=3)},
        optional={
            "context": _examples,
            "signature_name": st.sampled_from(["serving_default", "scores_only", "length", "rows"]),
        },
    ),
    st.fixed_dictionaries(
        {
            "signature_name": st.sampled_from(
                ["whole", "together", "score", "start", "generate", "columns"]
            ),
            "inputs": _mostly(st.floats() | st.lists(st.floats(), max_size=3) | _texts),
        }
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "seed": _mostly(st.text(max_size=4)),
            "length": _mostly(st.integers(1, 80)),
            "temperature": _mostly(st.floats(0, 2)),
            "top_p": _mostly(st.floats(0.1, 1)),
            "random_seed": _mostly(st.integers(-(2**63), 2**63 - 1)),
            "stop": _mostly(st.text(min_size=1, max_size=3)),
        },
    ),
)
_far = st.fixed_dictionaries(
    {},
    optional={
        "instances": st.lists(_likely | values, max_size=4) | values,
        "inputs": _likely | values,
        "signature_name": st.sampled_from(["serving_default", ""]) | values,
        "examples": values,
        "seed": values,
        "length": values,
    },
)
requests = st.one_of(_near, _near, _far)


def _spoiled(request: Any, cut: int, junk: bytes) -> bytes:
    body = json.dumps(request).encode()
    return body[: cut % (len(body) + 1)] + junk


_other_bodies = (
    values.map(lambda value: json.dumps(value).encode())
    | st.builds(_spoiled, requests, st.integers(0), st.binary(max_size=6))
    | st.binary(max_size=60)
    | st.builds(
        lambda piece, count: piece * count,
        st.sampled_from([b"[", b"{", b'{"a":', b'["', b"\\", b"1", b"]", b"[1,"]),
        st.integers(1, 4000),
    )
)
_bodies = requests.map(lambda request: json.dumps(request).encode())
bodies = st.sampled_from([_bodies, _bodies, _other_bodies]).flatmap(lambda strategy: strategy)
_junk = st.text(string.printable, max_size=12) | st.sampled_from(
    ["..", "%2e%2e", "%00", "%", "%zz", "%ff", "versions", "labels", "metadata", "9" * 30, "²"]
)
_routes = st.builds(
    lambda model, version, end: f"/v1/models/{model}{version}{end}",
    st.sampled_from(MODELS) | _junk,
    st.sampled_from(["", "", "/versions/1", "/versions/2", "/labels/x", "/versions/"]) | _junk,
    st.sampled_from(
        [":predict", ":predict", ":predict", ":stream", ":classify", ":regress", "", "/metadata"]
    )
    | _junk,
)
paths = _routes | st.lists(_junk, max_size=5).map(lambda parts: "/" + "/".join(parts))
methods = st.sampled_from(["POST", "POST", "POST", "POST", "GET", "GET", "PUT", "HEAD", "OPTIONS"])


def check_answer(ask: Asker, method: str, path: str, body: bytes) -> int:
    """Ask, and fail for an answer that is none of the expected; the status code."""
    status, headers, content = ask.raw(method, path, body)
    assert status in CODES, (status, content)
    assert headers["x-request-id"]
    assert b"Traceback" not in content
    if status != 200:
        assert list(json.loads(content)) == ["error"]
    elif headers["content-type"] == "application/json":
        json.loads(content)
    return status
