"""Evaluating a classifier, and the NB-SVM baseline, on a split."""

import json
import time
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textapps.datasets.config import DataConfig
from textapps.datasets.texts.examples import LabelledTexts
from textapps.datasets.texts.loader import load_texts
from textapps.evaluation.metrics.classification import classification_metrics
from textapps.preprocessing.text import in_form
from textapps.tasks.evaluation import (
    costs,
    is_same,
    load_evaluated,
    summarize,
    warn_of_changed_data,
)
from textapps.tasks.registry import get_task
from textapps.tasks.sentiment.config import SentimentConfig
from textapps.tasks.sentiment.predictor import SentimentClassifier
from textapps.tasks.task import Evaluation
from textapps.training.evaluations import evaluation_path, write_evaluation
from textapps.training.run_directory import RunDirectory

BASELINE = "-baseline"


@dataclass(frozen=True, kw_only=True)
class SentimentEvaluation(Evaluation[LabelledTexts]):
    """Texts, the scores given to them, float32[texts, labels], and their figures.

    threshold: of two labels, the score from which the answer is the second; None for the larger
        score.
    """

    scores: NDArray[np.float32]
    threshold: float | None = None

    @property
    def remarks(self) -> tuple[str, ...]:
        """The threshold, if there is one."""
        if self.threshold is None:
            return ()
        return (f"{self.examples.label_names[1]} from a score of {self.threshold:.4f} on",)


def evaluate(
    classifier: SentimentClassifier, examples: LabelledTexts, split: str
) -> SentimentEvaluation:
    """Evaluates a classifier on the texts of a split."""
    scores = classifier.scores(examples.texts)
    return _evaluation(
        classifier.run, examples, split, scores, costs(classifier), classifier.threshold
    )


def fit_baseline(
    classifier: SentimentClassifier, data: DataConfig | None = None, split: str | None = None
) -> SentimentEvaluation:
    """Fits NB-SVM to the training split of the run, evaluates it and writes its figures.

    `data` and `split` as `textapps.tasks.evaluation.load_evaluated` takes them.

    Raises:
        DataError: data are missing or have other labels.
    """
    config, run = classifier.config, classifier.run
    if data is not None and not is_same(data, config.data):  # else the evaluation says it
        so = "the baseline is fitted to them as they are now"
        warn_of_changed_data(get_task("sentiment"), run, config, classifier.labels, so)
    (train,) = load_texts(config.data, ("train",), classifier.labels)
    began_at = time.perf_counter()
    scores_of = _fitted(config, train)
    seconds = time.perf_counter() - began_at
    examples: LabelledTexts = load_evaluated(get_task("sentiment"), classifier, data, split)
    scores = scores_of(examples.texts)
    found = _evaluation(run, examples, examples.part.split, scores, {"seconds": seconds})
    fingerprint = np.array(examples.fingerprint)
    write_evaluation(run, found.summary, BASELINE, **found.arrays, sha256=fingerprint)
    return found


def classical(
    config: SentimentConfig, train: LabelledTexts, examples: LabelledTexts
) -> Mapping[str, float]:
    """The figures of NB-SVM on some examples, fitted to others; DataError if it cannot be."""
    return classification_metrics(examples.labels, _fitted(config, train)(examples.texts))


def stored_baseline(
    evaluation: SentimentEvaluation, run: RunDirectory
) -> SentimentEvaluation | None:
    """The stored evaluation of the baseline on the same examples, None if there is none."""
    path = evaluation_path(run, evaluation.summary, BASELINE)
    try:
        summary = json.loads(path.with_suffix(".json").read_bytes())
        # np.load leaves a file that it opened itself, and that is no archive, open.
        with path.with_suffix(".npz").open("rb") as file, np.load(file) as arrays:
            if arrays["sha256"].item() == evaluation.examples.fingerprint:
                scores = arrays["scores"]
                return SentimentEvaluation(
                    examples=evaluation.examples,
                    summary=summary,
                    arrays={"scores": scores},
                    scores=scores,
                )
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error):
        pass
    return None


def _fitted(
    config: SentimentConfig, train: LabelledTexts
) -> Callable[[Sequence[str]], NDArray[np.float32]]:
    """NB-SVM fitted to texts: gives the scores of other texts, float32[texts, labels]."""
    # Imported here because scikit-learn is slow to import.
    from textapps.evaluation.baselines.nbsvm import NaiveBayesSVM

    form = config.preprocessor.unicode
    baseline = NaiveBayesSVM(tokens=config.preprocessor.tokens, seed=config.random_seed)
    baseline.fit(in_form(train.texts, form), train.labels, len(train.label_names))
    return lambda texts: baseline.scores(in_form(texts, form)).astype(np.float32)


def _evaluation(
    run: RunDirectory,
    examples: LabelledTexts,
    split: str,
    scores: NDArray[np.float32],
    more: dict[str, float],
    threshold: float | None = None,
) -> SentimentEvaluation:
    metrics = classification_metrics(examples.labels, scores, threshold=threshold) | more
    if threshold is not None:
        metrics["threshold"] = threshold
    return SentimentEvaluation(
        examples=examples,
        summary=summarize(run, examples, split, metrics),
        arrays={"scores": scores},
        scores=scores,
        threshold=threshold,
    )
