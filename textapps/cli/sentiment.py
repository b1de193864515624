"""`textapps sentiment`: train, evaluate, predict, export, baseline."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textapps.cli import console
from textapps.cli.options import (
    Choice,
    Command,
    collect_flags,
    config_options,
    data_options,
    examples,
    find_run,
    keyed,
    models_dir_option,
    run_options,
    split_options,
    talk_options,
    training_options,
)

if TYPE_CHECKING:
    from textapps.datasets.config import DataConfig
    from textapps.tasks.sentiment.judgement import Judgement
    from textapps.tasks.sentiment.task import Sentiment

SPLITS = ("train", "validation", "test")
CHUNK = 1024  # texts that predict holds in memory at a time
FIGURES = ("accuracy", "macro_f1", "auc", "log_loss", "calibration_error")


@click.group("sentiment")
def sentiment_group() -> None:
    """Classify texts by their sentiment."""


@sentiment_group.command(
    "train",
    epilog=examples(
        "textapps sentiment train --data sample --preset tiny",
        "textapps sentiment train --backbone lstm --data reviews.csv --text-column review",
        "textapps sentiment train --resume models/sentiment/20260102-030405-gru",
    ),
)
@data_options
@split_options
@training_options
@keyed(
    "--tokens",
    key="preprocessor.tokens",
    type=Choice("kind of token", ("word", "char")),
    help="What a text is cut into: words, or characters (Chinese, Japanese).",
)
@config_options()
@models_dir_option
@click.option(
    "--resume",
    metavar="RUN",
    help="Go on with a stopped run, its directory or its name; takes no other options.",
)
@talk_options
def train_command(config_file: Path | None, models_dir: Path, resume: str | None) -> None:
    """Train a classifier; prints the run directory."""
    flags = collect_flags()
    if resume and (flags or config_file):
        given = ", ".join(flags.options.values()) or "--config"
        raise click.UsageError(f"--resume goes on as the run began; leave out {given}")
    from textapps.tasks.sentiment import task
    from textapps.tasks.sentiment.config import resolve_config
    from textapps.training.run_directory import RunDirectory

    if resume:
        named = models_dir / task.TASK / resume
        path = named if named.is_dir() else Path(resume)
        run = RunDirectory.open(path, task.TASK, trained=False)
        classifier, result = task.resume(run, console.TrainingProgress())
    else:
        config = resolve_config(file=config_file, environ=os.environ, flags=flags)
        classifier, result = task.train(config, models_dir, console.TrainingProgress())
    console.say(
        f"best validation accuracy {result.best_score:.4f} at step {result.best_step:,}, "
        f"{result.seconds:.0f} s of training"
    )
    click.echo(classifier.run.path)


def judging_options(command: Command) -> Command:
    """What evaluate and baseline have in common."""
    decorators: tuple[Callable[[Command], Command], ...] = (
        talk_options,
        run_options,
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
        click.option(
            "--split",
            type=Choice("split", SPLITS),
            default="test",
            show_default=True,
            help="The part of the data to judge on.",
        ),
        data_options,
    )
    for decorate in decorators:
        command = decorate(command)
    return command


@sentiment_group.command(
    "evaluate",
    epilog=examples(
        "textapps sentiment evaluate",
        "textapps sentiment evaluate --data other.csv --split test --json",
    ),
)
@judging_options
def evaluate_command(split: str, as_json: bool, run: str | None, models_dir: Path) -> None:
    """Judge a run; writes metrics.json and report.html."""
    from textapps.tasks.sentiment.judgement import evaluate, stored_baseline
    from textapps.tasks.sentiment.report import write_report

    classifier = _load(models_dir, run)
    judgement = evaluate(classifier, _other_data(classifier), split)
    baseline = stored_baseline(judgement, classifier.run)
    report = write_report(classifier, judgement, baseline)
    _print_judgement(judgement, as_json)
    console.say(f"report: {report}")


@sentiment_group.command(
    "baseline", epilog=examples("textapps sentiment baseline", "textapps sentiment baseline --json")
)
@judging_options
def baseline_command(split: str, as_json: bool, run: str | None, models_dir: Path) -> None:
    """Fit NB-SVM on a run's training data and compare; updates report.html."""
    from textapps.tasks.sentiment.judgement import evaluate, fit_baseline
    from textapps.tasks.sentiment.report import write_report

    classifier = _load(models_dir, run)
    data = _other_data(classifier)
    baseline = fit_baseline(classifier, data, split)
    judgement = evaluate(classifier, data, split)
    report = write_report(classifier, judgement, baseline)
    _print_judgement(baseline, as_json)
    console.say(f"report: {report}")


