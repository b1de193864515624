"""`textapps sentiment baseline`."""

from pathlib import Path

import click

from textapps.cli import console
from textapps.cli.field_options import field_options
from textapps.cli.figures import print_evaluation, say_part
from textapps.cli.loading import evaluate_run, load_run, other_data
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
    """Fits a baseline beside a run of the task."""

    @click.command(
        "baseline",
        epilog=examples("textapps sentiment baseline", "textapps sentiment baseline --json"),
    )
    @field_options(task, "evaluate")
    @split_option
    @json_option
    @run_options
    @talk_options
    def baseline(split: str | None, as_json: bool, run: str | None, models_dir: Path) -> None:
        """Fit NB-SVM on a run's training data and compare; updates report.html."""
        classifier = load_run(task, models_dir, run)
        from textapps.tasks.sentiment.evaluate import fit_baseline

        found = fit_baseline(classifier, other_data(classifier.config.data), split)
        _, report = evaluate_run(task, classifier, split)  # finds the baseline and compares
        print_evaluation(found, get_about(task), as_json=as_json)
        say_part(found, get_about(task))
        console.say(f"report: {report}")

    return baseline
