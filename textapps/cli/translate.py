"""`textapps translate`: train, evaluate, predict, export."""

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
    Command,
    collect_flags,
    config_options,
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
    resume_option,
    train_or_resume,
)

if TYPE_CHECKING:
    from textapps.tasks.translate.evaluate import TranslateEvaluation
    from textapps.tasks.translate.predictor import Translator

CHUNK = 256  # sentences that predict holds in memory at a time
ATTENTIONS = ("multi-head", "dot", "additive", "none")


@click.group("translate")
def translate_group() -> None:
    """Translate sentences."""


def pair_options(command: Command) -> Command:
    """Where sentence pairs are."""
    options: tuple[tuple[str, str, str, str], ...] = (
        (
            "--data",
            "data.source",
            "SOURCE",
            "Pairs: a TensorFlow Datasets name, 'sample' (bundled), or a path: TSV without a "
            "header, CSV, JSON lines (.gz too).  [default: the preset's]",
        ),
        ("--source-file", "data.source_file", "FILE", "Source sentences, one a line, and …"),
        ("--target-file", "data.target_file", "FILE", "… their translations, line by line."),
        ("--source-column", "data.source_column", "NAME", "The column of source sentences."),
        ("--target-column", "data.target_column", "NAME", "The column of translations."),
        (
            "--data-dir",
            "data.data_dir",
            "DIR",
            "Where prepared TensorFlow Datasets are.  "
            "[default: TFDS_DATA_DIR, else ~/tensorflow_datasets]",
        ),
    )
    reverse = keyed(
        "--reverse",
        key="data.reverse",
        is_flag=True,
        help="Translate the second language into the first.",
    )
    command = reverse(command)
    for name, key, metavar, text in reversed(options):
        command = keyed(name, key=key, metavar=metavar, help=text)(command)
    return command


@translate_group.command(
    "train",
    epilog=examples(
        "textapps translate train --data sample --preset tiny",
        "textapps translate train --data pairs.tsv --backbone gru --attention additive",
        "textapps translate train --source-file train.en --target-file train.de",
        "textapps translate train --resume models/translate/20260102-030405-transformer",
    ),
)
@pair_options
@split_options
@training_options
@keyed(
    "--attention",
    key="backbone.attention",
    type=Choice("attention", ATTENTIONS),
    help="How the decoder looks at the source.  [default: multi-head]",
)
@keyed(
    "--tokens",
    key="preprocessor.tokens",
    type=Choice("kind of token", ("subword", "word", "char")),
    help="What a sentence is cut into.  [default: subword]",
)
@keyed(
    "--vocabulary-size",
    key="preprocessor.vocabulary_size",
    type=int,
    help="Tokens that are known.",
)
@config_options()
@models_dir_option
@resume_option
@talk_options
def train_command(config_file: Path | None, models_dir: Path, resume: str | None) -> None:
    """Train on sentence pairs; prints the run directory."""
    train_or_resume("translate", config_file, models_dir, resume)


def search_options(command: Command) -> Command:
    """How a translation is found."""
    options: tuple[tuple[str, str, Any, str, str], ...] = (
        ("--beam", "beam", int, "N", "Hypotheses that are kept; 1 is greedy."),
        ("--length-penalty", "length_penalty", float, "X", "0 for none; more: longer answers."),
        ("--temperature", "temperature", float, "T", "Above 0: draw tokens instead of searching."),
    )
    for name, key, kind, metavar, text in reversed(options):
        text += "  [default: the run's]"
        command = keyed(name, key=key, type=kind, metavar=metavar, help=text)(command)
    return command


@translate_group.command(
    "evaluate",
    epilog=examples(
        "textapps translate evaluate",
        "textapps translate evaluate --data other.tsv --beam 10 --json",
    ),
)
@pair_options
@search_options
@evaluate_options
def evaluate_command(split: str, as_json: bool, run: str | None, models_dir: Path) -> None:
    """Evaluate a run; writes metrics.json and report.html."""
    options = {f"decoding.{key}": value for key, value in _search_flags().items()}
    evaluation, report = evaluate_run(load_run("translate", models_dir, run), split, options)
    _print_evaluation(evaluation, as_json)
    console.say(f"report: {report}")


