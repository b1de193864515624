"""`predict --output`: batch inference, the same for all tasks."""

import functools
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from textapps.cli import console
from textapps.cli.batch_runners import RUNNERS
from textapps.cli.options import (
    Choice,
    Command,
    Decorator,
    delimiter_option,
    encoding_option,
    sheet_option,
)
from textapps.core.counted import counted
from textapps.core.notices import notice
from textapps.datasets.formats.rows import Reading

# What --output may be combined with, and what has a meaning only with it.
_BESIDE = {
    "patterns",
    "output",
    "column",
    "encoding",
    "delimiter",
    "sheet",
    "output_format",
    "skip_bad",  # which batch inference always does
    "models_dir",
    "verbose",
    "quiet",
    "debug",
}
_ALONE = {"runner", "master", "model", "batch_size", "keep_columns"}


def batch_options(task: str, what: str, kind: str, batch_size: int) -> Decorator:
    """--input, and the options of --output, with which batch inference runs instead of the command.

    Without --output the command gets `input_file: str | None`, the value of --input, and
    `column: str | None`, and `reading: Reading`.

    Args:
        task: whose export is used.
        what: what a line of a text file contains, such as "a text".
        kind: the kind of column that is read: "text", "source" or "path".
        batch_size: how many rows the model answers at a time, by default.
    """
    options = (
        click.option(
            "--input",
            "patterns",
            multiple=True,
            metavar="FILE",
            help=f"A table (CSV, TSV, JSON lines, .gz too; Parquet, Excel), or a file with {what} "
            "on each line; '-' for lines on standard input. With --output: a pattern of files, "
            "repeatable.",
        ),
        click.option(
            "--output",
            type=click.Path(file_okay=False, path_type=Path),
            metavar="DIR",
            help="Answer whole files with the exported model, into this folder; see docs/batch.md.",
        ),
        click.option(
            "--runner",
            type=Choice("runner", tuple(RUNNERS)),
            default="local",
            show_default=True,
            help="With --output: this process, or Apache Beam or Spark, whose own options follow "
            "'--'.",
        ),
        click.option(
            "--master",
            metavar="URL",
            help="With --runner spark: the cluster, such as spark://HOST:7077 or local[2].  "
            "[default: this machine]",
        ),
        click.option(
            "--model",
            type=click.Path(file_okay=False, path_type=Path),
            metavar="DIR",
            help="With --output: the SavedModel.  [default: the newest export called "
            "like the task, or else the task's only one]",
        ),
        click.option(
            f"--{kind}-column",
            "column",
            metavar="NAME",
            help=f"The column of {kind}s in a table.  [default: the one that training was told to "
            "read, else found by its name]",
        ),
        encoding_option,
        delimiter_option,
        sheet_option,
        click.option(
            "--batch-size",
            type=click.IntRange(1, 65_536),
            default=batch_size,
            show_default=True,
            help="With --output: most rows that the model answers at a time.",
        ),
        click.option(
            "--keep-columns",
            is_flag=True,
            help="With --output: repeat the other columns of a row beside its answer.",
        ),
    )

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def predict(**given: Any) -> None:
            ctx = click.get_current_context()
            batch = {name: given.pop(name) for name in ("output", *sorted(_ALONE))}
            patterns, column = given.pop("patterns"), given.pop("column")
            named = {name: given.pop(name) for name in ("encoding", "delimiter", "sheet")}
            reading = Reading(**named)
            if batch["output"] is None:
                _refuse(ctx, lambda name: name in _ALONE, "needs --output")
                command(input_file=_input_file(patterns), column=column, reading=reading, **given)
                return
            positional = next(p.name for p in ctx.command.params if isinstance(p, click.Argument))
            _refuse(
                ctx,
                lambda name: name not in _BESIDE | _ALONE | {positional},
                "does not go with --output, where the exported model answers as it was exported",
            )
            form = _format(ctx, given["output_format"])
            files = (patterns, given[positional], given["models_dir"])
            _run(task, kind, *files, column=column, reading=reading, output_format=form, **batch)

        decorated: Command = predict
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate


def _refuse(ctx: click.Context, wrong: Callable[[str], bool], reason: str) -> None:
    for parameter in ctx.command.params:
        name = parameter.name or ""
        if wrong(name) and ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{parameter.opts[0]} {reason}")


def _format(ctx: click.Context, named: str) -> str:
    if ctx.get_parameter_source("output_format") is ParameterSource.DEFAULT:
        return "jsonl"
    if named not in ("jsonl", "parquet"):
        raise click.UsageError("--output writes --output-format jsonl or parquet")
    return named


def _input_file(patterns: Sequence[str]) -> str | None:
    if len(patterns) > 1:
        raise click.UsageError("give --input once; several need --output")
    name = patterns[0] if patterns else None
    if name not in (None, "-") and not Path(str(name)).exists():
        raise click.BadParameter(f"'{name}': No such file or directory", param_hint="'--input'")
    return name


def _run(
    task: str,
    kind: str,
    patterns: Sequence[str],
    engine_options: Sequence[str],
    models_dir: Path,
    *,
    output: Path,
    runner: str,
    master: str | None,
    model: Path | None,
    column: str | None,
    reading: Reading,
    batch_size: int,
    keep_columns: bool,
    output_format: str,
) -> None:
    if not patterns or "-" in patterns:
        raise click.UsageError("--output needs --input FILE, which cannot be standard input")
    if engine_options and (runner == "local" or not engine_options[0].startswith("--")):
        raise click.UsageError(
            "--output takes files by --input; options of Beam or Spark follow '--', with --runner "
            "beam or spark"
        )
    if master is not None and runner != "spark":
        raise click.UsageError("--master needs --runner spark")
    from textapps.batch.inputs import find_model, model_sha256, trained_column
    from textapps.batch.job import Job
    from textapps.batch.remote import is_remote
    from textapps.batch.run import run_batch

    if is_remote(str(output)):
        raise click.UsageError("--output is a folder, on a disk that all workers see; not a URI")
    with RUNNERS[runner](engine_options, master) as (find, work):
        files = find(patterns)
        directory = find_model(task, models_dir, model)
        reading = reading._replace(trained_column=trained_column(directory))
        how = (column, batch_size, output, reading, keep_columns, output_format)
        job = Job(directory, model_sha256(directory), kind, *how)
        started = time.monotonic()
        try:
            summary = run_batch(job, files, work)
        except KeyboardInterrupt:
            raise KeyboardInterrupt("interrupted: the same command continues from here") from None
    before = f", {summary.finished_before:,} finished before" if summary.finished_before else ""
    console.say(
        f"{counted(summary.rows, 'row')} of {counted(summary.files, 'file')}{before}, "
        f"{time.monotonic() - started:.0f} s"
    )
    if summary.long_rows:
        notice(
            "texts longer than the model reads: %s of %s; only a part of each is read",
            f"{summary.long_rows:,}",
            f"{summary.rows:,}",
        )
    if summary.bad_rows:
        console.LOGGER.warning("bad rows: %s, see %s", f"{summary.bad_rows:,}", job.folders[1])
    click.echo(output)
