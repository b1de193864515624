"""`textapps runs`: what has been trained, and how good it is."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textapps import TASKS
from textapps.cli import console
from textapps.cli.options import Choice, examples, models_dir_option, talk_options

if TYPE_CHECKING:
    from textapps.training.run_directory import RunDirectory

WORDS = ("task", "run", "backbone", "preset", "state", "monitor")
# The figures of metrics.json that are shown, where some run has them.
FIGURES = ("accuracy", "macro_f1", "nats_per_character")


@click.command(
    "runs",
    epilog=examples("textapps runs", "textapps runs --task sentiment --json"),
)
@click.option("--task", type=Choice("task", TASKS), help="Only runs of this task.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@models_dir_option
@talk_options
def runs_command(task: str | None, as_json: bool, models_dir: Path) -> None:
    """List training runs with their figures.

    A run is finished, stopped (it can be resumed) or incomplete (no checkpoint yet). The score is
    that of the best validation, in the metric named by monitor; the figures after it are those on
    the default test split.
    """
    from textapps.training.run_directory import RunDirectory

    rows = [describe_run(run) for run in RunDirectory.all(models_dir, task)]
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
    elif rows:
        _print_table(rows)
    else:
        console.say(f"no runs in {models_dir}: train one, as with `textapps sentiment train`")


def describe_run(run: "RunDirectory") -> dict[str, Any]:
    """What `textapps runs --json` says of one run; a missing figure is None."""
    from textapps.core.errors import RunError
    from textapps.tasks.registry import monitor_of
    from textapps.training.checkpoint import CheckpointStore

    try:
        state = CheckpointStore(run.checkpoints).newest_state()
    except RunError:  # of a newer textapps
        state = None
    backbone = run.config.get("backbone", {})
    return {
        "task": run.task,
        "run": run.name,
        "path": str(run.path),
        "backbone": backbone.get("kind"),
        "preset": run.config.get("preset"),
        "init_from": run.config.get("start", {}).get("init_from"),
        "state": "incomplete" if state is None else "finished" if run.finished else "stopped",
        "epochs": state and state.step / state.steps_per_pass,
        "score": state and state.best_score,
        "monitor": monitor_of(run),
        "test": _test_figures(run.path / "metrics.json"),
    }


def _test_figures(path: Path) -> dict[str, float] | None:
    try:
        metrics: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))["metrics"]
    except (OSError, ValueError, KeyError, TypeError):  # not evaluated yet
        return None
    return metrics


def _print_table(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in WORDS:
        table.add_column(name, no_wrap=name == "run")  # to be copied into --run
    names = [name for name in FIGURES if any(name in (row["test"] or {}) for row in rows)]
    started = any(row["init_from"] for row in rows)
    if started:
        table.add_column("from", no_wrap=True)
    for name in ("epochs", "score", *names):
        table.add_column(name, justify="right")
    for row in rows:
        test = row["test"] or {}
        figures = (row["epochs"], row["score"], *map(test.get, names))
        words = [str(row[name] or "") for name in WORDS]
        if started:
            words.append(Path(row["init_from"]).name if row["init_from"] else "")
        table.add_row(*words, *("" if value is None else f"{value:.4g}" for value in figures))
    console.answers().print(table)
