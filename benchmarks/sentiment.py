"""Trains sentiment classifiers on IMDB and evaluates them on its test split, NB-SVM beside them.

    python -m benchmarks.sentiment --data-dir DIR [--preset base] [--backbone gru lstm]

Writes docs/results/sentiment-<preset>-<backbone>.json for each backbone: by default all four of
the preset `small`, the preset's own of others. A figure that is there is not measured again
without --again; a training that was interrupted goes on where it stopped.
"""

import argparse
import json
import shutil
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import child, results_page
from benchmarks.results import read_result, write_result
from benchmarks.training import SECTIONS, WORK, facts, train
from textapps.backbones.config import BACKBONES
from textapps.tasks.sentiment.config import PRESETS
from textapps.training.run_directory import RunDirectory


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="imdb_reviews", help="the data set (imdb_reviews)")
    parser.add_argument("--data-dir", help="where tensorflow_datasets has prepared it")
    parser.add_argument("--preset", choices=list(PRESETS), default="small")
    parser.add_argument("--backbone", nargs="+", choices=BACKBONES, help="one or more")
    parser.add_argument("--work", type=Path, default=WORK, help=f"where runs go ({WORK})")
    parser.add_argument("--again", action="store_true", help="train and measure again")
    options = parser.parse_args(arguments)
    own = PRESETS.resolve(flags={"preset": options.preset}).backbone.kind
    for backbone in options.backbone or (BACKBONES if options.preset == "small" else [own]):
        name = f"sentiment-{options.preset}-{backbone}"
        if options.data != "imdb_reviews":
            name = f"{Path(options.data).stem}-{name}"
        if not options.again and read_result(name):
            print(f"docs/results/{name}.json is there; --again measures again")
            continue
        if options.again:
            shutil.rmtree(options.work / name, ignore_errors=True)
        source = ["--data", options.data]
        if options.data_dir:
            source += ["--data-dir", options.data_dir]
        figures = measure(options.work / name, options.preset, backbone, source)
        print(write_result(name, figures).read_text())
        results_page.write()


def measure(work: Path, preset: str, backbone: str, source: list[str]) -> dict[str, Any]:
    """Trains, or finds the finished run of an earlier call, and evaluates it."""
    run, cost = train("sentiment", work, preset, backbone, source)
    evaluate = [
        child.TEXTAPPS,
        "sentiment",
        "evaluate",
        "--run",
        str(run.path),
        "--json",
        "--quiet",
    ]
    summary = json.loads(child.run(evaluate).stdout)
    metrics = summary["metrics"]
    metrics.pop("seconds")
    # In a process of its own, whose memory is free again when the next training begins.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        comparison = pool.submit(compare_with_baseline, run.path, summary).result()
    data = json.loads((run.path / "data.json").read_text())
    return {
        "data": f"{summary['data']}, {summary['split']} split",
        **facts(run),
        "training_examples": data["train"]["examples"],
        "validation_examples": data["validation"]["examples"],
        "test_examples": summary["examples"],
        "parameters": metrics.pop("parameters"),
        **cost,
        "metrics": {key: round(value, 5) for key, value in metrics.items()},
        **comparison,
        "config": {section: run.config[section] for section in SECTIONS},
    }


def compare_with_baseline(path: Path, summary: dict[str, Any]) -> dict[str, Any]:
    """The network against NB-SVM on the same test texts, with and without known ones.

    NB-SVM is fitted on training and validation rows together: it has no need of a validation
    split, and so gets all that a user would give it. Known are test texts that stand, letter for
    letter, in the rows that NB-SVM is fitted on.
    """
    from textapps.datasets.config import DataConfig
    from textapps.datasets.texts.loader import load_texts
    from textapps.evaluation.baselines.nbsvm import NaiveBayesSVM
    from textapps.training.evaluations import evaluation_path

    run = RunDirectory.open(path)
    train, validation, test = load_texts(DataConfig(**run.config["data"]))
    with np.load(evaluation_path(run, summary).with_suffix(".npz")) as arrays:
        if arrays["sha256"].item() != test.fingerprint:
            raise RuntimeError(f"{path} was evaluated on other data: measure --again")
        network = np.argmax(arrays["scores"], axis=1) == test.labels

    texts = train.texts + validation.texts
    labels = np.concatenate([train.labels, validation.labels])
    start = time.perf_counter()
    model = NaiveBayesSVM().fit(texts, labels, classes=len(test.label_names))
    fit_seconds = time.perf_counter() - start
    baseline = model.predict(test.texts) == test.labels
    known = set(texts)
    new = np.array([text not in known for text in test.texts])
    return {
        "baseline": {
            "name": "NB-SVM, uni- and bigrams",
            "training_examples": len(texts),
            "fit_seconds": round(fit_seconds, 1),
        },
        "against_baseline": compare(network, baseline),
        "test_texts_also_in_training": int((~new).sum()),
        "against_baseline_without_them": compare(network[new], baseline[new]),
    }


def compare(network: Any, baseline: Any) -> dict[str, Any]:
    """Accuracies and the paired bootstrap of their difference, from bool[examples] each."""
    from textapps.evaluation.metrics.bootstrap import paired_bootstrap

    found = paired_bootstrap(network, baseline)
    return {
        "test_examples": len(network),
        "accuracy": round(float(network.mean()), 5),
        "baseline_accuracy": round(float(baseline.mean()), 5),
        **{key: round(value, 5) for key, value in found._asdict().items()},
    }


if __name__ == "__main__":
    main()