@sentiment_group.command(
    "predict",
    epilog=examples(
        'textapps sentiment predict "What a film!"',
        "textapps sentiment predict --input reviews.txt --json",
        "cat reviews.txt | textapps sentiment predict -",
    ),
)
@click.argument("texts", nargs=-1)
@click.option(
    "--input",
    "input_file",
    type=click.File("rb"),
    help="A file with a text on each line, '-' for standard input.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@run_options
@talk_options
def predict_command(
    texts: tuple[str, ...], input_file: Any, as_json: bool, run: str | None, models_dir: Path
) -> None:
    """Print label and probability of each text, a line each."""
    if bool(texts) == (input_file is not None):
        raise click.UsageError("give texts, or --input FILE, or '-' for standard input")
    lines: Iterable[str] = texts
    if texts == ("-",):
        input_file = sys.stdin.buffer
    if input_file is not None:
        lines = _lines(input_file)
    classifier = _load(models_dir, run)
    iterator = enumerate(lines)
    while chunk := list(islice(iterator, CHUNK)):
        answers = classifier.predict([text for _, text in chunk])
        for (index, text), answer in zip(chunk, answers, strict=True):
            if as_json:
                fields = {"index": index, "input": text, **answer._asdict()}
                click.echo(json.dumps(fields, ensure_ascii=False))
            else:
                click.echo(f"{answer.label}\t{answer.probability:.4f}")


@sentiment_group.command(
    "export",
    epilog=examples("textapps sentiment export", "textapps sentiment export --name reviews"),
)
@keyed("--name", key="name", help="The model's name in a server.  [default: sentiment]")
@click.option(
    "--verify/--no-verify",
    default=True,
    show_default=True,
    help="Compare the answers of the export with the run's in a fresh process.",
)
@run_options
@talk_options
def export_command(verify: bool, run: str | None, models_dir: Path) -> None:
    """Write a SavedModel that takes text and gives labels; prints its directory."""
    from textapps.config import resolve
    from textapps.exporting.config import ExportConfig

    classifier = _load(models_dir, run)
    section = classifier.config.export.model_dump(exclude={"verify"})
    config = resolve(ExportConfig, preset={**section, "verify": verify}, flags=collect_flags())
    click.echo(classifier.export(models_dir, **config.model_dump()))


def _load(models_dir: Path, run: str | None) -> "Sentiment":
    found = find_run(models_dir, "sentiment", run)
    from textapps.tasks.sentiment.task import load

    return load(found)


def _other_data(classifier: "Sentiment") -> "DataConfig | None":
    """The data that options name, None for the run's own."""
    flags = {key.removeprefix("data."): value for key, value in collect_flags().items()}
    if not flags:
        return None
    from textapps.config import resolve
    from textapps.datasets.config import DataConfig

    own = classifier.config.data.model_dump()
    if "source" in flags:  # other data have columns and splits of their own
        own = {"source": own["source"], "data_dir": own["data_dir"]}
    return resolve(DataConfig, preset=own, flags=flags).resolved()


def _print_judgement(judgement: "Judgement", as_json: bool) -> None:
    summary = judgement.summary
    if as_json:
        click.echo(json.dumps(summary, ensure_ascii=False))
        return
    metrics = summary["metrics"]
    click.echo(f"{summary['data']}, {summary['split']}: {summary['examples']:,} examples")
    for name in FIGURES:
        if name in metrics:
            low, high = metrics[f"{name}_low"], metrics[f"{name}_high"]
            click.echo(f"{name:<18} {metrics[name]:.4f}   95 %: {low:.4f} to {high:.4f}")


def _lines(file: Any) -> Iterator[str]:
    """Lines end at LF or CRLF only: a text may hold U+0085 and other line separators."""
    for number, line in enumerate(file):
        text = line.rstrip(b"\n").removesuffix(b"\r").decode("utf-8", "surrogateescape")
        yield text.removeprefix("\ufeff") if number == 0 else text
