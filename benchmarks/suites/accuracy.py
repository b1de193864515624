"""Trains models by presets and evaluates them on a test split, beside what they must beat."""

import argparse
import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import Field

from benchmarks import sides
from benchmarks.benchmark import Context, Measurement, Table, Trained
from benchmarks.results import Figures, rounded
from benchmarks.trainings import evaluated, exported, facts
from textapps.core.errors import ConfigurationError, unknown
from textapps.core.files import write_file
from textapps.datasets.config import PairsConfig
from textapps.datasets.pairs.loader import load_rows
from textapps.datasets.pairs.sources import Pair
from textapps.training.evaluations import Summary, evaluation_path
from textapps.training.run_directory import RunDirectory

FLAG = ["no", "yes"]
TATOEBA = "spa-eng.tsv.gz"
HELD_OUT = 2_000

Case = Mapping[str, str]  # preset, backbone and the values of other options


class Way(Table):
    """A value of an option that makes models differ: what it changes, and how it is called.

    Args:
        set: values of the configuration, by dotted key.
        options: further options of `textapps <task> train`.
        name: what stands in the name of the result, by default the value.
        label: what stands beside the model on the page.
    """

    set: Mapping[str, bool | int | float | str] = Field({})
    options: tuple[str, ...] = ()
    name: str | None = None
    label: str = ""


class Accuracy(Trained):
    """One result for each backbone, preset and way, by default the cases of the table.

    Args:
        task: of textapps.
        result: parts of a result's name, in which values of options stand; empty ones are left out.
        ways: options of the command, each with its values; the first value is the default.
        all_of: options of which all values are measured by default.
        cases: what the page shows; `backbone` has one or more, with spaces between them.
        beside: further figures, names of `BESIDE`.
        way: the values of `ways` that the command line names.
    """

    task: str
    result: tuple[str, ...]
    backbone: tuple[str, ...] = Field((), description="one or more")
    ways: Mapping[str, Mapping[str, Way]] = Field({})
    all_of: tuple[str, ...] = ()
    cases: tuple[Case, ...]
    beside: tuple[str, ...] = ()
    way: tuple[tuple[str, str], ...] = ()

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        for name, values in self.ways.items():
            kind: dict[str, Any] = {"action": "append_const", "const": (name, "yes")}
            if list(values) != FLAG:
                kind = {"action": "extend", "nargs": "+", "metavar": "{" + ",".join(values) + "}"}
                kind["type"] = lambda value, name=name: (name, value)
            parser.add_argument(f"--{name}", dest="way", default=argparse.SUPPRESS, **kind)

    def table(self) -> list[Case]:
        """The cases one by one, with all of their values."""
        default = {name: next(iter(values)) for name, values in self.ways.items()}
        cases = ((case, kind) for case in self.cases for kind in case["backbone"].split())
        return [{**default, **case, "backbone": kind} for case, kind in cases]

    def selected(self) -> Iterator[Case]:
        """The cases that the options name; those of the table where they leave a choice."""
        chosen = {}
        for name, values in self.ways.items():
            given = [value for option, value in self.way if option == name]
            for value in given:
                if value not in values:
                    raise ConfigurationError(unknown(name, value, values))
            chosen[name] = given or list(values)[: None if name in self.all_of else 1]
        for each in product(*chosen.values()):
            case = {**dict(zip(chosen, each, strict=True)), "preset": self.preset}
            known = [row["backbone"] for row in self.table() if case.items() <= row.items()]
            if not (self.backbone or known):
                raise ConfigurationError(f"suites.toml has no {case}: name a --backbone")
            yield from ({**case, "backbone": kind} for kind in self.backbone or known)

    def chosen(self, case: Case) -> dict[str, Way]:
        """The ways of a case by the names of their options."""
        return {name: values[case[name]] for name, values in self.ways.items()}

    def result_of(self, case: Case) -> str:
        ways = self.chosen(case).items()
        names = {name: case[name] if way.name is None else way.name for name, way in ways}
        return "-".join(filter(None, (part.format(**{**case, **names}) for part in self.result)))

    def label_of(self, case: Case) -> str:
        labels = (way.label for way in self.chosen(case).values())
        parts = (f"`{case['backbone']}`", f"preset `{case['preset']}`", *labels)
        return ", ".join(filter(None, parts))

    def measurements(self, context: Context) -> Iterable[Measurement]:
        for case in self.selected():
            name = self.result_of(case)
            yield name, partial(self.figures, case, name, context)

    def figures(self, case: Case, name: str, context: Context) -> Figures:
        """Trains, or finds the finished run of an earlier call, and evaluates it."""
        ways = self.chosen(case).values()
        changes = {key: value for way in ways for key, value in way.set.items()}
        training = self.training(context, self.task, case["backbone"], changes)
        options = [word for way in ways for word in way.options]
        training = replace(training, source=(*training.source, *options))
        folder = context.work / name
        run, cost = training.finished(folder, again=context.again)
        summary = evaluated(run)
        data = json.loads((run.path / "data.json").read_text())
        metrics = {key: value for key, value in summary["metrics"].items() if key != "seconds"}
        figures = {
            "data": f"{summary['data']}, {summary['split']} split",
            **facts(run),
            "training_examples": data["train"]["examples"],
            "validation_examples": data["validation"]["examples"],
            "test_examples": summary["examples"],
            "parameters": metrics.pop("parameters"),
            **cost,
            "metrics": rounded(metrics, 6),
        }
        for extra in self.beside:
            figures |= BESIDE[extra](run, summary, folder)
        sections = {k: v for k, v in run.config.items() if isinstance(v, dict)}
        del sections["data"], sections["export"]  # paths, and what training does not have
        return {**figures, "config": sections}


