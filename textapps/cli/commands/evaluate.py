"""`textapps TASK evaluate`."""

from pathlib import Path
from typing import Any

import click

from textapps.cli import console
from textapps.cli.field_options import field_options
from textapps.cli.figures import print_evaluation, say_part
from textapps.cli.loading import check_evaluated, evaluate_run, load_run
from textapps.cli.options import (
    Decorator,
    examples,
    json_option,
    run_options,
    share,
    split_option,
    talk_options,
    together,
)
from textapps.cli.tensorflow_start import BATCHES_IN_THREADS, compute_in_one_thread
from textapps.core.names import TaskName
from textapps.tasks.registry import get_about


def _threshold(_: click.Context, __: click.Parameter, text: str | None) -> float | str | None:
    """auto, none, or a number above 0 and below 1."""
    if text in (None, "auto", "none"):
        return text
    try:
        value = float(text or "")
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise click.BadParameter("give auto, none, or a number above 0 and below 1")
    return value


def _share_or_none(
    ctx: click.Context, parameter: click.Parameter, text: str | None
) -> float | str | None:
    """none, or as `share`."""
    return text if text == "none" else share(ctx, parameter, text)


# Options of a single call, which no configuration holds.
_OF_THE_CALL: dict[str, tuple[Decorator, ...]] = {
    "sentiment": (
        click.option(
            "--threshold",
            metavar="auto|none|NUMBER",
            callback=_threshold,
            help="Of two labels, answer the second from this score on, in place of the larger "
            "score. auto chooses it on the validation split by macro F1. The run keeps it for "
            "predict and export; none takes it away.",
        ),
    ),
    "speech": (
        click.option(
            "--false-accepts",
            metavar="SHARE|none",
            callback=_share_or_none,
            help="Choose on the validation split how far a command must be above 'unknown', so "
            "that at most this share of clips of other words, such as 5%, is taken for a command. "
            "The run keeps it for predict, listen and export; none takes it away.",
        ),
    ),
}


def command(task: TaskName) -> click.Command:
    """Evaluates a run of the task and writes its report."""
    described = get_about(task)
    help = described.evaluate

    @click.command("evaluate", help=help.text, epilog=examples(*help.examples))
    @field_options(task, "evaluate")
    @together(*_OF_THE_CALL.get(task, ()))
    @split_option
    @json_option
    @run_options
    @talk_options
    def evaluate(
        split: str | None,
        as_json: bool,
        run: str | None,
        models_dir: Path,
        threshold: Any = None,
        false_accepts: Any = None,
    ) -> None:
        if task in BATCHES_IN_THREADS:
            compute_in_one_thread()
        predictor = load_run(task, models_dir, run)
        if threshold is not None or false_accepts is not None:
            check_evaluated(task, predictor, split)  # before the run is changed
        if threshold is not None:
            from textapps.tasks.sentiment.threshold import decide_by

            decide_by(predictor, threshold)
        if false_accepts is not None:
            from textapps.tasks.speech.threshold import reject_by

            reject_by(predictor, None if false_accepts == "none" else false_accepts)
        evaluation, report = evaluate_run(task, predictor, split)
        print_evaluation(evaluation, described, as_json=as_json)
        say_part(evaluation, described)
        console.say(f"report: {report}")

    return evaluate