@translate_group.command(
    "predict",
    epilog=examples(
        'textapps translate predict "A man is sleeping."',
        'textapps translate predict "A man is sleeping." --n-best 3',
        "textapps translate predict --input sentences.txt --json",
        "textapps translate predict --input 'part-*.tsv' --output answers/",
        "cat sentences.txt | textapps translate predict - --beam 1",
    ),
)
@click.argument("texts", nargs=-1)
@batch_options("translate", "a sentence", "source", 128)
@search_options
@click.option(
    "--n-best",
    type=click.IntRange(1, 100),
    metavar="N",
    help="Print the N best answers with their scores.",
)
@click.option(
    "--random-seed",
    type=click.IntRange(0, 2**62),
    default=0,
    show_default=True,
    help="Of drawn tokens: the same seed, the same answer.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@run_options
@talk_options
def predict_command(
    texts: tuple[str, ...],
    input_file: Any,
    n_best: int | None,
    random_seed: int,
    as_json: bool,
    run: str | None,
    models_dir: Path,
) -> None:
    """Translate sentences, a line each; with --n-best: number, score and answer, by tabs."""
    from textapps.core.config import resolve
    from textapps.decoding.config import SearchConfig

    if bool(texts) == (input_file is not None):
        raise click.UsageError("give sentences, or --input FILE, or '-' for standard input")
    flags = _search_flags() | ({"n_best": n_best} if n_best else {})
    resolve(SearchConfig, flags=flags)  # before seconds go by
    inputs: Iterable[str] = texts
    if texts == ("-",):
        input_file = sys.stdin.buffer
    if input_file is not None:
        inputs = lines(input_file)
    translator: Translator = load_run("translate", models_dir, run)
    iterator = enumerate(inputs)
    while chunk := list(islice(iterator, CHUNK)):
        sentences = [text for _, text in chunk]
        answers = translator.n_best(
            sentences, random_seed + chunk[0][0], **{**flags, "n_best": n_best or 1}
        )
        for (index, text), found in zip(chunk, answers, strict=True):
            if as_json:
                fields: dict[str, Any] = {"index": index, "input": text, **found[0]._asdict()}
                if n_best:
                    fields |= {
                        "translations": [answer.translation for answer in found],
                        "scores": [answer.score for answer in found],
                    }
                click.echo(json.dumps(fields, ensure_ascii=False))
            elif n_best:
                for answer in found:
                    click.echo(f"{index + 1}\t{answer.score:.4f}\t{answer.translation}")
            else:
                click.echo(found[0].translation)


@translate_group.command(
    "export",
    epilog=examples("textapps translate export", "textapps translate export --name en-de"),
)
@export_options("translate")
@run_options
@talk_options
def export_command(verify: bool, run: str | None, models_dir: Path) -> None:
    """Write a SavedModel that translates; prints its directory."""
    click.echo(export_run(load_run("translate", models_dir, run), models_dir, verify))


def _search_flags() -> dict[str, Any]:
    """The options of search alone, which stand beside those of data."""
    return {key: value for key, value in collect_flags().items() if "." not in key}


def _print_evaluation(evaluation: "TranslateEvaluation", as_json: bool) -> None:
    summary = evaluation.summary
    if as_json:
        click.echo(json.dumps(summary, ensure_ascii=False))
        return
    metrics = summary["metrics"]
    click.echo(f"{summary['data']}, {summary['split']}: {summary['examples']:,} sentences")
    for name in ("bleu", "chrf"):
        low, high = metrics[f"{name}_low"], metrics[f"{name}_high"]
        click.echo(f"{name}  {metrics[name]:.2f}   95 %: {low:.2f} to {high:.2f}")
