"""`textapps compare`: which of several runs is better, and at what cost."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from textapps.cli import console
from textapps.cli.field_options import collect_flags, set_option, shared_options
from textapps.cli.options import (
    examples,
    json_option,
    models_dir_option,
    split_option,
    talk_options,
)
from textapps.core.memory import keep_freed_memory

if TYPE_CHECKING:
    from textapps.evaluation.comparison import Comparison

PAGE = Path("compare.html")


@click.command(
    "compare",
    epilog=examples(
        "textapps compare 20260102-030405-gru 20260102-040506-lstm",
        "textapps compare models/sentiment/20260102-030405-gru pretrained:imdb --data other.csv",
        "textapps compare 20260102-030405-gru 20260102-040506-lstm --json",
    ),
)
@click.argument("runs", nargs=-1, metavar="RUN RUN...")
@shared_options(
    "evaluate", source="The examples to compare on, as `textapps TASK evaluate --data` takes them."
)
@set_option("Any other value of [data], such as data.text_column=review; repeatable.")
@split_option
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The HTML file to write.  [default: compare.html; none with --json]",
)
@json_option
@models_dir_option
@talk_options
def compare_command(
    runs: tuple[str, ...], split: str | None, output: Path | None, as_json: bool, models_dir: Path
) -> None:
    """Compare runs on the same examples.

    Writes compare.html. A RUN is a directory, a name, or pretrained:NAME for a model of the
    package; all must be of one task. The examples are the test split of the first run's data,
    unless --data names others. Differences have intervals and corrected p-values.
    """
    if len(runs) < 2:
        raise click.UsageError("name two runs or more", click.get_current_context())
    page = output or (None if as_json else PAGE)
    if page is not None:  # found out before the work, not after it
        if not page.parent.is_dir():
            raise click.BadParameter(f"there is no folder {page.parent}", param_hint="--output")
        if not os.access(page.parent, os.W_OK):
            raise click.BadParameter(
                f"cannot write into {page.parent.absolute()}", param_hint="--output"
            )
    flags = collect_flags()
    if other := [key for key in flags if not key.startswith("data.")]:
        raise click.UsageError(
            f"--set {other[0]}: only values of [data] can be set here",
            click.get_current_context(),
        )
    from textapps.training.run_directory import RunDirectory

    found = [RunDirectory.find_any(models_dir, run) for run in runs]
    keep_freed_memory()
    from textapps.evaluation.comparison import document
    from textapps.evaluation.reports.comparison import comparison_report
    from textapps.evaluation.reports.report import write_report
    from textapps.tasks.comparison import compare

    comparison = compare(found, collect_flags("data") or None, split)
    if as_json:
        click.echo(json.dumps(document(comparison), ensure_ascii=False))
    else:
        _print(comparison)
    if page is not None:
        write_report(page, comparison_report(comparison))
        console.say(f"report: {page}")


def _with_interval(told: str, interval: str) -> str:
    return f"{told} ({interval})" if interval else told


def _print(comparison: "Comparison") -> None:
    """The runs, a table of metrics and costs, and a verdict for each pair."""
    from rich.table import Table

    from textapps.core.counted import counted
    from textapps.evaluation.reports.sections import NAMES, figure

    told = counted(comparison.examples, comparison.example)
    click.echo(f"{comparison.data}, {comparison.split}: {told}")
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for run in comparison.runs:
        click.echo(f"{run.letter}  {run.name}  {run.backbone}")
        table.add_column(run.letter, justify="right")
    for name in NAMES:
        if any(name in run.metrics for run in comparison.runs):
            cells = [
                _with_interval(*figure(run.metrics, name)) if name in run.metrics else ""
                for run in comparison.runs
            ]
            table.add_row(name, *cells)
    table.add_row("parameters", *(f"{run.parameters:,}" for run in comparison.runs))
    table.add_row("megabytes", *(f"{run.megabytes:.2f}" for run in comparison.runs))
    for count in sorted(comparison.runs[0].milliseconds):
        times = (f"{run.milliseconds[count]:.1f} ms" for run in comparison.runs)
        table.add_row(f"{count} at once", *times)
    seconds = [run.training_seconds for run in comparison.runs]
    table.add_row("training", *(f"{each:,.0f} s" if each else "not known" for each in seconds))
    console.answers().print(table)
    for line in (*comparison.verdicts, *comparison.notes):
        click.echo(line)
