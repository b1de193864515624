"""A few hundred messages that nobody would send; tests/acceptance has the long run."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from tests.serving.asking import Loaded
from tests.serving.grpc import fuzz
from tests.serving.grpc.asking import Served
from textapps.serving.settings import Settings


@pytest.fixture(scope="module")
def served(loaded: Loaded) -> Iterator[Served]:
    repository = loaded("lengths", "sums", "typed", "flowers")
    with Served(repository, Settings(max_body_mb=0.02)) as served:
        yield served


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(call=fuzz.calls)
def test_any_message(served: Served, call: tuple[str, bytes]) -> None:
    fuzz.check_answer(served, *call)
