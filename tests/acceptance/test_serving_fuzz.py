"""Many thousand requests that nobody would send: never a 500, never a hang."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.serving import fuzz, legacy, models
from tests.serving.asking import Asker, repository_of
from tests.serving.grpc import fuzz as grpc_fuzz
from tests.serving.grpc.asking import Served
from textapps.serving.app import create_app
from textapps.serving.settings import Settings

pytestmark = pytest.mark.acceptance

CASES = 10_000  # of each test
long = settings(
    max_examples=CASES,
    derandomize=False,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Asker:
    aside = tmp_path_factory.mktemp("built")
    repository = repository_of(
        tmp_path_factory.mktemp("models"),
        lambda name: getattr(models, name)(aside / name),
        lengths="lengths",
        sums="sums",
        typed="typed",
        writer="generator",
    )
    return Asker(create_app(Settings(max_body_mb=0.02), repository))


@pytest.mark.parametrize("model", ["lengths", "sums", "typed", "writer"])
def test_bodies(ask: Asker, model: str) -> None:
    codes: Counter[tuple[str, int]] = Counter()

    @settings(long, max_examples=CASES // 4)
    @given(body=fuzz.bodies)
    def check(body: bytes) -> None:
        for action in ("predict", "stream"):
            path = f"/v1/models/{model}:{action}"
            codes[action, fuzz.check_answer(ask, "POST", path, body)] += 1

    check()
    print(f"\n{model}: {sum(codes.values()):,} requests, {dict(codes)}")
    assert codes["predict", 400] > 0


def test_paths(ask: Asker) -> None:
    codes: Counter[int] = Counter()

    @long
    @given(method=fuzz.methods, path=fuzz.paths, body=fuzz.bodies)
    def check(method: str, path: str, body: bytes) -> None:
        codes[fuzz.check_answer(ask, method, path, body)] += 1

    check()
    print(f"\npaths: {sum(codes.values()):,} requests, {dict(codes)}")
    assert set(codes) >= {200, 400, 404}


def test_messages_over_grpc(tmp_path_factory: pytest.TempPathFactory) -> None:
    aside = tmp_path_factory.mktemp("built")
    repository = repository_of(
        tmp_path_factory.mktemp("models"),
        lambda name: getattr(legacy if name == "flowers" else models, name)(aside / name),
        lengths="lengths",
        sums="sums",
        typed="typed",
        flowers="flowers",
    )
    codes: Counter[str] = Counter()

    with Served(repository, Settings(max_body_mb=0.02)) as served:

        @settings(long, max_examples=3 * CASES)
        @given(call=grpc_fuzz.calls)
        def check(call: tuple[str, bytes]) -> None:
            codes[grpc_fuzz.check_answer(served, *call)] += 1

        check()
    print(f"\ngRPC: {sum(codes.values()):,} messages, {dict(codes)}")
    assert set(codes) >= {"OK", "INVALID_ARGUMENT", "NOT_FOUND"}
