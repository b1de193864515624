"""What happens once for all tasks: texts are read once, runs are whole or absent."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from textapps.core.errors import ConfigurationError, DataError
from textapps.preprocessing import text
from textapps.tasks import lifecycle
from textapps.tasks.registry import get_task
from textapps.training.evaluations import read_metrics


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], list[str]]:
    """All texts that were cut into tokens, and all whose Unicode form was changed before."""
    cut: list[str] = []
    formed: list[str] = []
    batches = text.batches

    def watched(texts: Iterable[str], *size: int) -> Iterator[Any]:
        texts = list(texts)
        (formed if size else cut).extend(texts)
        return batches(texts, *size)

    monkeypatch.setattr(text, "batches", watched)
    return cut, formed


@pytest.mark.parametrize(("name", "kind"), [("sentiment", "lstm"), ("translate", "simple_rnn")])
def test_texts_are_tokenised_once(
    tiny: Callable[..., Any],
    read: tuple[list[str], list[str]],
    tmp_path: Path,
    name: str,
    kind: str,
) -> None:
    """To learn a vocabulary of words, or n-grams, and to train by it; also when it goes on."""
    cut, formed = read
    task = get_task(name)
    made = lifecycle.begin(task, tiny(name, kind), tmp_path)
    train, _ = task.load_training(made.config, made.labels)
    texts = [*train.texts] if name == "sentiment" else [*train.sources, *train.targets]
    copies = texts if name == "translate" else []  # numbers are cut out of the form
    assert (cut, formed) == (texts, copies)
    cut.clear()
    formed.clear()
    task.training_batches(made.config, made.preprocessor, train)
    assert (cut, formed) == (texts, copies)


@pytest.mark.parametrize("name", ["sentiment", "generate", "translate", "speech"])
def test_no_run_before_all_is_good(tiny: Callable[..., Any], tmp_path: Path, name: str) -> None:
    task = get_task(name)
    gone = tiny(name, "gru", **{"data.source": str(tmp_path / "gone.csv")})
    with pytest.raises(DataError, match=r"gone\.csv"):
        lifecycle.begin(task, gone, tmp_path)
    odd = tiny(name, "gru", **{"backbone.units": 7, "data.source": str(tmp_path / "gone.csv")})
    if name != "generate":  # which reads one way
        with pytest.raises(ConfigurationError, match=r"backbone\.units 7|even"):
            lifecycle.begin(task, odd, tmp_path)
    assert not list(tmp_path.iterdir())


def test_only_the_own_test_split_as_configured_becomes_metrics_json(
    untrained: Callable[..., Any], copied: Callable[[Any], Any]
) -> None:
    """`--skip-bad` says how to read data, not which."""
    task, predictor = get_task("sentiment"), copied(untrained("sentiment", "gru"))
    own = predictor.config.data
    for given, split, options in (
        (None, "validation", None),
        (own.model_copy(update={"test_source": own.source}), "test", None),
        (None, "test", {"export.verify": False}),
    ):
        assert not lifecycle.evaluate(task, predictor, given, split, options).default
        assert read_metrics(predictor.run) == {}
    found = lifecycle.evaluate(task, predictor, own.model_copy())
    assert found.default
    assert read_metrics(predictor.run) == found.summary["metrics"]
