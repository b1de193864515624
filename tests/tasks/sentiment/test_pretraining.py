"""Pre-training as a task: exact resume, and classifiers that start from it."""

import csv
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tasks.stopping import CopyHalfway, assert_same_bits, halfway
from tests.tasks.tiny import tiny_config
from textapps.core.errors import ConfigurationError, RunError
from textapps.core.records import read_record
from textapps.tasks import lifecycle
from textapps.tasks.registry import get_presets
from textapps.tasks.sentiment.pretraining.data import pieces
from textapps.tasks.sentiment.pretraining.task import TASK
from textapps.tasks.sentiment.task import TASK as CLASSIFIER
from textapps.training.history import read_history
from textapps.training.run_directory import RunDirectory

SIZES: dict[str, object] = {
    "preset": "tiny",
    "backbone.units": 8,
    "backbone.heads": 2,
    "model.embedding_units": 6,
    "model.piece": 9,
    "model.kernel": 3,
    "model.stride": 2,
    "preprocessor.vocabulary_size": 12,
    "training.epochs": 2,
    "training.batch_size": 7,
    "training.learning_rate": 0.02,
    "training.checkpoint_steps": 5,
    "data.validation_share": 0.1,
}

CYCLE = ["the", "film", "was", "a", "fine", "one", ",", "but", "too", "long"]


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labelled texts with splits: pieces of a sequence that repeats itself."""
    draw = random.Random(2)
    path = tmp_path_factory.mktemp("texts") / "own.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "split"])
        for split, count in (("train", 90), ("validation", 9), ("test", 8)):
            for number in range(count):
                start, length = draw.randrange(len(CYCLE)), draw.randrange(4, 23)
                words = (CYCLE * 4)[start : start + length]
                writer.writerow([" ".join(words), "yes" if number % 2 else "no", split])
    return path


@pytest.fixture(scope="module")
def pretrained(
    texts: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., RunDirectory]:
    found: dict[str, RunDirectory] = {}

    def make(kind: str) -> RunDirectory:
        if kind not in found:
            folder = tmp_path_factory.mktemp("pretrained")
            progress = CopyHalfway(folder / TASK.name)
            found[kind] = lifecycle.train(TASK, config_of(kind, texts), folder, progress)[0].run
        return found[kind]

    return make


def config_of(kind: str, source: Path, **changes: object) -> Any:
    flags = {**SIZES, "backbone.kind": kind, "data.source": str(source), **changes}
    return get_presets(TASK.name).resolve(flags=flags)


def classifier_config(run: RunDirectory, source: Path, **changes: object) -> Any:
    flags = {
        "preset": "tiny",
        "data.source": str(source),
        "start.init_from": str(run.path),
        "training.epochs": 1,
        **changes,
    }
    return get_presets("sentiment").resolve(flags=flags, start=run.path / "config.toml")


def test_pieces() -> None:
    values, splits = pieces((np.arange(20, dtype=np.int32), np.array([0, 3, 3, 13, 20])), 4)
    assert np.diff(splits).tolist() == [3, 3, 3, 4, 3, 4]
    assert values.tolist() == list(range(20))


@pytest.mark.parametrize("kind", ["gru", pytest.param("transformer", marks=pytest.mark.exhaustive)])
def test_it_learns_and_resumes_to_the_same_bits(
    kind: str, pretrained: Callable[..., RunDirectory], tmp_path: Path
) -> None:
    whole = pretrained(kind)
    surprise = [float(row["nats_per_token"]) for row in read_history(whole)]
    assert surprise[-1] < surprise[0] - 0.2
    resumed, _ = lifecycle.resume(TASK, halfway(whole, tmp_path))
    assert_same_bits(resumed.run, whole)


@pytest.mark.slow
def test_a_classifier_starts_from_it(
    pretrained: Callable[..., RunDirectory], texts: Path, tmp_path: Path
) -> None:
    """Embedding, stem and backbone come along; the n-grams are learned anew."""
    run = pretrained("gru")
    config = classifier_config(run, texts, **{"model.ngrams": 2, "model.pooling": "max_mean"})
    assert (config.model.embedding_units, config.model.kernel, config.model.stride) == (6, 3, 2)
    assert (config.backbone.units, config.preprocessor.vocabulary_size) == (8, 12)
    assert config.preprocessor.max_tokens == 400  # its own cuts texts into pieces instead
    assert (config.training.learning_rate, config.training.batch_size) == (1.5e-3, 64)
    made, _ = lifecycle.train(CLASSIFIER, config, tmp_path)
    record = read_record(made.run.path / "start.json")
    layers = {kind: {path.split("/")[1] for path in record[kind]} for kind in ("reused", "new")}
    assert layers == {
        "reused": {"embedding", "stem", "backbone"},
        "new": {"head", "ngram_path"},
    }
    assert record["run"] == str(run.path)
    assert made.preprocessor.ngram_count > 0
    assert RunDirectory.latest(tmp_path, "sentiment").path == made.run.path


def test_test_texts_that_it_has_read_are_warned_of(
    pretrained: Callable[..., RunDirectory],
    texts: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It leaves out the test split of its own data, but not of others."""
    run = pretrained("gru")
    lifecycle.begin(CLASSIFIER, classifier_config(run, texts), tmp_path)
    assert "test split" not in caplog.text
    other = tmp_path / "other.csv"
    head, *rows = texts.read_text(encoding="utf-8").splitlines()
    one = next(row for row in rows if row.endswith(",train") and row.count(" ") > 9)
    rows = [*rows, one.replace(",train", ",test").replace("the", "The")]
    other.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    lifecycle.begin(CLASSIFIER, classifier_config(run, other), tmp_path)
    assert (
        f"{run.name} was trained on 1 of the 9 examples of the test split of other" in caplog.text
    )


