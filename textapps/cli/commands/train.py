"""`textapps TASK train`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from textapps.cli import console
from textapps.cli.environment import unread_variables
from textapps.cli.field_options import collect_flags, config_options, field_options
from textapps.cli.loading import find_run
from textapps.cli.options import examples, models_dir_option, talk_options
from textapps.core.memory import keep_freed_memory
from textapps.core.names import PRETRAINING, PretrainingName, TaskName, lenders
from textapps.tasks.registry import get_about, get_presets
from textapps.training.cluster import Cluster

if TYPE_CHECKING:
    from textapps.core.config import Flags
    from textapps.tasks.config import TaskConfig


def configuration(
    task: TaskName | PretrainingName, models_dir: Path, file: Path | None, flags: "Flags"
) -> "TaskConfig":
    """The configuration of a new run, for which the run that it starts from may be the preset."""
    from textapps.core.config import lookup
    from textapps.training.run_directory import CONFIG
    from textapps.training.start_config import FROM_NOTHING

    given = lookup("start.init_from", file=file, environ=os.environ, flags=flags)
    start = None
    if given not in (None, FROM_NOTHING):
        start = find_run(models_dir, task, str(given), *lenders(task)).path / CONFIG
    config: TaskConfig = get_presets(task).resolve(
        file=file, environ=os.environ, flags=flags, start=start
    )
    return config


def command(task: TaskName | PretrainingName, name: str = "train") -> click.Command:
    """Trains a run of the task, or goes on with one."""
    help = get_about(task).train

    @click.command(name, help=help.text, epilog=examples(*help.examples))
    @field_options(task, "train")
    @config_options
    @models_dir_option
    @click.option(
        "--resume",
        metavar="RUN",
        help="Continue a stopped run, given by its directory or its name; takes no other options.",
    )
    @talk_options
    def train(config_file: Path | None, models_dir: Path, resume: str | None) -> None:
        flags = collect_flags()
        if resume and (flags or config_file):
            given = ", ".join(flags.options.values()) or "--config"
            raise click.UsageError(
                f"--resume goes on as the run began; leave out {given}, or start a new run from "
                f"its weights by --init-from {resume}"
            )
        # What the user gave first: it is at hand at once, and most mistakes are found in it.
        for message in unread_variables(os.environ):
            console.LOGGER.warning(message)
        if resume:
            run = find_run(models_dir, task, resume, trained=False)
        else:
            config = configuration(task, models_dir, config_file, flags)
        cluster = Cluster.of()
        keep_freed_memory()
        from textapps.tasks import lifecycle
        from textapps.tasks.registry import get_task

        found = get_task(task)
        progress = console.TrainingProgress(found.unit)
        if resume:
            trained, result = lifecycle.resume(found, run, progress)
        else:
            trained, result = lifecycle.train(found, config, models_dir, progress)
        if cluster.is_chief:  # it says it for all
            console.say(
                f"best validation {found.best[result.monitor].format(result.best_score)} at step "
                f"{result.best_step:,}, {result.seconds:.0f} s of training"
            )
            if result.stopped_by == "time":
                from textapps.training.schedule import cut_short

                if told := cut_short(trained.config.training, result.steps, result.epochs):
                    console.say(told)
            if task in PRETRAINING.values():  # which has no command to evaluate it
                evaluation = lifecycle.evaluate(found, trained, split="validation")
                console.say(f"report: {lifecycle.write_report(found, trained, evaluation)}")
            click.echo(trained.run.path)

    return train
