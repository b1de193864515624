"""Training with unlabelled texts: who labels them, exact resume, and what may be wrong."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tasks.stopping import CopyHalfway, assert_same_bits, halfway
from tests.tasks.tiny import FILLERS, TELLING
from textapps.core.errors import RunError
from textapps.tasks import lifecycle
from textapps.tasks.sentiment import probing
from textapps.tasks.sentiment.probing import pooled, probe
from textapps.tasks.sentiment.task import TASK
from textapps.tasks.sentiment.teaching import FILE
from textapps.training.run_directory import RunDirectory

Make = Callable[[str, str], Any]
Tiny = Callable[..., Any]

KIND = "simple_rnn"
COUNT = 31


@pytest.fixture(scope="module")
def more(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texts of words that tell their class, without labels."""
    random = np.random.default_rng(2)
    words = [word for group in TELLING for word in group]
    texts = [
        f"{number} {random.choice(FILLERS)} {random.choice(words)} indeed"
        for number in range(COUNT)
    ]
    path = tmp_path_factory.mktemp("more") / "more.txt"
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def config(tiny: Tiny, more: Path) -> Any:
    changes = {"model.ngrams": 2, "training.epochs": 2, "training.checkpoint_steps": 19}
    return tiny("sentiment", KIND, **changes, **{"data.unlabelled": (str(more),)})


@pytest.fixture(scope="module")
def student(config: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A classifier that has learned from unlabelled texts too; no test may change its run."""
    folder = tmp_path_factory.mktemp("models")
    return lifecycle.train(TASK, config, folder, CopyHalfway(folder / "sentiment"))[0]


def labels_of(run: RunDirectory) -> Any:
    with np.load(run.path / FILE) as arrays:
        return arrays["labels"]


def test_the_labels_of_the_teacher_stand_in_the_run(student: Any, more: Path) -> None:
    labels = labels_of(student.run)
    own, others = labels[:-COUNT], labels[-COUNT:]
    assert np.isin(own, (0, 1)).all()
    np.testing.assert_allclose(labels.sum(axis=1), 1, atol=1e-5)
    texts = more.read_text(encoding="utf-8").splitlines()
    truth = [next(c for c, g in enumerate(TELLING) if set(g) & set(t.split())) for t in texts]
    assert np.mean(others.argmax(axis=1) == truth) > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before the first checkpoint", "in the middle of a pass"])
def test_a_killed_training_goes_on_to_the_same_bits(
    student: Any, copied: Callable[[Any], Any], tmp_path: Path, when: str
) -> None:
    if when == "in the middle of a pass":
        run = halfway(student.run, tmp_path)
    else:
        run = copied(student).run
        shutil.rmtree(run.checkpoints)
        (run.path / "history.csv").unlink()
        (run.path / FILE).unlink()
        run = RunDirectory.open(run.path, trained=False)
    resumed, _ = lifecycle.resume(TASK, run)
    assert_same_bits(resumed.run, student.run)


@pytest.mark.slow
def test_the_run_to_start_from_is_the_teacher(
    trained: Make, tiny: Tiny, more: Path, tmp_path: Path
) -> None:
    teacher = trained("sentiment", KIND)
    changes = {
        "data.unlabelled": (str(more),),
        "start.init_from": str(teacher.run.path),
        "training.epochs": 1,
    }
    config = tiny("sentiment", KIND, **changes)
    run = lifecycle.train(TASK, config, tmp_path)[0].run
    texts = more.read_text(encoding="utf-8").splitlines()
    np.testing.assert_allclose(labels_of(run)[-COUNT:], teacher.scores(texts), atol=1e-5)


def test_damaged_labels_and_changed_texts_are_refused(
    student: Any, copied: Callable[[Any], Any]
) -> None:
    run = copied(student).run
    (run.path / FILE).write_bytes(b"PK broken")
    with pytest.raises(RunError, match=r"teacher\.npz cannot be read .*train a new run"):
        lifecycle.resume(TASK, run)
    config = (run.path / "config.toml").read_text(encoding="utf-8")
    other = run.path / "other.txt"
    other.write_text("something else\n", encoding="utf-8")
    source = student.config.data.unlabelled[0]
    (run.path / "config.toml").write_text(config.replace(source, str(other)), encoding="utf-8")
    with pytest.raises(RunError, match="trained on other data"):
        lifecycle.resume(TASK, RunDirectory.open(run.path))


@pytest.mark.exhaustive
def test_balanced_class_weights_count_likely_labels(config: Any, tmp_path: Path) -> None:
    training = config.training.model_copy(update={"class_weights": "balanced", "epochs": 1})
    changed = config.model_copy(update={"training": training})
    assert lifecycle.train(TASK, changed, tmp_path)[1].best_score > 0.5


def test_a_head_is_fitted_to_what_it_gets(untrained: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """As well as scikit-learn's own answers; many texts leave it as it is."""
    from sklearn.linear_model import LogisticRegression

    classifier = untrained("sentiment", "gru")
    texts = ["a fine film", "awful", "great great", "dull", "so-so", "meh meh", "fine", "the dull"]
    labels = np.int32([1, 0, 1, 0, 2, 2, 1, 0])
    ids = classifier.preprocessor.tokenizer.encode(texts)
    model = classifier.model
    kept = [variable.numpy() for variable in model.head.trainable_variables]
    monkeypatch.setattr(probing, "PROBED", len(texts) - 1)
    probe(model, ids, labels)
    np.testing.assert_array_equal(model.head.kernel.numpy(), kept[0])
    monkeypatch.undo()
    try:
        probe(model, ids, labels)
        features = pooled(model, ids)
        scaled = (features - features.mean(axis=0)) / features.std(axis=0)
        oracle = LogisticRegression(C=0.01).fit(scaled, labels).predict_proba(scaled)
        logits = features @ model.head.kernel.numpy() + model.head.bias.numpy()
        found = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(found, oracle, atol=1e-3)
    finally:
        for variable, value in zip(model.head.trainable_variables, kept, strict=True):
            variable.assign(value)
