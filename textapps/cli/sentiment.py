"""`textapps sentiment`: train, evaluate, predict, export, baseline."""

import json
import sys
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textapps.cli import console
from textapps.cli.batch import batch_options
from textapps.cli.options import (
    Choice,
    config_options,
    data_options,
    examples,
    keyed,
    models_dir_option,
    run_options,
    split_options,
    talk_options,
    training_options,
)
from textapps.cli.shared import (
    evaluate_options,
    evaluate_run,
    export_options,
    export_run,
    lines,
    load_run,
    other_data,
    resume_option,
    train_or_resume,
)

if TYPE_CHECKING:
    from textapps.tasks.sentiment.evaluate import SentimentEvaluation
    from textapps.tasks.sentiment.predictor import SentimentClassifier

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
@resume_option
@talk_options
def train_command(config_file: Path | None, models_dir: Path, resume: str | None) -> None:
    """Train a classifier; prints the run directory."""
    train_or_resume("sentiment", config_file, models_dir, resume)


@sentiment_group.command(
    "evaluate",
    epilog=examples(
        "textapps sentiment evaluate",
        "textapps sentiment evaluate --data other.csv --split test --json",
    ),
)
@data_options
@evaluate_options
def evaluate_command(split: str, as_json: bool, run: str | None, models_dir: Path) -> None:
    """Evaluate a run; writes metrics.json and report.html."""
    evaluation, report = evaluate_run(load_run("sentiment", models_dir, run), split)
    _print_evaluation(evaluation, as_json)
    console.say(f"report: {report}")


@sentiment_group.command(
    "baseline", epilog=examples("textapps sentiment baseline", "textapps sentiment baseline --json")
)
@data_options
@evaluate_options
def baseline_command(split: str, as_json: bool, run: str | None, models_dir: Path) -> None:
    """Fit NB-SVM on a run's training data and compare; updates report.html."""
    from textapps.tasks.sentiment.evaluate import fit_baseline

    classifier: SentimentClassifier = load_run("sentiment", models_dir, run)
    baseline = fit_baseline(classifier, other_data(classifier.config.data), split)
    _, report = evaluate_run(classifier, split)  # finds the baseline beside it
    _print_evaluation(baseline, as_json)
    console.say(f"report: {report}")


@sentiment_group.command(
    "predict",
    epilog=examples(
        'textapps sentiment predict "What a film!"',
        "textapps sentiment predict --input reviews.txt --json",
        "textapps sentiment predict --input 'part-*.jsonl.gz' --output answers/",
        "cat reviews.txt | textapps sentiment predict -",
    ),
)
@click.argument("texts", nargs=-1)
@batch_options("sentiment", "a text", "text", 256)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@run_options
@talk_options
def predict_command(
    texts: tuple[str, ...], input_file: Any, as_json: bool, run: str | None, models_dir: Path
) -> None:
    """Print label and probability of each text, a line each."""
    if bool(texts) == (input_file is not None):
        raise click.UsageError("give texts, or --input FILE, or '-' for standard input")
    inputs: Iterable[str] = texts
    if texts == ("-",):
        input_file = sys.stdin.buffer
    if input_file is not None:
        inputs = lines(input_file)
    classifier: SentimentClassifier = load_run("sentiment", models_dir, run)
    iterator = enumerate(inputs)
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
@export_options("sentiment")
@run_options
@talk_options
def export_command(verify: bool, run: str | None, models_dir: Path) -> None:
    """Write a SavedModel that takes text and gives labels; prints its directory."""
    click.echo(export_run(load_run("sentiment", models_dir, run), models_dir, verify))


def _print_evaluation(evaluation: "SentimentEvaluation", as_json: bool) -> None:
    summary = evaluation.summary
    if as_json:
        click.echo(json.dumps(summary, ensure_ascii=False))
        return
    metrics = summary["metrics"]
    click.echo(f"{summary['data']}, {summary['split']}: {summary['examples']:,} examples")
    for name in FIGURES:
        if name in metrics:
            low, high = metrics[f"{name}_low"], metrics[f"{name}_high"]
            click.echo(f"{name:<18} {metrics[name]:.4f}   95 %: {low:.4f} to {high:.4f}")
