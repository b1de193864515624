"""`textapps speech`: train, evaluate, predict, listen, export."""

import json
import sys
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
from textapps.core.errors import DataError

if TYPE_CHECKING:
    from textapps.tasks.speech.evaluate import SpeechEvaluation
    from textapps.tasks.speech.predictor import SpeechRecognizer

CHUNK = 256  # recordings that predict holds in memory at a time
SHOWN = 3  # bad ones that --skip-bad names
FIGURES = (
    "accuracy",
    "macro_f1",
    "false_accept_rate",
    "false_reject_rate",
    "accuracy_10_db",
    "miss_rate",
    "false_alarms_per_hour",
)


@click.group("speech")
def speech_group() -> None:
    """Recognise spoken commands."""


def clip_options(command: Command) -> Command:
    """Where recordings are and which words are commands."""
    options: tuple[tuple[str, str, dict[str, Any]], ...] = (
        (
            "--data",
            "source",
            {
                "metavar": "SOURCE",
                "help": "A TensorFlow Datasets name, 'sample' (made on the spot), a folder of "
                "class folders of WAV, FLAC or OGG files, or a table of paths and labels.  "
                "[default: the preset's]",
            },
        ),
        (
            "--data-dir",
            "data_dir",
            {
                "metavar": "DIR",
                "help": "Where prepared TensorFlow Datasets are.  "
                "[default: TFDS_DATA_DIR, else ~/tensorflow_datasets]",
            },
        ),
        (
            "--commands",
            "commands",
            {
                "metavar": "WORD,WORD,…",
                "help": "The words to tell apart; every other one is 'unknown'.  [default: all]",
            },
        ),
        (
            "--skip-bad",
            "skip_bad",
            {"is_flag": True, "help": "Leave out files that cannot be read, and name some."},
        ),
    )
    for name, key, attributes in reversed(options):
        command = keyed(name, key=f"data.{key}", **attributes)(command)
    return command


@speech_group.command(
    "train",
    epilog=examples(
        "textapps speech train --data sample --preset tiny",
        "textapps speech train --data clips/ --commands yes,no,left,right",
        "textapps speech train --data clips/ --streaming --backbone lstm",
        "textapps speech train --resume models/speech/20260102-030405-gru",
    ),
)
@clip_options
@split_options
@training_options
@keyed(
    "--streaming",
    key="model.streaming",
    is_flag=True,
    help="A model that hears as it comes, and carries its state on: listening costs less.",
)
@config_options()
@models_dir_option
@resume_option
@talk_options
def train_command(config_file: Path | None, models_dir: Path, resume: str | None) -> None:
    """Train a recogniser; prints the run directory."""
    train_or_resume("speech", config_file, models_dir, resume)


@speech_group.command(
    "evaluate",
    epilog=examples(
        "textapps speech evaluate",
        "textapps speech evaluate --data other-clips/ --split test --json",
    ),
)
@clip_options
@evaluate_options
def evaluate_command(split: str, as_json: bool, run: str | None, models_dir: Path) -> None:
    """Evaluate a run, in noise and in a stream too; writes metrics.json and report.html."""
    evaluation, report = evaluate_run(load_run("speech", models_dir, run), split)
    _print_evaluation(evaluation, as_json)
    console.say(f"report: {report}")


@speech_group.command(
    "predict",
    epilog=examples(
        "textapps speech predict yes.wav left.flac",
        "textapps speech predict clips/ --json --skip-bad",
        "textapps speech predict --input paths.txt",
        "textapps speech predict --input 'clips-*.csv' --output answers/",
        "cat yes.wav | textapps speech predict -",
    ),
)
@click.argument("paths", nargs=-1, metavar="[FILE|FOLDER]...")
@batch_options("speech", "a path", "path", 128)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--skip-bad", is_flag=True, help="Leave out what cannot be read, and name some.")
@run_options
@talk_options
def predict_command(
    paths: tuple[str, ...],
    input_file: Any,
    as_json: bool,
    skip_bad: bool,
    run: str | None,
    models_dir: Path,
) -> None:
    """Print label, probability and path of each recording, a line each; '-' is one on stdin."""
    if bool(paths) == (input_file is not None):
        raise click.UsageError("give files or folders, or --input FILE, or '-' for standard input")
    named = paths if input_file is None else tuple(line for line in lines(input_file) if line)
    if named.count("-") > 1:
        raise click.UsageError("'-' is one recording on standard input, and given twice")
    recognizer: SpeechRecognizer = load_run("speech", models_dir, run)
    from textapps.tasks.speech.recordings import read_all

    skipped: list[str] = []
    rate_hz = recognizer.config.preprocessor.sample_rate
    sounds = read_all(named, rate_hz, sys.stdin.buffer, skipped if skip_bad else None)
    iterator = enumerate(sounds)
    while chunk := list(islice(iterator, CHUNK)):
        good = [(index, path, sound) for index, (path, sound) in chunk if sound is not None]
        found = recognizer.predict([sound for _, _, sound in good])
        for (index, path, _), answer in zip(good, found, strict=True):
            if as_json:
                fields = {"index": index, "input": path, **answer._asdict()}
                click.echo(json.dumps(fields, ensure_ascii=False))
            else:
                click.echo(f"{answer.label}\t{answer.probability:.4f}\t{path}")
    if skipped:
        more = f"; … and {len(skipped) - SHOWN:,} more" if len(skipped) > SHOWN else ""
        console.LOGGER.warning(
            "%d bad recordings skipped: %s%s", len(skipped), "; ".join(skipped[:SHOWN]), more
        )