@pytest.mark.slow
def test_its_run_is_never_taken_for_a_classifier(
    pretrained: Callable[..., RunDirectory],
) -> None:
    run = pretrained("gru")
    models = run.path.parents[1]
    with pytest.raises(RunError, match="no finished run of sentiment in"):
        RunDirectory.find(models, "sentiment", None)
    with pytest.raises(RunError, match="is a run of sentiment-pretrain, not of sentiment"):
        RunDirectory.find(models, "sentiment", run.path)
    assert RunDirectory.find(models, "sentiment", run.name, TASK.name).path == run.path


REFUSED: list[tuple[dict[str, object], str]] = [
    ({"model.stride": 1}, r"model\.stride 1 does not fit .*, which has 2"),
    ({"model.embedding_units": 7}, r"model\.embedding_units 7 does not fit .*, which has 6"),
    ({"backbone.kind": "lstm"}, r"backbone\.kind lstm does not fit .*, which has gru"),
    ({"backbone.units": 12}, r"backbone\.units 12 does not fit .*, which has 8"),
    ({"preprocessor.tokens": "char"}, r"preprocessor\.tokens char does not fit .* has word"),
]


@pytest.mark.parametrize(("changes", "message"), REFUSED)
def test_what_does_not_fit_is_refused(
    pretrained: Callable[..., RunDirectory],
    texts: Path,
    tmp_path: Path,
    changes: dict[str, object],
    message: str,
) -> None:
    config = classifier_config(pretrained("gru"), texts, **changes)
    with pytest.raises(ConfigurationError, match=message):
        lifecycle.begin(CLASSIFIER, config, tmp_path)
    assert not list(tmp_path.iterdir())


def test_other_tasks_do_not_start_from_it(
    pretrained: Callable[..., RunDirectory], toy_data: Callable[[str], Path], tmp_path: Path
) -> None:
    from textapps.tasks.registry import get_task

    start = {"start.init_from": str(pretrained("gru").path)}
    config = tiny_config("generate", "gru", toy_data("generate"), **start)
    with pytest.raises(RunError, match="is a run of sentiment-pretrain, not of generate"):
        lifecycle.begin(get_task("generate"), config, tmp_path)


def test_pre_training_goes_on_from_another(
    pretrained: Callable[..., RunDirectory], tmp_path: Path
) -> None:
    """With other texts: the vocabulary stays, and all weights are taken."""
    draw = random.Random(1)
    path = tmp_path / "more.txt"
    lines = (" ".join(draw.choices(["film", "great", "plot"], k=5)) for _ in range(30))
    path.write_text("\n".join(lines), encoding="utf-8")
    run = pretrained("gru")
    config = config_of("gru", path, **{"start.init_from": str(run.path)})
    made = lifecycle.begin(TASK, config, tmp_path / "models")
    assert made.start is not None
    old = TASK.load_preprocessor(made.config, run.preprocessor_dir)
    assert made.preprocessor.tokenizer.vocabulary.tokens == old.tokenizer.vocabulary.tokens
