"""`textapps runs`: what has been trained, and how good it is."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textapps import TASKS
from textapps.cli import console
from textapps.cli.options import Choice, examples, models_dir_option, talk_options
from textapps.cli.row_output import without_surrogates

if TYPE_CHECKING:
    from textapps.training.run_directory import RunDirectory

WORDS = ("task", "run", "backbone", "preset", "state", "monitor")
# The figures of metrics.json that are shown, where some run has them.
FIGURES = ("accuracy", "macro_f1", "nats_per_character")


@click.command(
    "runs",
    epilog=examples(
        "textapps runs",
        "textapps runs --task sentiment --json",
        "textapps runs --task sentiment --sort accuracy",
        'textapps runs --run 20260102-030405-gru --note "twice the units"',
        "textapps runs --delete 20260102-030405-gru",
    ),
)
@click.option("--task", type=Choice("task", TASKS), help="Only runs of this task.")
@click.option(
    "--sort",
    metavar="COLUMN",
    help="The best first: epochs, score, or any metric of the test split, such as log_loss; or by "
    "a column of words.  [default: by task and time]",
)
@click.option("--run", metavar="RUN", help="The run that --note is about: its directory or name.")
@click.option("--note", metavar="TEXT", help="Keep a note with a run; '' takes it away.")
@click.option("--delete", metavar="RUN", multiple=True, help="Delete a run; asks; repeatable.")
@click.option("--yes", is_flag=True, help="Delete without asking.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@models_dir_option
@talk_options
def runs_command(
    task: str | None,
    sort: str | None,
    run: str | None,
    note: str | None,
    delete: tuple[str, ...],
    yes: bool,
    as_json: bool,
    models_dir: Path,
) -> None:
    """List training runs with their figures.

    A run is finished, stopped (it can be resumed) or incomplete (no checkpoint yet). The score is
    that of the best validation, in the metric named by monitor; the figures after it are those on
    the default test split. With --note or --delete nothing is listed.
    """
    ctx = click.get_current_context()
    if (run is None) != (note is None):
        raise click.UsageError("--run and --note go together: give both or none", ctx)
    if yes and not delete:
        raise click.UsageError("--yes goes with --delete", ctx)
    if run is not None or delete:
        from textapps.training.run_keeping import find_own, write_note

        doomed = [find_own(models_dir, each, task) for each in delete]
        if run is not None and note is not None:
            write_note(find_own(models_dir, run, task), without_surrogates(note))
        _delete(doomed, yes)
        return
    from textapps.training.run_directory import RunDirectory

    rows = [describe_run(each) for each in RunDirectory.all(models_dir, task)]
    if sort is not None and rows:
        rows = sorted_rows(rows, sort)
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
    elif rows:
        _print_table(rows, sort)
    else:
        console.say(f"no runs in {models_dir}: train one, as with `textapps sentiment train`")


def sorted_rows(rows: list[dict[str, Any]], column: str) -> list[dict[str, Any]]:
    """The rows by a column: numbers with the best first, words in their order, none last.

    Raises:
        ConfigurationError: it is neither a column of the table nor a metric of a task or a row.
    """
    from textapps.core.errors import ConfigurationError, unknown
    from textapps.core.names import PRETRAINING
    from textapps.evaluation.metrics.differences import is_less_better

    tasks = (*TASKS, *PRETRAINING.values())
    metrics = {name for task in tasks for name in _metrics(task)}
    metrics.update(name for row in rows for name in row["test"] or {})
    known = [*WORDS, "from", "epochs", "score", *sorted(metrics), "note"]
    if column not in known:
        raise ConfigurationError(unknown("column", column, known))
    columns = [{**(row["test"] or {}), **row, "from": _name(row["init_from"])} for row in rows]

    def place(number: int) -> tuple[bool, float, str]:
        value, name = columns[number].get(column), column
        if isinstance(value, str):
            return not value, 0.0, value
        if column == "score":
            name = columns[number]["monitor"]
        name = name.removesuffix("_low").removesuffix("_high")
        falling = 1.0 if is_less_better(name) else -1.0
        return value is None, falling * (value or 0.0), ""

    return [rows[number] for number in sorted(range(len(rows)), key=place)]


def _metrics(task: str) -> tuple[str, ...]:
    from textapps.tasks.registry import get_about

    about = get_about(task)
    return *about.figures, *about.compared


def _name(init_from: str | None) -> str:
    return Path(init_from).name if init_from else ""


def _delete(runs: list["RunDirectory"], yes: bool) -> None:
    from textapps.training.run_keeping import check_deletable, delete_run, size_bytes

    runs = list({run.path.resolve(): run for run in runs}.values())  # each once
    for run in runs:  # before any question
        check_deletable(run, runs)
    agreed = [
        run
        for run in runs
        if yes or _agrees(run.path, f"delete {run.path} ({size_bytes(run) / 1e6:,.1f} MB)?")
    ]
    for run in agreed:  # again: one that needs another may be kept
        check_deletable(run, agreed)
    for run in agreed:
        delete_run(run)
        console.say(f"deleted {run.path}")


def _agrees(path: Path, question: str) -> bool:
    try:
        agreed = click.confirm(question, err=True)
    except click.Abort:
        if sys.stdin.isatty():  # Ctrl-C
            raise
        ctx = click.get_current_context()
        raise click.UsageError(f"nobody answers: delete {path}? --yes says so", ctx) from None
    if not agreed:
        console.say(f"kept {path}")
    return agreed


def describe_run(run: "RunDirectory") -> dict[str, Any]:
    """What `textapps runs --json` says of one run; a missing figure is None."""
    from textapps.core.errors import RunError
    from textapps.tasks.registry import monitor_of
    from textapps.training.checkpoint import CheckpointStore
    from textapps.training.derivation import derivation
    from textapps.training.run_keeping import read_note

    made = derivation(run)
    try:
        state = CheckpointStore(run.checkpoints).newest_state()
    except RunError:  # of a newer textapps
        state = None
    backbone = run.config.get("backbone", {}).get("kind")
    if run.config.get("model", {}).get("convolutional"):
        backbone = "convolution"
    return {
        "task": run.task,
        "run": run.name,
        "path": str(run.path),
        "backbone": backbone,
        "preset": run.config.get("preset"),
        "init_from": run.config.get("start", {}).get("init_from"),
        "state": "incomplete" if state is None else "finished" if run.finished else "stopped",
        # Those of a run that was not trained are of the run that it was made from.
        "epochs": state.step / state.steps_per_pass if state and not made else None,
        "score": state.best_score if state and not made and _is_figure(state.best_score) else None,
        "monitor": monitor_of(run),
        "test": _test_figures(run.path / "metrics.json"),
        "made": made or None,
        "note": read_note(run) or None,
    }


def _test_figures(path: Path) -> dict[str, float] | None:
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))["metrics"]
    except (OSError, ValueError, KeyError, TypeError):  # not evaluated yet
        return None
    if not isinstance(metrics, dict):
        return None
    return {name: value for name, value in metrics.items() if _is_figure(value)}


def _is_figure(value: object) -> bool:
    """Whether it is a finite number; a whole number that no float can hold is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= sys.float_info.max


def _print_table(rows: list[dict[str, Any]], sort: str | None = None) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in WORDS:
        table.add_column(name, no_wrap=name == "run")  # to be copied into --run
    names = [name for name in FIGURES if any(name in (row["test"] or {}) for row in rows)]
    if sort and sort not in (*WORDS, "from", "epochs", "score", *names, "note"):
        names.append(sort)
    noted = any(row["note"] or row["made"] for row in rows)
    started = any(row["init_from"] for row in rows)
    if started:
        table.add_column("from", no_wrap=True)
    for name in ("epochs", "score", *names):
        table.add_column(name, justify="right")
    if noted:
        table.add_column("note")
    for row in rows:
        test = row["test"] or {}
        figures = (row["epochs"], row["score"], *map(test.get, names))
        words = [str(row[name] or "") for name in WORDS]
        if started:
            words.append(_name(row["init_from"]))
        cells = ["" if value is None else f"{value:.4g}" for value in figures]
        note = "; ".join(filter(None, (row["made"], row["note"])))
        texts = map(escape, (*words, *cells, *([note] if noted else ())))
        table.add_row(*texts)
    console.answers().print(table)
