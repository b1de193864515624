"""Which pretrained models a search starts from: those that know the texts, or that are named."""

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.search.searching import searched, settings
from tests.search.simulated import Silent
from textapps.core.errors import ConfigurationError
from textapps.core.notices import NOTICE
from textapps.search import run as searches
from textapps.search.starts import foreign, worth_trying
from textapps.tasks.registry import get_presets, get_task

CYRILLIC = str.maketrans({chr(97 + i): chr(0x430 + i) for i in range(26)})
Make = Callable[[str], Any]


@pytest.fixture
def imdb(packed: Make, monkeypatch: pytest.MonkeyPatch) -> Any:
    model = packed("sentiment")
    monkeypatch.setenv("TEXTAPPS_PRETRAINED_DIR", str(model.path.parent))
    return model


@pytest.fixture
def cyrillic(toy_data: Callable[[str], Path], tmp_path: Path) -> Path:
    """The toy opinions in other letters."""
    with toy_data("sentiment").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    at = header.index("text")
    for row in rows:
        row[at] = row[at].translate(CYRILLIC)
    with (tmp_path / "opinions.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return tmp_path / "opinions.csv"


def of(source: Path, **flags: object) -> searches.Settings:
    own = {"preset": "tiny", "data.source": str(source), "training.epochs": 1, **flags}
    return replace(settings("sentiment", source, kinds=()), flags=own, trials=1)


@pytest.mark.usefixtures("eager", "imdb")
@pytest.mark.filterwarnings("ignore:Even though the `tf.config:UserWarning")
class TestOtherLetters:
    @pytest.mark.slow
    def test_a_start_of_another_language_is_not_tried(
        self, cyrillic: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(NOTICE, "textapps")
        _, found = searched("sentiment", tmp_path, of(cyrillic))
        assert "start.init_from" not in found.space
        assert "pretrained:imdb is not tried as a start: it knows" in caplog.text

    @pytest.mark.slow
    def test_one_that_is_named_is_tried(self, cyrillic: Path, tmp_path: Path) -> None:
        named = of(cyrillic, **{"start.init_from": "none,pretrained:imdb"})
        _, found = searched("sentiment", tmp_path, named)
        assert found.space["start.init_from"] == "none, pretrained:imdb"

    @pytest.mark.slow
    def test_a_search_that_goes_on_tries_the_same_ones(
        self, cyrillic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def killed(*_: Any, **__: Any) -> Any:
            raise KeyError

        with monkeypatch.context() as patch:
            patch.setattr(searches, "conduct", killed)
            with pytest.raises(KeyError):
                searched("sentiment", tmp_path, of(cyrillic))
        _, found = searches.resume("sentiment", tmp_path, Silent())
        assert "start.init_from" not in found.space


def test_one_that_does_not_exist_is_refused(
    imdb: Any, toy_data: Callable[[str], Path], tmp_path: Path
) -> None:
    named = of(toy_data("sentiment"), **{"start.init_from": "none,pretrained:imbd"})
    with pytest.raises(ConfigurationError, match=r"'pretrained:imbd', .*did you mean"):
        searched("sentiment", tmp_path, named)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["sentiment", "generate", "translate", "speech"])
def test_every_task_knows_its_own_texts(
    task: Any,
    packed: Make,
    toy_data: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = packed(task)
    monkeypatch.setenv("TEXTAPPS_PRETRAINED_DIR", str(model.path.parent))
    config = get_presets(task).resolve(flags={"preset": "tiny", "data.source": str(toy_data(task))})
    train, _ = get_task(task).load_training(config, ())
    origins = [model.origin, "pretrained:none"]  # what cannot be read is left to its trial
    assert worth_trying(get_task(task), origins, train) == origins


@pytest.mark.parametrize(
    ("ids", "told"),
    [
        ([2] * 4 + [1], ""),
        ([2] * 3 + [1], "it knows 75 % of the tokens of the training texts"),
        # Letters that a Chinese model has met too, but seldom.
        (
            [2, 3, *range(500, 526)],
            "of another language, 2 of its 20 most frequent tokens occur in the training texts",
        ),
        ([*range(2, 12), *range(500, 526)], ""),
        ([2, 900], ""),  # a vocabulary of few tokens, or few texts
        ([], ""),
    ],
)
def test_what_is_foreign(ids: list[int], told: str) -> None:
    assert foreign(np.array(ids, np.int32)) == told
