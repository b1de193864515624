"""Classes of unequal size: the metric that is monitored, class weights and oversampling."""

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tasks.stopping import CopyHalfway, assert_same_bits, halfway
from tests.tasks.tiny import FILLERS, TELLING
from tests.tasks.toy_words import RATE_HZ, WORDS, spoken, wav_bytes
from textapps.core.errors import ConfigurationError
from textapps.core.notices import NOTICE
from textapps.tasks import lifecycle
from textapps.tasks.registry import get_presets, get_task, monitor_of
from textapps.tasks.report import facts
from textapps.training.class_balance import balanced_weights
from textapps.training.history import read_history
from textapps.training.run_directory import RunDirectory

Tiny = Callable[..., Any]
SIZES = {"train": (57, 14), "validation": (11, 4), "test": (9, 5)}


@pytest.fixture(scope="module")
def rare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texts of two classes, one of them four times as frequent in train."""
    draw = np.random.RandomState(7)
    path = tmp_path_factory.mktemp("rare") / "rare.csv"
    lines = ["text,label,split"]
    for split, counts in SIZES.items():
        for label, count in zip(("common", "rare"), counts, strict=True):
            for _ in range(count):
                words = [*draw.choice(FILLERS, draw.randint(2, 8))]
                words.insert(draw.randint(len(words)), draw.choice(TELLING[label == "rare"]))
                lines.append(f"{' '.join(words)},{label},{split}")
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def few_words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings of three words, one of which is rare in train."""
    folder = tmp_path_factory.mktemp("few")
    for split, counts in {"training": (16, 16, 7), "validation": (4, 4, 4)}.items():
        for place, (word, count) in enumerate(zip(WORDS, counts, strict=True)):
            (folder / split / word).mkdir(parents=True)
            for number in range(count):
                clip = folder / split / word / f"{split}{number}.wav"
                clip.write_bytes(wav_bytes(spoken(word, 100 * place + number), RATE_HZ))
    return folder


def config_of(tiny: Tiny, task: str, source: Path, **changes: object) -> Any:
    own = {"data.source": str(source), "training.epochs": 4, "training.checkpoint_steps": 5}
    if task == "speech":
        own |= {"data.commands": (), "data.silence": 0.0}
    return tiny(task, "simple_rnn", **own | changes)


@pytest.mark.slow
@pytest.mark.parametrize(
    "task", ["sentiment", pytest.param("speech", marks=pytest.mark.exhaustive)]
)
def test_macro_f1_is_monitored_and_a_resumed_run_ends_the_same(
    tiny: Tiny, tmp_path: Path, caplog, task: str, request: pytest.FixtureRequest
) -> None:
    """With class weights and oversampling, in which passes differ."""
    source = request.getfixturevalue("rare" if task == "sentiment" else "few_words")
    changes = {"training.class_weights": "balanced", "data.repeat": 2}
    config = config_of(tiny, task, source, **changes)
    progress = CopyHalfway(tmp_path / "whole" / task)
    with caplog.at_level(NOTICE, "textapps"):
        whole, result = lifecycle.train(get_task(task), config, tmp_path / "whole", progress)
    told = {
        "sentiment": "'common' has 4.07 times as many examples as 'rare' (57 and 14)",
        "speech": "'größer, down' has 2.5 times as many examples as 'stay' (15 and 6)",
    }[task]
    assert any(told in line and "--class-weights" in line for line in caplog.messages)
    assert whole.run.config["training"]["monitor"] == "macro_f1" == monitor_of(whole.run)
    scores = [float(row["val_macro_f1"]) for row in read_history(whole.run)]
    assert result.monitor == "macro_f1"
    assert result.best_score == pytest.approx(max(scores), rel=1e-6)
    metrics = {"parameters": 7, "seconds": 1.0}
    summary = {"data": "rare", "split": "test", "examples": 3, "metrics": metrics}
    assert facts(whole, summary, "examples")["best weights by"] == "Macro F1 (validation)"
    run = halfway(whole.run, tmp_path / "stopped")
    lifecycle.resume(get_task(task), run)
    assert_same_bits(whole.run, run)


