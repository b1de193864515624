"""Models whose rows depend on each other, asked by many at once: everyone gets their own answer."""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.serving import models
from tests.serving.asking import Asker, Built, repository_of
from textapps.serving.app import create_app
from textapps.serving.batching import Batching
from textapps.serving.settings import Settings

REQUESTS, AT_ONCE = 60, 20


@pytest.mark.parametrize("kind", models.DEPENDENT)
def test_nobody_is_mixed_up_or_cut(built: Built, tmp_path: Path, kind: str) -> None:
    batching = Batching(max_batch_size=8, batch_timeout_ms=2)
    repository = repository_of(tmp_path, built, batching, foreign=("dependent", kind))
    random = np.random.default_rng(3)
    questions = [random.integers(-99, 99, size) / 4 for size in random.integers(1, 30, REQUESTS)]

    async def ask_all() -> list[Any]:
        turns = asyncio.Semaphore(AT_ONCE)
        async with Asker(create_app(Settings(), repository)).client() as client:

            async def ask(question: np.ndarray) -> Any:
                async with turns:
                    body = {"instances": question.tolist()}
                    response = await client.post("/v1/models/foreign:predict", json=body)
                    return response.json()["predictions"]

            return await asyncio.gather(*map(ask, questions))

    for question, answer in zip(questions, asyncio.run(ask_all()), strict=True):
        expected = models.DEPENDENT[kind](question.astype(np.float32))
        np.testing.assert_allclose(answer, expected, rtol=1e-5, atol=1e-4)
