"""`textapps TASK search`: the best configuration that is found in a given time."""

import json
import os
import sys
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from textapps.cli import console
from textapps.cli.commands.launch import PROGRAM
from textapps.cli.field_options import collect_flags, field_options, set_option
from textapps.cli.options import (
    Choice,
    FiniteRange,
    examples,
    json_option,
    models_dir_option,
    talk_options,
)
from textapps.cli.search_progress import SearchProgress
from textapps.core.counted import counted
from textapps.core.errors import ConfigurationError
from textapps.core.memory import keep_freed_memory
from textapps.core.names import TaskName
from textapps.tasks.registry import get_about

if TYPE_CHECKING:
    from textapps.evaluation.searched import Searched


def command(task: TaskName) -> click.Command:
    """Searches a task's configurations, or goes on with a search."""
    from textapps.backbones.registry import BACKBONES

    help = get_about(task).search

    @click.command("search", help=help.text, epilog=examples(*help.examples))
    @click.option(
        "--minutes",
        type=FiniteRange(min=0, min_open=True),
        help="The time that it takes, from the start of the command to its end; needed without "
        "--resume.",
    )
    @click.option(
        "--trials",
        type=click.IntRange(min=1),
        help="End sooner, when so many configurations have been tried.",
    )
    @click.option("--max-size", metavar="SIZE", help="Largest model, such as 2MB (in float32).")
    @click.option(
        "--max-ms",
        type=FiniteRange(min=0, min_open=True),
        help="Longest time to answer one input, in milliseconds on this machine.",
    )
    @click.option(
        "--metric", metavar="NAME", help=f"Validation metric to choose by: {_metrics(task)}."
    )
    @click.option(
        "--backbone",
        "kinds",
        type=Choice("backbone", BACKBONES),
        multiple=True,
        help="A backbone to try; repeatable.  [default: gru, lstm, transformer and the preset's]",
    )
    @field_options(task, "train", leave_out=("backbone.kind",))
    @click.option(
        "--config",
        "config_file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="A TOML file of values to start from, such as the config.toml of a run.",
    )
    @set_option(
        "A key with one value for all trials, such as training.epochs=5, with a range, such as "
        "training.learning_rate=1e-4..1e-2, or with values to try, such as backbone.units=64,128; "
        "repeatable."
    )
    @click.option(
        "--storage",
        metavar="URL",
        help="A database that several processes share: postgresql://USER@HOST/DATABASE, or the "
        "path of an SQLite file.  [default: a file under searches/ in --models-dir]",
    )
    @click.option(
        "--study", metavar="NAME", help="The name of the search, to join it or resume it."
    )
    @click.option(
        "--resume",
        is_flag=True,
        help="Go on with a search that was stopped, the last one of the task unless --study names "
        "it; takes no options of training or of the search but --storage and --keep-runs.",
    )
    @click.option("--keep-runs", is_flag=True, help="Keep the runs of all trials.")
    @json_option
    @models_dir_option
    @talk_options
    def search(
        minutes: float | None,
        trials: int | None,
        max_size: str | None,
        max_ms: float | None,
        metric: str | None,
        kinds: tuple[str, ...],
        config_file: Path | None,
        storage: str | None,
        study: str | None,
        resume: bool,
        keep_runs: bool,
        as_json: bool,
        models_dir: Path,
    ) -> None:
        began_at = time.perf_counter()
        ctx = click.get_current_context()
        flags = collect_flags()
        given = (minutes, trials, max_size, max_ms, metric, *kinds, config_file, *flags)
        if resume and any(given):
            raise click.UsageError(
                "--resume goes on as the search began: leave out all options but --storage, "
                "--study, --keep-runs and --models-dir",
                ctx,
            )
        if not resume and minutes is None:
            raise click.UsageError("say how long it may take by --minutes, or give --resume", ctx)
        if storage == "":
            raise click.UsageError("--storage is empty: name a database or a file", ctx)
        if find_spec("optuna") is None:
            raise ConfigurationError("search needs Optuna: pip install 'textapps[search]'")
        from textapps.search.limits import megabytes_of

        size = None if max_size is None else megabytes_of(max_size)
        keep_freed_memory()
        from textapps.search import run as searches
        from textapps.search.conducting import PAGE
        from textapps.search.growth import Growth, OutgrownError

        progress = SearchProgress()
        where: dict[str, Any] = {"storage": storage, "study": study}
        looks: dict[str, Any] = {"began_at": began_at, "between": Growth().check}
        try:
            if minutes is None:
                run, found = searches.resume(
                    task, models_dir, progress, keep_runs=keep_runs, **where, **looks
                )
            else:
                settings = searches.Settings(
                    minutes=minutes,
                    trials=trials,
                    megabytes=size,
                    milliseconds=max_ms,
                    metric=metric,
                    flags=flags,
                    file=str(config_file.absolute()) if config_file else None,
                    kinds=kinds,
                    keep_runs=keep_runs,
                )
                run, found = searches.begin(task, settings, models_dir, progress, **where, **looks)
        except OutgrownError as outgrown:
            where["study"] = outgrown.study
            switches = {
                "--keep-runs": keep_runs,
                "--json": as_json,
                "--quiet": console.is_quiet(),
                "--verbose": console.is_verbose(),
            }
            _go_on_anew(task, {"models-dir": str(models_dir), **where}, switches)
        if as_json:
            click.echo(json.dumps(found.document, ensure_ascii=False))
            return
        _tell(found)
        console.say(f"report: {run.path / PAGE}")
        click.echo(run.path)

    return search


def _metrics(task: TaskName) -> str:
    """The metrics that a task's models can be chosen by, without importing the search."""
    from textapps.core.keys import keys_of
    from textapps.tasks.registry import get_presets

    for key in keys_of(get_presets(task).config):
        if key.name == "training.monitor":
            return ", ".join(choice for choice in key.choices if choice != "auto")
    return get_about(task).monitor


def _go_on_anew(
    task: TaskName, options: Mapping[str, str | None], switches: Mapping[str, bool]
) -> NoReturn:
    """Replaces this process by one that resumes the search, with as much memory as at the start."""
    given = [part for name, value in options.items() if value for part in (f"--{name}", value)]
    given += [name for name, on in switches.items() if on]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(PROGRAM[0], [*PROGRAM, task, "search", "--resume", *given])


def _tell(found: "Searched") -> None:
    """On stderr, what was found."""
    from textapps.evaluation.reports.search import result_of, value

    chosen = next(row for row in found.tried if row.number == found.chosen)
    preset = next(row for row in found.tried if row.number == 0)
    console.say(
        f"validation {found.metric.replace('_', ' ')} {value(found, chosen.best)} "
        f"({result_of(found, chosen)}; {counted(len(found.tried), 'trial')}); the preset "
        f"{value(found, preset.best)}"
    )
    for line in found.notes:
        console.say(line)
    if found.test is not None:
        console.say(
            f"on the test split, {counted(found.test.items, found.test.item)}, of the result (A) "
            "and the preset (B):"
        )
        for line in found.test.verdicts:
            console.say(line)
