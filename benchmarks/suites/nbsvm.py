"""NB-SVM on IMDB, alone and against a network that has answered the same texts."""

import time
from collections.abc import Callable, Iterable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from benchmarks.benchmark import Benchmark, Context, Measurement
from benchmarks.results import Figures, peak_memory_mb, rounded
from textapps.datasets.config import DataConfig
from textapps.datasets.texts.examples import LabelledTexts
from textapps.datasets.texts.loader import load_texts
from textapps.evaluation.baselines.nbsvm import NaiveBayesSVM
from textapps.evaluation.metrics.bootstrap import paired_bootstrap
from textapps.evaluation.metrics.classification import classification_metrics


class Baseline(Benchmark):
    """NB-SVM fitted on the training split, of which a network has a part to validate on."""

    data: str = Field(description="the data set")
    data_dir: str | None = Field(None, description="where tensorflow_datasets has prepared it")
    ngrams: int = Field(description="the longest n-gram")

    def measurements(self, context: Context) -> Iterable[Measurement]:
        name = self.name if self.ngrams == 2 else f"{self.name}-{self.ngrams}grams"
        yield name, self.fit_and_evaluate

    def fit_and_evaluate(self) -> Figures:
        """Accuracy on the test split, with and without texts that training has too."""
        config = DataConfig(source=self.data, data_dir=self.data_dir)
        train, validation, test = load_texts(config)
        before_mb = peak_memory_mb()
        model, texts, taken = fitted(train, validation, ngrams=self.ngrams)
        start = time.perf_counter()
        scores = model.scores(test.texts)
        taken["score_seconds"] = time.perf_counter() - start
        new = not_among(texts, test.texts)
        new_metrics = classification_metrics(test.labels[new], scores[new], resamples=0)
        return {
            "data": f"{test.name}, test split",
            "training_examples": len(texts),
            "test_examples": len(scores),
            "ngrams": self.ngrams,
            "features": len(model.vectorizer.vocabulary_),
            "metrics": rounded(classification_metrics(test.labels, scores), 5),
            "test_examples_not_in_training": int(new.sum()),
            "accuracy_not_in_training": round(new_metrics["accuracy"], 5),
            **rounded(taken, 1),
            "peak_memory_mb_data_and_tensorflow": before_mb,
            "peak_memory_mb": peak_memory_mb(),
        }


def fitted(
    *parts: LabelledTexts, ngrams: int = 2, tokens: Literal["word", "char"] = "word"
) -> tuple[NaiveBayesSVM, list[str], Figures]:
    """NB-SVM, the texts that it is fitted on, and the seconds that this took.

    It has no need of a validation split, and so gets all that a user would give it.
    """
    texts = [text for part in parts for text in part.texts]
    labels = np.concatenate([part.labels for part in parts])
    start, cpu = time.perf_counter(), time.process_time()
    model = NaiveBayesSVM(ngrams=ngrams, tokens=tokens).fit(
        texts, labels, len(parts[0].label_names)
    )
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
    return model, texts, {"fit_seconds": seconds, "fit_cpu_seconds": cpu_seconds}


def not_among(known: Iterable[str], texts: Iterable[str]) -> NDArray[np.bool_]:
    """bool[texts], whether a text is, letter for letter, none of those known."""
    seen = set(known)
    return np.array([text not in seen for text in texts])


def against() -> Callable[[Figures], Figures]:
    """A side that compares a network with NB-SVM.

    It is asked by the network's [data] section, the tokens that it reads and its file of scores.
    """

    def compare(question: Figures) -> Figures:
        train, validation, test = load_texts(DataConfig(**question["data"]))
        with np.load(question["scores"]) as arrays:
            if arrays["sha256"].item() != test.fingerprint:
                raise RuntimeError(f"{question['scores']} is of other data: measure --again")
            network = np.argmax(arrays["scores"], axis=1) == test.labels
        by_character = question["tokens"] == "char"
        model, texts, taken = fitted(train, validation, tokens=question["tokens"])
        baseline = model.predict(test.texts) == test.labels
        new = not_among(texts, test.texts)
        return {
            "baseline": {
                "name": "NB-SVM, uni- and bigrams" + (" of characters" if by_character else ""),
                "training_examples": len(texts),
                "fit_seconds": round(taken["fit_seconds"], 1),
            },
            "against_baseline": paired(network, baseline),
            "test_texts_also_in_training": int((~new).sum()),
            "against_baseline_without_them": paired(network[new], baseline[new]),
        }

    return compare


def paired(network: Any, baseline: Any) -> Figures:
    """Accuracies and the paired bootstrap of their difference, from bool[examples] each."""
    accuracies = {"accuracy": float(network.mean()), "baseline_accuracy": float(baseline.mean())}
    found = {**accuracies, **paired_bootstrap(network, baseline)._asdict()}
    return {"test_examples": len(network), **rounded(found, 5)}
