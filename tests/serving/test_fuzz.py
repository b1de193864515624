"""A few hundred requests that nobody would send; tests/acceptance has the long run."""

import pytest
from hypothesis import HealthCheck, given, settings

from tests.serving import fuzz
from tests.serving.asking import Asker, Loaded
from textapps.serving.app import create_app
from textapps.serving.settings import Settings

few_hundred = settings(max_examples=100, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def ask(loaded: Loaded) -> Asker:
    repository = loaded("lengths", "sums", "typed", "flowers", "scalar", writer="generator")
    return Asker(create_app(Settings(max_body_mb=0.02), repository))


@pytest.mark.slow
@few_hundred
@given(body=fuzz.bodies)
@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/lengths:predict",
        "/v1/models/sums:predict",
        "/v1/models/scalar:predict",
        "/v1/models/flowers:classify",
        "/v1/models/writer:stream",
    ],
)
def test_any_body(ask: Asker, path: str, body: bytes) -> None:
    fuzz.check_answer(ask, "POST", path, body)


@few_hundred
@given(method=fuzz.methods, path=fuzz.paths, body=fuzz.bodies)
def test_any_path(ask: Asker, method: str, path: str, body: bytes) -> None:
    fuzz.check_answer(ask, method, path, body)
