"""What the commands of several tasks do alike."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from textapps.cli import console
from textapps.cli.options import (
    Choice,
    Command,
    Decorator,
    collect_flags,
    find_run,
    run_options,
    talk_options,
)
from textapps.core.memory import keep_freed_memory
from textapps.training.cluster import Cluster

resume_option: Decorator = click.option(
    "--resume",
    metavar="RUN",
    help="Go on with a stopped run, its directory or its name; takes no other options.",
)


def train_or_resume(
    task: str, config_file: Path | None, models_dir: Path, resume: str | None
) -> None:
    """Trains, or goes on, by the options of the running command; prints the run directory.

    Raises click.UsageError where --resume stands beside options that a run has already.
    """
    flags = collect_flags()
    if resume and (flags or config_file):
        given = ", ".join(flags.options.values()) or "--config"
        raise click.UsageError(f"--resume goes on as the run began; leave out {given}")
    from textapps.tasks.registry import get_presets, get_task

    # The configuration first: it is at hand at once, and most mistakes are found in it.
    config = None
    if not resume:
        config = get_presets(task).resolve(file=config_file, environ=os.environ, flags=flags)
    cluster = Cluster.of()
    keep_freed_memory()
    from textapps.tasks import lifecycle

    found = get_task(task)
    progress = console.TrainingProgress(found.unit)
    if config is not None:
        trained, result = lifecycle.train(found, config, models_dir, progress)
    else:
        from textapps.training.run_directory import RunDirectory

        assert resume is not None
        named = models_dir / task / resume
        run = RunDirectory.open(named if named.is_dir() else Path(resume), task, trained=False)
        trained, result = lifecycle.resume(found, run, progress)
    if cluster.is_chief:  # it says it for all
        console.say(
            f"best validation {found.best.format(result.best_score)} at step "
            f"{result.best_step:,}, {result.seconds:.0f} s of training"
        )
        click.echo(trained.run.path)


def load_run(task: str, models_dir: Path, run: str | None) -> Any:
    """What a run of the task has trained, by default the latest."""
    found = find_run(models_dir, task, run)
    keep_freed_memory()
    from textapps.tasks import lifecycle
    from textapps.tasks.registry import get_task

    return lifecycle.load(get_task(task), found)


def evaluate_run(
    predictor: Any, split: str, options: Mapping[str, object] | None = None
) -> tuple[Any, Path]:
    """Evaluates on the data that the options of the running command name; writes the report too.

    Returns the evaluation and the path of the report.
    """
    from textapps.tasks import lifecycle
    from textapps.tasks.registry import get_task

    task = get_task(predictor.config.task)
    data = other_data(predictor.config.data)
    evaluation = lifecycle.evaluate(task, predictor, data, split, options)
    return evaluation, lifecycle.write_report(task, predictor, evaluation)


def evaluate_options(command: Command) -> Command:
    """--split, --json and the run, for what evaluates it."""
    for option in (
        talk_options,
        run_options,
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
        click.option(
            "--split",
            type=Choice("split", ("train", "validation", "test")),
            default="test",
            show_default=True,
            help="The part of the data to evaluate on.",
        ),
    ):
        command = option(command)
    return command


def other_data(own: Any) -> Any:
    """The [data] section that options name, None for `own`, that of the run."""
    flags = {
        key.removeprefix("data."): value
        for key, value in collect_flags().items()
        if key.startswith("data.")
    }
    if not flags:
        return None
    from textapps.core.config import resolve

    values = own.model_dump()
    if "source" in flags:  # other data have columns and splits of their own
        # the direction and the commands are the model's
        kept = ("source", "data_dir", "reverse", "commands", "unknown", "silence")
        values = {name: values[name] for name in kept if name in values}
    return resolve(type(own), preset=values, flags=flags).resolved()


def export_options(default_name: str) -> Decorator:
    """--name, keyed, and --verify as an argument."""
    from textapps.cli.options import keyed

    def decorate(command: Command) -> Command:
        verify = click.option(
            "--verify/--no-verify",
            default=True,
            show_default=True,
            help="Compare the answers of the export with the run's in a fresh process.",
        )
        name = keyed(
            "--name", key="name", help=f"The model's name in a server.  [default: {default_name}]"
        )
        decorated: Callable[..., Any] = name(verify(command))
        return decorated

    return decorate


def export_run(trained: Any, models_dir: Path, verify: bool, **more: Any) -> Path:
    """Exports what a run has trained, by the options of the running command and `more`."""
    from textapps.core.config import resolve
    from textapps.exporting.config import ExportConfig

    section = trained.config.export.model_dump(exclude={"verify"})
    config = resolve(ExportConfig, preset={**section, "verify": verify}, flags=collect_flags())
    path: Path = trained.export(models_dir, **config.model_dump(), **more)
    return path


def lines(file: Any) -> Iterator[str]:
    """Lines end at LF or CRLF only: a text may hold U+0085 and other line separators."""
    for number, line in enumerate(file):
        text = line.rstrip(b"\n").removesuffix(b"\r").decode("utf-8", "surrogateescape")
        yield text.removeprefix("\ufeff") if number == 0 else text
