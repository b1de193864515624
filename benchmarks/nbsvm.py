"""NB-SVM on IMDB: fitted on the 25,000 training reviews, evaluated on the 25,000 of the test split.

    python -m benchmarks.nbsvm --data-dir DIR [--ngrams 3]

Writes docs/results/nbsvm.json (nbsvm-3grams.json with trigrams). A figure that is there is not
measured again without --again.
"""

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks.results import peak_memory_mb, read_result, write_result
from textapps.datasets.config import DataConfig
from textapps.datasets.texts.loader import load_texts
from textapps.evaluation.baselines.nbsvm import NaiveBayesSVM
from textapps.evaluation.metrics.classification import classification_metrics


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", help="where tensorflow_datasets has prepared imdb_reviews")
    parser.add_argument("--ngrams", type=int, default=2, help="the longest n-gram (2)")
    parser.add_argument("--again", action="store_true", help="measure again")
    options = parser.parse_args()
    name = "nbsvm" if options.ngrams == 2 else f"nbsvm-{options.ngrams}grams"
    if not options.again and read_result(name):
        print(f"docs/results/{name}.json is there; --again measures again")
        return

    config = DataConfig(source="imdb_reviews", data_dir=options.data_dir)
    train, validation, test = load_texts(config)
    texts = train.texts + validation.texts
    labels = np.concatenate([train.labels, validation.labels])
    before_mb = peak_memory_mb()

    start, cpu = time.perf_counter(), time.process_time()
    model = NaiveBayesSVM(ngrams=options.ngrams).fit(texts, labels, classes=2)
    fit_seconds, fit_cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
    start = time.perf_counter()
    scores = model.scores(test.texts)
    score_seconds = time.perf_counter() - start

    seen = set(texts)
    new = np.array([text not in seen for text in test.texts])
    new_metrics = classification_metrics(test.labels[new], scores[new], resamples=0)
    metrics = classification_metrics(test.labels, scores)
    path = write_result(
        name,
        {
            "data": "imdb_reviews, test split",
            "training_examples": len(texts),
            "test_examples": len(scores),
            "ngrams": options.ngrams,
            "features": len(model.vectorizer.vocabulary_),
            "metrics": {key: round(value, 5) for key, value in metrics.items()},
            "test_examples_not_in_training": int(new.sum()),
            "accuracy_not_in_training": round(new_metrics["accuracy"], 5),
            "fit_seconds": round(fit_seconds, 1),
            "fit_cpu_seconds": round(fit_cpu_seconds, 1),
            "score_seconds": round(score_seconds, 1),
            "peak_memory_mb_data_and_tensorflow": before_mb,
            "peak_memory_mb": peak_memory_mb(),
        },
    )
    print(path.read_text())


if __name__ == "__main__":
    main()