def nbsvm(run: RunDirectory, summary: Summary, folder: Path) -> Figures:
    """NB-SVM on the same texts, in a process whose memory is free again for the next training."""
    scores = str(evaluation_path(run, summary).with_suffix(".npz"))
    with sides.opened({"nbsvm": "benchmarks.suites.nbsvm:against"}) as (asks, _):
        tokens = run.config["preprocessor"]["tokens"]
        question = {"data": run.config["data"], "tokens": tokens, "scores": scores}
        figures: Figures = asks["nbsvm"](question)
    return figures


def lite(run: RunDirectory, summary: Summary, folder: Path) -> Figures:
    written = exported(run, folder, "--format", "tflite")
    manifest = json.loads((written / "textapps.json").read_text())
    found = {
        "bytes": {kind: file["bytes"] for kind, file in manifest["files"].items()},
        "accuracy": rounded(manifest["accuracy"], 4),
        "int8_against_float": manifest["int8_against_float"],
    }
    return {"lite": found}


def searches(run: RunDirectory, summary: Summary, folder: Path) -> Figures:
    """Signatures of the metrics, and the figures of each way of decoding."""
    path = evaluation_path(run, summary, "-searches").with_suffix(".json")
    figures: Figures = json.loads(path.read_text())
    return figures


def lowercased(run: RunDirectory, summary: Summary, folder: Path) -> Figures:
    """BLEU without regard to capitals, on sacrebleu's tokens."""
    from sacrebleu.metrics.bleu import BLEU

    path = evaluation_path(run, summary, "-answers").with_suffix(".json")
    answers = json.loads(path.read_text())
    metric = BLEU(lowercase=True)
    given, references = ([each[side] for each in answers] for side in ("answer", "reference"))
    found = metric.corpus_score(given, [references])
    return {"lowercased": {"bleu": round(found.score, 3), "signature": str(metric.get_signature())}}


def adapted(run: RunDirectory, summary: Summary, folder: Path) -> Figures:
    """The figures of `generate score --adapt` on the text of the split."""
    with sides.opened({"adapted": "benchmarks.suites.accuracy:adapting"}) as (asks, _):
        figures: Figures = asks["adapted"]({"run": str(run.path), "split": summary["split"]})
    return {"adapted": figures}


def adapting() -> sides.Ask:
    """A process that scores the text of a run's split, and learns from it meanwhile."""
    from textapps.evaluation.metrics.language import language_metrics
    from textapps.tasks import lifecycle
    from textapps.tasks.generate.adaptation import Adaptation
    from textapps.tasks.registry import get_task

    def score(question: Figures) -> Figures:
        task = get_task("generate")
        generator: Any = lifecycle.load(task, RunDirectory.open(Path(question["run"])))
        text = task.load_split(generator.config, question["split"], ()).text
        begun = time.perf_counter()
        nats = generator.nats(text, Adaptation())
        seconds = round(time.perf_counter() - begun, 1)
        return {**rounded(language_metrics(nats), 6), "seconds": seconds}

    return score


BESIDE = {
    "nbsvm": nbsvm,
    "lite": lite,
    "searches": searches,
    "lowercased": lowercased,
    "adapted": adapted,
}


class Tatoeba(Accuracy):
    """Translation of English and Spanish, split so that nothing evaluated was trained on."""

    def data_options(self, context: Context) -> list[str]:
        options = super().data_options(context)
        paths = prepare(Path(options[1]) / TATOEBA, context.work / "tatoeba")
        train, validation, test = map(str, paths)
        return ["--data", train, "--validation-data", validation, "--test-data", test]


def prepare(source: Path, folder: Path, held_out: int = HELD_OUT) -> tuple[Path, Path, Path]:
    """The files of train, validation and test, in the folder; written if they are not there.

    Training has all pairs of its split, which goes by the English sentence. The others have
    `held_out` pairs at most, without a sentence that training has or that came before. The source
    has short sentences first; the files are in an order by hash.
    """
    paths = (folder / "train.tsv", folder / "validation.tsv", folder / "tatoeba.tsv")
    if all(path.is_file() for path in paths):
        return paths
    splits = load_rows(PairsConfig(source=str(source)), ("train", "validation", "test"))
    train, validation, test = (sorted(rows, key=_place) for _, rows, _ in splits)
    known = {side for pair in train for side in pair[:2]}
    folder.mkdir(parents=True, exist_ok=True)
    _write(paths[0], train)
    _write(paths[1], _apart(validation, known)[:held_out])
    _write(paths[2], _apart(test, known)[:held_out])
    return paths


def _place(pair: Pair) -> tuple[str, str]:
    return hashlib.sha1(pair.source.encode()).hexdigest(), pair.target


def _apart(pairs: Iterable[Pair], known: set[str]) -> list[Pair]:
    seen = set(known)
    kept = []
    for pair in pairs:
        if seen.isdisjoint(pair[:2]):
            seen.update(pair[:2])
            kept.append(pair)
    return kept


def _write(path: Path, pairs: Iterable[Pair]) -> None:
    write_file(path, "".join(f"{pair.source}\t{pair.target}\n" for pair in pairs))
