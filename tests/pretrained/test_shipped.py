"""The models that come with the package: those of models/pretrained, one by one."""

import tomllib
from pathlib import Path

import pytest

import textapps
from textapps.core.names import TASKS
from textapps.pretrained import store
from textapps.pretrained.model import PretrainedModel

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "models" / "pretrained"
NAMES = sorted(path.parent.name for path in SHIPPED.glob("*/pretrained.json"))
TABLE = tomllib.loads((ROOT / "models" / "shipped.toml").read_text(encoding="utf-8"))
MOST_BYTES = 25_000_000
GENERATED = 12  # characters; whether a text is good is for the figures to say


@pytest.fixture
def model(name: str, monkeypatch: pytest.MonkeyPatch) -> PretrainedModel:
    monkeypatch.setenv("TEXTAPPS_PRETRAINED_DIR", str(SHIPPED))
    return store.find(name)


def test_the_size_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTAPPS_PRETRAINED_DIR", str(SHIPPED))
    assert sum(model.bytes for model in store.models()) <= MOST_BYTES
    assert set(store.names()) <= set(TABLE)
    assert set(store.DEFAULTS.values()) <= set(TABLE)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_whole_and_its_card_says_what_a_user_must_know(model: PretrainedModel) -> None:
    model.verify()
    known, own = model.description, TABLE[model.description.name]
    for key in ("task", "title", "data", "terms", "use", "not_for"):
        assert getattr(known, key) == own[key]
        assert key == "task" or own[key] in model.card
    assert known.figures.metrics.keys() == known.figures.full_precision.keys()
    for command in known.commands:
        assert command in model.card
    for path in model.path.rglob("*"):
        if path.suffix in (".toml", ".json", ".md"):
            text = path.read_text(encoding="utf-8")
            assert '"/' not in text, f"{path} names a place of the machine it was made on"


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_it_answers(model: PretrainedModel) -> None:
    known = model.description
    if known.task not in TASKS:
        from textapps.tasks import lifecycle
        from textapps.tasks.registry import get_task
        from textapps.training.run_directory import RunDirectory

        run = RunDirectory.find(Path(), known.task, model.origin)
        assert lifecycle.load(get_task(known.task), run).parameters == known.parameters
        return
    predictor = textapps.load(known.task, model.origin)
    assert predictor.parameters == known.parameters
    inputs = [next(iter(each.values())) for each in known.inputs]
    if known.task == "generate":
        made = predictor.generate(inputs, length=GENERATED, random_seed=1)  # type: ignore[attr-defined]
        assert [len(text) for text in made] == [GENERATED] * len(inputs)
    elif known.task == "speech":
        import numpy as np

        silence = np.zeros(predictor.config.preprocessor.clip_samples, np.float32)  # type: ignore[attr-defined]
        assert predictor.predict([silence])[0].label in predictor.labels  # type: ignore[attr-defined]
    else:
        assert len(predictor.predict(inputs)) == len(inputs)  # type: ignore[attr-defined]
