"""A directory to serve, tiny models to put into it, each made once, and the page in a browser."""

import gc
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.serving import browser, legacy, models
from tests.serving.asking import Asker, Built, Loaded, repository_of
from textapps.serving.app import create_app
from textapps.serving.repository import Repository
from textapps.serving.settings import Settings


@pytest.fixture(autouse=True, scope="module")
def _what_earlier_tests_made_is_not_collected() -> None:
    """Unloading a model collects garbage, which takes seconds among all that tests have made."""
    gc.freeze()


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`built("lengths", 3)` is a directory with that model of `models` or `legacy`."""
    made: dict[tuple[object, ...], Path] = {}

    def build(name: str, *arguments: object) -> Path:
        key = (name, *arguments)
        if key not in made:
            write = getattr(models, name, None) or getattr(legacy, name)
            made[key] = write(tmp_path_factory.mktemp(name) / "model", *arguments)
        return made[key]

    return build


@pytest.fixture(scope="module")
def loaded(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """`loaded("lengths", two=("half_plus", 2))` is a repository of these models."""

    def load(*names: str, **served: str | tuple[Any, ...]) -> Repository:
        named = dict(zip(names, names, strict=True))
        return repository_of(tmp_path_factory.mktemp("models"), built, **named, **served)

    return load


@pytest.fixture(scope="module")
def ask(repository: Repository) -> Asker:
    """Asks an application that serves the `repository` of the test's module."""
    return Asker(create_app(Settings(), repository))


@pytest.fixture
def place(tmp_path: Path, built: Callable[..., Path]) -> Callable[..., Path]:
    """`place("m", 2, "lengths", 3)` makes it appear whole at `<directory>/m/2`."""

    def put(model: str, version: int, name: str, *arguments: object) -> Path:
        return models.copy(built(name, *arguments), tmp_path / "models" / model / str(version))

    return put


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """The directory to serve, empty."""
    path = tmp_path / "models"
    path.mkdir()
    return path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, built: Built) -> Iterator[browser.ServedPage]:
    with browser.ServedPage(
        tmp_path_factory.mktemp("site") / "models", built, browser.SERVED
    ) as served:
        yield served


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    microphone = browser.tone(tmp_path_factory.mktemp("microphone") / "tone.wav", 48_000)
    sync_api.expect.set_options(timeout=browser.PATIENCE_MS)
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=browser.CHROMIUM, args=browser.arguments(microphone)
        )
        yield launched
        launched.close()


@pytest.fixture
def page(chromium: Any, site: browser.ServedPage) -> Iterator[Any]:
    """A page in a profile of its own, which at the end has broken nothing and asked nobody else."""
    context = chromium.new_context(viewport={"width": 1200, "height": 900})
    opened = context.new_page()
    opened.set_default_timeout(browser.PATIENCE_MS)
    broken: list[str] = []
    asked: list[str] = []
    opened.on("pageerror", lambda error: broken.append(str(error)))
    opened.on("console", lambda message: broken.append(message.text))
    context.on("request", lambda request: asked.append(request.url))
    yield opened
    context.close()
    refused = r"Failed to load resource: .*"  # how Chromium tells of every answer that is an error
    assert [text for text in broken if not re.fullmatch(refused, text)] == []
    assert [url for url in asked if not url.startswith((f"{site.url}/", "blob:"))] == []