@pytest.mark.exhaustive
def test_a_run_that_names_no_metric_goes_on_as_before(
    tiny: Tiny, rare: Path, tmp_path: Path
) -> None:
    """An earlier version wrote none: accuracy selects, and history.csv keeps its columns."""
    config = config_of(tiny, "sentiment", rare, **{"training.monitor": "accuracy"})
    task = get_task("sentiment")
    progress = CopyHalfway(tmp_path / "whole" / task.name)
    whole, expected = lifecycle.train(task, config, tmp_path / "whole", progress)
    run = halfway(whole.run, tmp_path / "old")
    text = (run.path / "config.toml").read_text(encoding="utf-8")
    old, removed = re.subn(r"^(monitor|class_weights|repeat) = .*\n", "", text, flags=re.M)
    assert removed == 3
    run.write_text("config.toml", old)
    run = RunDirectory.open(run.path)
    _, result = lifecycle.resume(task, run)
    assert_same_bits(whole.run, run)
    assert (monitor_of(run), result.monitor) == ("accuracy", "accuracy")
    assert result.best_score == expected.best_score
    assert list(read_history(run)[-1]) == list(read_history(whole.run)[-1])
    assert "val_macro_f1" not in read_history(run)[-1]


def test_the_classes_decide_what_is_monitored(tiny: Tiny, rare: Path, toy_data) -> None:
    """A named metric stays; of spoken words only commands count."""
    sentiment, speech = get_task("sentiment"), get_task("speech")
    for given, source, expected in (
        ("auto", rare, "macro_f1"),
        ("loss", rare, "loss"),
        ("auto", toy_data("sentiment"), "accuracy"),
    ):
        config = config_of(tiny, "sentiment", source, **{"training.monitor": given})
        texts, _ = sentiment.load_training(config, ())
        assert sentiment.settle(config, texts).training.monitor == expected
    config = tiny("speech", "simple_rnn")
    clips, _ = speech.load_training(config, ())
    counts = Counter(clips.names[label] for label in clips.labels)
    assert counts["silence"] < counts["up"] / 2
    assert speech.settle(config, clips).training.monitor == "loss"


def test_weights_are_those_of_a_pass(tiny: Tiny, rare: Path, tmp_path: Path) -> None:
    """Oversampling has evened out a part already."""
    task = get_task("sentiment")
    for repeat, sizes in ((1, (57, 14)), (3, (57, 42)), (9, (57, 57))):
        changes = {"data.repeat": repeat, "training.class_weights": "balanced"}
        config = config_of(tiny, "sentiment", rare, **changes)
        texts, validation = task.load_training(config, ())
        featurizer, batches = task.learn(config, texts, None)
        assert tuple(np.bincount(batches.labels_of_pass)) == sizes
        assert batches.steps_per_pass == -(-sum(sizes) // config.training.batch_size)
        model = task.model(config, featurizer, texts.label_names)
        predictor = task.predictor(
            RunDirectory(tmp_path, {}), config, featurizer, model, texts.label_names
        )
        found = task.objective(predictor, validation, batches).class_weights
        np.testing.assert_allclose(found, sum(sizes) / (2 * np.array(sizes)), rtol=1e-6)
        np.testing.assert_array_equal(found, balanced_weights(batches.labels_of_pass, 2))


@pytest.mark.parametrize("task", ["generate", "translate"])
def test_tasks_without_classes_refuse_them(task: str) -> None:
    for key, value in (("monitor", "accuracy"), ("class_weights", "balanced")):
        with pytest.raises(ConfigurationError, match=f"unknown key 'training.{key}'"):
            get_presets(task).resolve(flags={f"training.{key}": value})


def test_an_unknown_metric_names_those_there_are() -> None:
    with pytest.raises(ConfigurationError, match="'auto', 'accuracy', 'macro_f1' or 'loss'"):
        get_presets("speech").resolve(flags={"training.monitor": "bleu"})
