"""Classifiers of few labelled texts: from nothing, from pre-training, with unlabelled texts."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
from pydantic import Field

from benchmarks.benchmark import Context, Measurement, Table, Trained
from benchmarks.figures import accuracy_by_size
from benchmarks.results import Figures, rounded
from benchmarks.sides import opened
from benchmarks.trainings import Training, evaluated
from textapps.core.errors import ConfigurationError
from textapps.core.files import write_file
from textapps.datasets.config import DataConfig
from textapps.datasets.texts.examples import LabelledTexts
from textapps.datasets.texts.loader import load_texts
from textapps.training.evaluations import read_metrics

BASELINE = "benchmarks.suites.small_data:baseline"
COSTS = (0.001, 0.01, 0.1, 1.0)  # of NB-SVM
SPLITS = ("train", "validation", "test")


class Way(Table):
    """A way to train: what it is called on the page, and what it takes.

    Args:
        options: of `textapps sentiment train`; {start} and {unlabelled} are those of the command.
    """

    label: str
    options: tuple[str, ...] = ()


class SmallData(Trained):
    """One result: for each size and way the accuracy on texts of the test split, by seed.

    All ways and sizes answer the same texts, none of them in another split. A seed draws the
    labelled texts and starts the training. NB-SVM chooses its cost, and networks their best pass,
    on the validation split.
    """

    result: str = Field(description="the name of the result")
    size: tuple[int, ...] = Field(description="numbers of labelled texts")
    seeds: int = Field(description="draws of each size")
    test_texts: int = Field(description="texts of the test split, drawn once; 0 for all")
    start: str | None = Field(None, description="a run of `textapps sentiment pretrain`")
    unlabelled: tuple[str, ...] = Field((), description="texts without labels")
    validation_data: str | None = Field(None, description="other data to validate on")
    test_data: str | None = Field(None, description="other data to test on")
    tokens: str = Field("word", description="word or char")
    backbone: str = Field(description="of trainings from nothing")
    ways: Mapping[str, Way]

    def measurements(self, context: Context) -> Iterable[Measurement]:
        yield self.result, partial(self.measure, context)

    def measure(self, context: Context) -> Figures:
        known = {key: getattr(self, key) for key in ("validation_data", "test_data")}
        folder = context.work / self.result
        config = {
            "source": self.data,
            "data_dir": self.data_dir,
            "validation_source": self.validation_data,
            "test_source": self.test_data,
        }
        settings: dict[str, Any] = {
            "config": config,
            "folder": str(folder),
            "tokens": self.tokens,
            "test_texts": self.test_texts,
        }
        found: dict[str, Any] = {}
        with opened({"nbsvm": BASELINE}, **settings) as (asks, _):
            asks["nbsvm"]({"size": 0, "seed": 0})  # writes the splits
            for size in self.size:
                seeds = range(self.seeds)
                baseline = [asks["nbsvm"]({"size": size, "seed": seed}) for seed in seeds]
                found[str(size)] = {"nbsvm": figures_of(baseline)}
                for name, way in self.ways.items():
                    if (options := self.options(way)) is None:
                        continue
                    runs = [self.trained(context, folder, size, s, name, options) for s in seeds]
                    found[str(size)][name] = figures_of(runs)
        margins(found)
        labels = {"nbsvm": "NB-SVM", **{name: way.label for name, way in self.ways.items()}}
        picture = context.results.folder / f"{self.result}.svg"
        picture.parent.mkdir(parents=True, exist_ok=True)
        write_file(picture, accuracy_by_size(found, labels))
        return {
            "data": self.data and Path(self.data).name,
            **{key: value for key, value in known.items() if value},
            "start": self.start and Path(self.start).name,
            "unlabelled": [Path(each).name for each in self.unlabelled],
            "seeds": self.seeds,
            "test_texts": self.test_texts,
            "sizes": found,
        }

    def options(self, way: Way) -> list[str] | None:
        """The options of a way, None if the command does not give what it takes."""
        words: list[str] = []
        for word in way.options:
            if word == "{unlabelled}":
                if not self.unlabelled:
                    return None
                words += [part for each in self.unlabelled for part in ("--unlabelled", each)]
            elif word == "{start}":
                if not self.start:
                    return None
                words += ["--init-from", self.start]
            else:
                words.append(word)
        return words

    def trained(
        self,
        context: Context,
        folder: Path,
        size: int,
        seed: int,
        name: str,
        options: Sequence[str],
    ) -> Figures:
        """Trains and evaluates one classifier, or finds it."""
        splits = {"--validation-data": "validation", "--test-data": "test"}
        source = ["--data", str(folder / f"{size}-{seed}.csv"), "--random-seed", str(seed)]
        for option, split in splits.items():
            source += [option, str(folder / f"{split}.csv")]
        changes = dict(each.split("=", 1) for each in self.set)
        words = (*source, *options)
        kind = None if "--init-from" in words else self.backbone
        if kind and self.tokens != "word":
            words = (*words, "--tokens", self.tokens)
        training = Training("sentiment", self.preset, words, kind, changes)
        run, _ = training.finished(folder / f"{name}-{size}-{seed}", again=context.again)
        return {"accuracy": (read_metrics(run) or evaluated(run)["metrics"])["accuracy"]}


def figures_of(found: Sequence[Figures]) -> Figures:
    """Mean and deviation of the accuracies, and all of them."""
    values = [each["accuracy"] for each in found]
    spread = stdev(values) if len(values) > 1 else 0.0
    return {
        **rounded({"accuracy": mean(values), "deviation": spread}, 4),
        "by_seed": [round(value, 4) for value in values],
    }


def margins(found: Mapping[str, Any]) -> None:
    """Adds to each way how far its mean is above that of NB-SVM."""
    for ways in found.values():
        for figures in ways.values():
            figures["margin"] = round(figures["accuracy"] - ways["nbsvm"]["accuracy"], 4)


def baseline(
    config: Figures, folder: str, tokens: str, test_texts: int
) -> Callable[[Figures], Figures]:
    """A side that writes the labelled texts of a seed, and fits NB-SVM to them."""
    from textapps.evaluation.baselines.nbsvm import NaiveBayesSVM

    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    train, validation, test = load_texts(DataConfig(**config))
    known = set(train.texts) | set(validation.texts)
    kept = np.flatnonzero([text not in known for text in test.texts])
    if 0 < test_texts < len(kept):
        kept = np.sort(kept[drawn(len(kept), test_texts, 0)])
    write_texts(place / "validation.csv", validation, np.arange(len(validation)))
    write_texts(place / "test.csv", test, kept)
    answers = test.labels[kept]
    texts = [test.texts[row] for row in kept.tolist()]

    def fit(question: Figures) -> Figures:
        size, seed = question["size"], question["seed"]
        if not size:
            return {}
        if size > len(train):
            raise ConfigurationError(f"{train.name} has only {len(train):,} texts to train on")
        rows = drawn(len(train), size, seed)
        write_texts(place / f"{size}-{seed}.csv", train, rows)
        own = [train.texts[row] for row in rows]
        best = 0.0, 0.0
        for cost in COSTS:
            model = NaiveBayesSVM(tokens=tokens, cost=cost)  # type: ignore[arg-type]
            model.fit(own, train.labels[rows], len(train.label_names))
            right = float(np.mean(model.predict(validation.texts) == validation.labels))
            if right > best[0]:
                best = right, float(np.mean(model.predict(texts) == answers))
        return {"accuracy": best[1]}

    return fit


def drawn(rows: int, size: int, seed: int) -> Any:
    """So many of the rows, by raw draws whose stream NumPy never changes (NEP 19)."""
    draws = np.random.PCG64(np.random.SeedSequence((seed, size)))
    return np.argsort(draws.random_raw(rows), kind="stable")[:size]


def write_texts(path: Path, split: LabelledTexts, rows: Any) -> None:
    """Some texts of a split as CSV."""
    lines = io.StringIO()
    writer = csv.writer(lines)
    writer.writerow(["text", "label"])
    writer.writerows((split.texts[row], split.label_names[split.labels[row]]) for row in rows)
    write_file(path, lines.getvalue())
