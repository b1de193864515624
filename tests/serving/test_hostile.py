"""Requests that ask for too much, of exports that were made before they had limits."""

import asyncio
import base64
import io
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile

from tests.serving import models
from tests.serving.asking import Asker
from textapps.serving.app import create_app
from textapps.serving.repository import Repository
from textapps.serving.settings import Settings

GOLDEN = Path(__file__).parent.parent / "golden"
OPTIONS = {"temperature": 0.0, "top_k": 0, "top_p": 1.0, "repetition_penalty": 1.0}


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Asker:
    directory = tmp_path_factory.mktemp("models")
    for name in ("generate", "speech", "sentiment"):
        models.copy(GOLDEN / name / "1", directory / name / "1")
    repository = Repository(directory)
    repository.poll()
    assert repository.states() == dict.fromkeys(("generate", "sentiment", "speech"), "ready")
    return Asker(create_app(Settings(), repository))


def generate(length: int, rows: int = 1, seed: str = "It") -> dict[str, Any]:
    row = {"seed": seed, "length": length, "random_seed": 1, **OPTIONS}
    return {"signature_name": "generate", "instances": [row] * rows}


def clips() -> dict[str, Any]:
    """A recording of 29 s and many that are empty."""
    file = io.BytesIO()
    soundfile.write(file, np.zeros(29 * 4_000), 4_000, subtype="PCM_U8", format="WAV")
    return {"instances": [b64(file.getvalue()), *[b64(b"")] * 2_000]}


def b64(data: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(data).decode()}


HOSTILE: dict[str, tuple[str, dict[str, Any], str]] = {
    "length": ("generate", generate(30_000_000), "'length' is 30,000,000; the limit is 100,000"),
    "largest length": ("generate", generate(2**31 - 1), "'length' is 2,147,483,647"),
    "rows": ("generate", generate(50_000, rows=100), "are 5,000,200 in total; the limit is 2,000"),
    "seed": ("generate", generate(1, seed="x" * 200_001), "'seed' has a row of length 200,001"),
    "padding": (
        "sentiment",
        {"instances": ["long " * 400, *[""] * 200_000]},
        "MB of memory; the limit is 1,024 MB",
    ),
    "clips": ("speech", clips(), "MB of memory; the limit is 1,024 MB"),
    "text": ("sentiment", {"instances": ["x" * 1_000_001]}, "'text' has a row of length"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_asks_for_too_much_is_refused_and_others_are_answered(ask: Asker, kind: str) -> None:
    model, body, problem = HOSTILE[kind]

    async def both() -> tuple[list[httpx.Response], list[httpx.Response], float]:
        async with ask.client() as client:
            hostile = [client.post(f"/v1/models/{model}:predict", json=body) for _ in range(20)]
            good = [
                client.post("/v1/models/generate:predict", json=generate(9)),
                client.post("/v1/models/sentiment:predict", json={"instances": ["A film."]}),
            ]
            tasks = [asyncio.create_task(each) for each in (*hostile, *good)]
            begin = time.monotonic()
            await asyncio.gather(*tasks[20:])
            seconds = time.monotonic() - begin
            answers = await asyncio.gather(*tasks)
            return answers[:20], answers[20:], seconds

    refused, answered, seconds = asyncio.run(both())
    assert [response.status_code for response in answered] == [200, 200]
    assert seconds < 20
    assert {response.status_code for response in refused} == {400}
    for response in refused:
        assert problem in response.json()["error"]
