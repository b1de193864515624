"""`textapps TASK evaluate`."""

from pathlib import Path

import click

from textapps.cli import console
from textapps.cli.field_options import field_options
from textapps.cli.figures import print_evaluation, say_part
from textapps.cli.loading import evaluate_run, load_run
from textapps.cli.options import (
    examples,
    json_option,
    run_options,
    split_option,
    talk_options,
)
from textapps.core.names import TaskName
from textapps.tasks.registry import get_about


def command(task: TaskName) -> click.Command:
    """Evaluates a run of the task and writes its report."""
    described = get_about(task)
    help = described.evaluate

    @click.command("evaluate", help=help.text, epilog=examples(*help.examples))
    @field_options(task, "evaluate")
    @split_option
    @json_option
    @run_options
    @talk_options
    def evaluate(split: str | None, as_json: bool, run: str | None, models_dir: Path) -> None:
        predictor = load_run(task, models_dir, run)
        evaluation, report = evaluate_run(task, predictor, split)
        print_evaluation(evaluation, described, as_json=as_json)
        say_part(evaluation, described)
        console.say(f"report: {report}")

    return evaluate
