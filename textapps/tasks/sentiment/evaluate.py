"""How good a classifier or the baseline is on a split, as files of its run.

evaluations/<data>-<split>.json holds the figures, .npz beside it the scores behind them, so that
a later comparison or report need not ask the model again; the baseline's end in -baseline.
"""

import json
import time
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from textapps.datasets.config import DataConfig
from textapps.datasets.texts.labelled_texts import LabelledTexts
from textapps.datasets.texts.load import load_split
from textapps.evaluation.metrics.classification import classification_metrics
from textapps.training.checkpoint import CheckpointStore
from textapps.training.evaluations import evaluation_path, write_evaluation
from textapps.training.run_directory import RunDirectory

if TYPE_CHECKING:
    from textapps.tasks.sentiment.task import SentimentClassifier

METRICS = "metrics.json"


@dataclass(frozen=True)
class Evaluation:
    """A split, the scores given to it, float32[examples, labels], and their figures.

    `summary` is what `--json` prints: task, run, data, split, examples, metrics. `default` says
    that this is the test split of the run's own data, which metrics.json and report.html are of.
    """

    examples: LabelledTexts
    scores: Any
    summary: dict[str, Any]
    default: bool = False

    @property
    def correct(self) -> Any:
        """bool[examples]."""
        return np.argmax(self.scores, axis=1) == self.examples.labels


def evaluate(
    classifier: "SentimentClassifier", data: DataConfig | None = None, split: str = "test"
) -> Evaluation:
    """Evaluates a classifier on a split of `data`, by default that of its own training.

    The figures of the default test split also become metrics.json.

    Raises:
        DataError: data that are missing or hold other labels.
    """
    examples = load_split(data or classifier.config.data, split, classifier.labels)
    scores = classifier.scores(examples.texts)
    state = CheckpointStore(classifier.run.checkpoints).newest_state()
    summary = _summary(classifier.run, examples, split, scores)
    summary["metrics"] |= {
        "seconds": state.seconds if state else 0.0,
        "parameters": classifier.model.count_params(),
    }
    write_evaluation(classifier.run, summary, **_arrays(examples, scores))
    evaluation = Evaluation(examples, scores, summary, default=data is None and split == "test")
    if evaluation.default:
        classifier.run.write_json(METRICS, summary)
    return evaluation


def fit_baseline(
    classifier: "SentimentClassifier", data: DataConfig | None = None, split: str = "test"
) -> Evaluation:
    """Fits NB-SVM on the training split of the run, and evaluates it on `split`.

    Raises:
        DataError: data that are missing or hold other labels.
    """
    from textapps.evaluation.baselines.nbsvm import NaiveBayesSVM

    train = load_split(classifier.config.data, "train", classifier.labels)
    began = time.perf_counter()
    tokens = classifier.config.preprocessor.tokens
    baseline = NaiveBayesSVM(tokens=tokens, seed=classifier.config.random_seed)
    baseline.fit(train.texts, train.labels, len(classifier.labels))
    seconds = time.perf_counter() - began
    examples = load_split(data or classifier.config.data, split, classifier.labels)
    scores = baseline.scores(examples.texts).astype(np.float32)
    summary = _summary(classifier.run, examples, split, scores)
    summary["metrics"] |= {"seconds": seconds}
    write_evaluation(classifier.run, summary, "-baseline", **_arrays(examples, scores))
    return Evaluation(examples, scores, summary)


def stored_baseline(evaluation: Evaluation, run: RunDirectory) -> Evaluation | None:
    """What `fit_baseline` has found on the same examples, if it has been asked before."""
    path = evaluation_path(run, evaluation.summary, "-baseline")
    try:
        summary = json.loads(path.with_suffix(".json").read_bytes())
        # np.load leaves a file that it opened itself, and that is no archive, open.
        with path.with_suffix(".npz").open("rb") as file, np.load(file) as arrays:
            if arrays["sha256"].item() == evaluation.examples.fingerprint:
                return Evaluation(evaluation.examples, arrays["scores"], summary)
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error):
        pass
    return None


def _summary(run: RunDirectory, examples: LabelledTexts, split: str, scores: Any) -> dict[str, Any]:
    return {
        "task": run.task,
        "run": run.name,
        "data": examples.name,
        "split": split,
        "examples": len(examples),
        "metrics": classification_metrics(examples.labels, scores),
    }


def _arrays(examples: LabelledTexts, scores: Any) -> dict[str, Any]:
    return {"scores": scores, "sha256": np.array(examples.fingerprint)}