def detection_options(command: Command) -> Command:
    """When a command counts as heard."""
    options: tuple[tuple[str, Any, str, str], ...] = (
        ("--threshold", float, "P", "Smoothed probability at which a command is heard."),
        ("--smoothing-ms", int, "MS", "Time over which probabilities are averaged."),
        ("--refractory-ms", int, "MS", "Time after a command in which nothing is heard."),
        ("--hop-ms", int, "MS", "Time from one answer of the model to the next."),
    )
    for name, kind, metavar, text in reversed(options):
        key = name.removeprefix("--").replace("-", "_")
        text += "  [default: the run's]"
        command = keyed(name, key=key, type=kind, metavar=metavar, help=text)(command)
    return command


@speech_group.command(
    "listen",
    epilog=examples(
        "textapps speech listen meeting.wav",
        "arecord -q -t raw -f S16_LE -r 16000 -c 1 | textapps speech listen -",
        "textapps speech listen meeting.wav --threshold 0.9 --json",
    ),
)
@click.argument("recording", metavar="FILE|-")
@detection_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@run_options
@talk_options
def listen_command(recording: str, as_json: bool, run: str | None, models_dir: Path) -> None:
    """Print the commands in a long recording as they are heard: seconds, command, probability.

    '-' is standard input: raw samples of 16 bits, one channel, at the rate of the model (16 kHz).
    """
    from textapps.core.config import resolve
    from textapps.decoding.config import DetectionConfig

    flags = collect_flags()
    resolve(DetectionConfig, flags=flags)  # before seconds go by
    if recording != "-" and not Path(recording).is_file():
        raise DataError(f"{recording}: no such file")
    recognizer: SpeechRecognizer = load_run("speech", models_dir, run)
    from textapps.tasks.speech.pieces import pcm_pieces, pieces_of

    if recording == "-":
        pieces = pcm_pieces(sys.stdin.buffer)
    else:
        pieces = pieces_of(Path(recording), recognizer.config.preprocessor.sample_rate)
    for heard in recognizer.listen(pieces, **flags):
        seconds = heard.time_ms / 1_000
        if as_json:
            fields = {
                "seconds": round(seconds, 3),
                "label": heard.label,
                "probability": heard.probability,
            }
            click.echo(json.dumps(fields, ensure_ascii=False))
        else:
            click.echo(f"{seconds:.2f}\t{heard.label}\t{heard.probability:.4f}")


@speech_group.command(
    "export",
    epilog=examples(
        "textapps speech export",
        "textapps speech export --name commands --format tflite",
    ),
)
@click.option(
    "--format",
    "format_",
    type=Choice("format", ("saved_model", "tflite")),
    default="saved_model",
    show_default=True,
    help="For a TensorFlow server, or float and int8 files for LiteRT on a small device.",
)
@export_options("speech")
@run_options
@talk_options
def export_command(format_: str, verify: bool, run: str | None, models_dir: Path) -> None:
    """Write a model that takes recordings and gives commands; prints its directory."""
    path = export_run(load_run("speech", models_dir, run), models_dir, verify, format=format_)
    if format_ == "tflite":
        _say_of_files(path)
    click.echo(path)


def _say_of_files(directory: Path) -> None:
    manifest = json.loads((directory / "textapps.json").read_bytes())
    accuracy = manifest.get("accuracy", {})
    for kind, file in manifest["files"].items():
        known = f", accuracy {accuracy[kind]:.4f} (the run: {accuracy['run']:.4f})"
        console.say(
            f"{kind}: {file['bytes'] / 1_000:,.0f} kB, {file['milliseconds_per_clip']:.1f} ms a "
            f"clip{known if accuracy else ''}"
        )
    if accuracy:
        pairs = manifest["int8_against_float"]
        console.say(
            f"of {manifest['evaluated_on']['examples']:,} clips float alone is right on "
            f"{pairs['only_float_right']}, int8 alone on {pairs['only_int8_right']}"
        )


def _print_evaluation(evaluation: "SpeechEvaluation", as_json: bool) -> None:
    summary = evaluation.summary
    if as_json:
        click.echo(json.dumps(summary, ensure_ascii=False))
        return
    metrics = summary["metrics"]
    click.echo(f"{summary['data']}, {summary['split']}: {summary['examples']:,} clips")
    for name in FIGURES:
        if name in metrics:
            low, high = metrics[f"{name}_low"], metrics[f"{name}_high"]
            click.echo(f"{name:<22} {metrics[name]:.4f}   95 %: {low:.4f} to {high:.4f}")
