"""Large bodies and answers: read and written whole, and nobody else waits for them."""

import asyncio
import gzip
import json
import math
import resource
import threading
import time
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from tests.serving.asking import Asker, Loaded, error_of
from tests.serving.models import continued, strings
from textapps.savedmodel.errors import BadInput
from textapps.serving import readers, rest
from textapps.serving.app import create_app
from textapps.serving.encoder import encode_response
from textapps.serving.repository import Repository
from textapps.serving.settings import Settings

LARGE = 100_000  # bytes of a body that is read elsewhere


@pytest.fixture(scope="module")
def repository(loaded: Loaded) -> Repository:
    return loaded("lengths", "sums", "typed", "zeros", "flowers", writer="generator")


def padded(body: dict[str, Any]) -> bytes:
    """The same request as a large body."""
    text = json.dumps(body).encode()
    return text + b" " * (LARGE - len(text))


def test_many_texts(ask: Asker) -> None:
    texts = ["wörd " * 6, "", "x"] * 7_000
    assert ask.post("/v1/models/lengths:predict", {"instances": texts}).json() == {
        "predictions": [36, 0, 1] * 7_000
    }


def test_many_examples(ask: Asker) -> None:
    examples = [{"size": 0.5 * n, "name": "ü" * (n % 3)} for n in range(5_000)]
    classify = {"context": {"more": [1]}, "examples": examples}
    assert ask.post("/v1/models/flowers:classify", classify).json()["results"] == [
        [["small", 0.5 * n], ["large", 1.0 * n]] for n in range(5_000)
    ]
    regress = {"signature_name": "length", "examples": examples}
    assert ask.post("/v1/models/flowers:regress", regress).json()["results"] == [
        2.0 * (n % 3) for n in range(5_000)
    ]
    response = ask.post("/v1/models/flowers:classify", padded({"examples": [{"size": None}]}))
    assert "feature 'size' should hold numbers or strings" in error_of(response)
    assert response.status_code == 400


def test_large_bodies_are_read_by_the_same_rules(ask: Asker) -> None:
    path = "/v1/models/sums:predict"
    padding = b" " * LARGE
    first = b'{"signature_name": "whole", "inputs": Inf, "inputs": 3}'
    assert ask.post(path, first + padding).json() == {"outputs": math.inf}
    response = ask.post(path, b'{"signature_name": "whole", "inputs": 1e400}' + padding)
    assert "a number is too large" in error_of(response)


def test_compressed_bodies(ask: Asker, repository: Repository) -> None:
    path, gzipped = "/v1/models/lengths:predict", {"content-encoding": "gzip"}
    body = gzip.compress(json.dumps({"instances": ["wörd"] * 50_000}).encode())
    assert len(body) < 10_000
    assert ask("POST", path, content=body, headers=gzipped).json() == {"predictions": [5] * 50_000}
    small = Asker(create_app(Settings(max_body_mb=0.1), repository))
    response = small("POST", path, content=body, headers=gzipped)
    assert "the body has more than" in error_of(response)
    assert response.status_code == 413


def test_many_numbers(ask: Asker) -> None:
    ids = np.arange(60_000).reshape(20_000, 3).tolist()
    weights = [[0.5, 1, 2]] * 20_000
    body = {"inputs": {"ids": ids, "weights": weights}}
    answer = ask.post("/v1/models/sums:predict", body).json()["outputs"]
    assert answer["doubled"] == (2 * np.arange(60_000)).reshape(20_000, 3).tolist()
    assert answer["total"] == [sum(row) + 3.5 for row in ids]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("lengths:predict", {"instances": ["bad"]}),
        ("lengths:predict", {"instances": [1]}),
        ("lengths:predict", {"instances": ["\ud800"]}),
        ("lengths:predict", {"signature_name": "none", "instances": ["a"]}),
        ("lengths:predict", {"inputs": [[["a"]]]}),
        ("none:predict", {"instances": ["a"]}),
        ("lengths:classify", {"examples": [{"a": 1}]}),
        ("lengths:classify", {"examples": []}),
        ("writer:stream", {"seed": ["a"]}),
        ("writer:stream", {"length": {"a": 1}}),
        ("writer:stream", {"sed": 1}),
        (
            "typed:predict",
            {"instances": [{"bool": [True, False], "image_bytes": [{"b64": "AP8="}]}]},
        ),
    ],
)
def test_a_large_body_is_answered_as_a_small_one(ask: Asker, path: str, body: Any) -> None:
    small = ask.post(f"/v1/models/{path}", json.dumps(body))
    large = ask.post(f"/v1/models/{path}", padded(body))
    assert error_of(large) == error_of(small)
    assert large.status_code == small.status_code


def test_a_large_body_of_a_stream(ask: Asker) -> None:
    seed = "ab" * LARGE
    response = ask.post("/v1/models/writer:stream", {"seed": seed[: LARGE - 1], "length": 9})
    text = json.loads(response.text.partition("data: ")[2].partition("\n")[0])["text"]
    assert text == continued(seed[: LARGE - 1], 9)


def test_every_type_survives_the_way(ask: Asker) -> None:
    row = {
        "bool": [True, False],
        "uint8": [0, 255],
        "int8": [-128, 127],
        "int64": [-(2**63), 2**63 - 1],
        "uint64": [0, 2**64 - 1],
        "float16": [0.5, -65504.0],
        "float64": [1e-300, 0.1],
        "bfloat16": [1.5, -3.0],
        "image_bytes": {"b64": "AP8="},
    }
    (answer,) = ask.post("/v1/models/typed:predict", padded({"instances": [row]})).json()[
        "predictions"
    ]
    assert answer == {
        f"echo_{name}": value for name, value in row.items() if name != "image_bytes"
    } | {"echo_image_bytes": {"b64": "AP8="}}


def test_a_large_answer(ask: Asker) -> None:
    answer = ask.post("/v1/models/zeros:predict", {"instances": [300_000, 1]})
    assert answer.json() == {"predictions": [[0.0] * 300_000] * 2}
    assert int(answer.headers["content-length"]) == len(answer.content)


@pytest.mark.parametrize("row_format", [True, False])
def test_a_process_encodes_as_this_one_does(row_format: bool) -> None:
    outputs = {
        "text": strings(*[b"w\xc3\xb6rd", b"", b"\xff"] * 9_000),
        "image_bytes": strings(*[b"", b"\x00\xff"] * 13_500),
        "score": np.arange(54_000, dtype=np.float32).reshape(27_000, 2) / 7,
        "bf": np.ones(27_000, ml_dtypes.bfloat16),
        "none": strings(*[b""] * 27_000),
    }
    pieces = asyncio.run(readers.Readers(32, 30).encode(outputs, row_format, 10**7))
    assert b"".join(pieces) == b"".join(encode_response(outputs, row_format, 10**7))
    assert max(map(len, pieces)) <= 2**16
    with pytest.raises(BadInput, match="larger than"):
        asyncio.run(readers.Readers(32, 30).encode(outputs, row_format, 10**6))


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux")
def test_bodies_that_are_refused_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "_PROCESSES", 1)
    reading = readers.Readers(max_depth=32, seconds=60)
    # nested, too many digits, not UTF-8, not JSON, not an object; of one megabyte each
    bodies = [
        b"[" * 2**20,
        b"1" * 2**20,
        b'"' + b"\xff" * 2**20,
        b"{" + b" " * 2**20,
        b"1" + b" " * 2**20,
    ]

    async def refuse(times: int) -> None:
        for body in bodies * times:
            with pytest.raises(BadInput):
                await reading.outside(bytearray(body))

    def resident() -> int:
        pid = reading._threads.submit(lambda: reading._own.reader._process.pid).result()
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * resource.getpagesize()

    asyncio.run(refuse(3))
    before = resident()
    asyncio.run(refuse(12))
    assert resident() - before < 10 * 2**20  # kept, they would be 60 MB


def test_outputs_that_are_certainly_too_large_are_not_encoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(readers.Readers, "_run", lambda *_: 1 / 0)
    for outputs in ({"a": np.zeros([3, 17])}, {"a": strings(b"x" * 50, b"y" * 45)}):
        with pytest.raises(BadInput, match="larger than 100 bytes"):
            asyncio.run(readers.Readers(32, 30).encode(outputs, True, 100))


def test_an_answer_that_is_too_large(repository: Repository) -> None:
    ask = Asker(create_app(Settings(max_answer_mb=0.05), repository))
    response = ask.post("/v1/models/zeros:predict", {"instances": [15_000]})
    assert error_of(response).startswith("the answer is larger than 52,429 bytes")
    assert response.status_code == 400
    assert ask.post("/v1/models/zeros:predict", {"instances": [10_000]}).status_code == 200


def test_a_reader_that_ends_is_an_error_and_another_one_takes_its_place(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(readers, "_PROCESSES", 1)
    ask = Asker(create_app(Settings(), repository))
    body = padded({"instances": ["abc"]})
    receive = readers.receive

    def end(connection: Any) -> Any:
        connection.close()
        return receive(connection)

    monkeypatch.setattr(readers, "receive", end)
    response = ask.post("/v1/models/lengths:predict", body)
    assert error_of(response).startswith("the process that handled the JSON died")
    assert response.status_code == 500
    monkeypatch.setattr(readers, "receive", receive)
    assert ask.post("/v1/models/lengths:predict", body).json() == {"predictions": [3]}


def test_a_reader_that_takes_too_long(repository: Repository) -> None:
    ask = Asker(create_app(Settings(deadline_ms=1), repository))
    response = ask.post("/v1/models/lengths:predict", padded({"instances": ["abc"]}))
    assert response.status_code in (408, 504)  # its body may have been late already


def test_the_deadline_covers_decompression(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("textapps.serving.rest.gunzip", lambda body, limit: time.sleep(0.5))
    ask = Asker(create_app(Settings(deadline_ms=50), repository))
    body = gzip.compress(b'{"instances": ["abc"]}')
    headers = {"content-encoding": "gzip"}
    response = ask("POST", "/v1/models/lengths:predict", content=body, headers=headers)
    assert response.status_code == 504
    assert "no answer within 50 ms" in error_of(response)


def test_the_deadline_covers_the_wait_for_a_reader(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when all processes read for others."""
    free = threading.Event()
    monkeypatch.setattr(readers.Readers, "_read", lambda *_: free.wait(30))
    ask = Asker(create_app(Settings(deadline_ms=300), repository))
    for verb in ("predict", "classify"):
        response = ask.post(f"/v1/models/lengths:{verb}", padded({"instances": ["abc"]}))
        assert (response.status_code, error_of(response)) == (504, "no answer within 300 ms")
    free.set()


def test_large_ones_are_read_and_written_elsewhere(
    ask: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here, others would have to wait."""
    for name in ("parse_object", "finish_predict", "encode_response"):
        monkeypatch.setattr(rest, name, lambda *_: 1 / 0)
    answer = ask.post("/v1/models/zeros:predict", padded({"instances": [20_000]}))
    assert answer.json() == {"predictions": [[0.0] * 20_000]}
    assert "'sed'" in error_of(ask.post("/v1/models/writer:stream", padded({"sed": 1})))


def test_small_ones_bypass_the_readers(ask: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest.Readers, "predict", lambda *_: 1 / 0)
    assert ask.post("/v1/models/lengths:predict", {"instances": ["ab"]}).status_code == 200
