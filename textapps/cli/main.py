"""The `textapps` command: finds a subcommand, runs it, and turns every error into one line."""

import errno
import importlib
import os
import re
import signal
import sys
import traceback
import warnings
from collections.abc import Sequence
from typing import Any

import click

from textapps import __version__
from textapps.cli import console
from textapps.cli.options import examples, talk_options
from textapps.cli.task_group import TaskGroup
from textapps.cli.tensorflow_start import prepare_tensorflow
from textapps.core.errors import TextappsError, unknown
from textapps.core.names import TASKS
from textapps.tasks.registry import get_about
from textapps.training.interruption import TrainingTerminated

# Where the commands that belong to no task are, and the first line of their help, which --help
# prints without importing them.
COMMANDS = {
    "launch": (
        "textapps.cli.commands.launch:launch_command",
        "Train with several processes on this machine.",
    ),
    "serve": (
        "textapps.cli.commands.serve:serve_command",
        "Serve exported models over HTTP and gRPC.",
    ),
    "pretrained": (
        "textapps.cli.commands.pretrained:pretrained_group",
        "List the models that come with the package.",
    ),
    "export": (
        "textapps.cli.commands.exports:export_group",
        "Check exported models; `textapps TASK export` writes them.",
    ),
    "data": ("textapps.cli.commands.data:data_group", "List, show and check data sets."),
    "compare": (
        "textapps.cli.commands.compare:compare_command",
        "Compare runs on the same examples.",
    ),
    "runs": ("textapps.cli.commands.runs:runs_command", "List training runs with their figures."),
}

REMEDIES = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.EACCES: "check its permissions",
    errno.EPERM: "check its permissions",
    errno.EROFS: "choose a directory that can be written to",
}


class Application(click.Group):
    """The root command: the tasks, and commands that are imported when they are run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The tasks, then the others in the order of the table."""
        return [*TASKS, *COMMANDS]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Imports one command; None if there is none of this name."""
        if name in TASKS:
            return TaskGroup(name)
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The listing of --help: the first line of each command's help."""
        tasks = ((task, get_about(task).group.text.partition("\n")[0]) for task in TASKS)
        others = ((name, line) for name, (_, line) in COMMANDS.items())
        with formatter.section("Commands"):
            formatter.write_dl([*tasks, *others])

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        *rest: Any,
        **extra: Any,
    ) -> Any:
        """Runs the command line and exits; every error is one line on stderr."""
        console.set_up_logging()
        extra["standalone_mode"] = False
        if os.environ.get("NO_COLOR"):
            extra["color"] = False
        try:
            code = super().main(args, prog_name or "textapps", *rest, **extra)
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            code = error.exit_code
        except click.ClickException as error:
            _print_error(usage_line(error))
            code = error.exit_code
        except click.Abort:
            code = _interrupted(KeyboardInterrupt())
        sys.exit(code)

    def invoke(self, ctx: click.Context) -> None:
        """Runs a subcommand; leaves by an exit code or an error of click's."""
        try:
            super().invoke(ctx)
            if sys.stdout is not None:  # as after `>&-`
                sys.stdout.flush()  # to notice here that the reader is gone
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            # In `textapps … | head`, head has read all it wants.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)
        except KeyboardInterrupt as error:
            ctx.exit(_interrupted(error))
        except Exception as error:
            if console.debugging():
                traceback.print_exception(error)
            line, code = describe(error)
            _print_error(line)
            ctx.exit(code)


def describe(error: Exception) -> tuple[str, int]:
    """The line and the exit code for any other error."""
    if isinstance(error, TextappsError):
        return str(error), error.exit_code
    # TensorFlow's error is recognised by its name, without importing TensorFlow; it may also mean
    # a full disk.
    names = {kind.__name__ for kind in type(error).__mro__}
    if "ResourceExhaustedError" in names and "No space left" in str(error):
        error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    elif names & {"MemoryError", "ResourceExhaustedError"}:
        return "out of memory: try a smaller --batch-size or --preset", 1
    if isinstance(error, OSError) and error.errno is not None and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        remedy = REMEDIES.get(error.errno)
        return where + error.strerror + (f": {remedy}" if remedy else ""), 1
    return (
        f"internal error: {type(error).__name__}: {error} "
        "(run with TEXTAPPS_DEBUG=1 for the traceback)"
    ), 1


def usage_line(error: click.ClickException) -> str:
    """The line for an error of click's, with a suggestion and where to read more."""
    text = error.format_message()
    ctx = getattr(error, "ctx", None)
    if isinstance(error, click.exceptions.NoSuchCommand) and isinstance(ctx, click.Context):
        assert isinstance(ctx.command, click.Group)
        text = unknown("command", error.command_name, ctx.command.list_commands(ctx))
    elif isinstance(error, click.NoSuchOption):
        text = f"unknown option '{error.option_name}'"
        if error.possibilities:
            text += f", did you mean '{error.possibilities[0]}'?"
    help_hint = f" (see '{ctx.command_path} --help')" if ctx is not None else ""
    return text[:1].lower() + text[1:].removesuffix(".") + help_hint


def _print_error(text: str) -> None:
    line = re.sub(r"\s*[\r\n]+\s*", " ", text)
    click.echo(f"error: {line}", err=True)


def _interrupted(error: KeyboardInterrupt) -> int:
    """Tells it; the exit code, by which schedulers know which signal came."""
    click.echo(str(error) or "interrupted", err=True)
    return 128 + (signal.SIGTERM if isinstance(error, TrainingTerminated) else signal.SIGINT)


@click.group(
    "textapps",
    cls=Application,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    no_args_is_help=True,
    epilog=examples(
        "textapps sentiment train --data sample",
        'textapps sentiment predict "What a film!"',
        "textapps runs",
    ),
)
@click.version_option(__version__, prog_name="textapps", message="%(prog)s %(version)s")
@talk_options
def application() -> None:
    """Train, evaluate, use and serve small sequence models."""


def main() -> None:
    """Entry point of the console script and of `python -m textapps`."""
    # An answer may hold characters that the terminal's encoding lacks, or bytes that were no text.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    if not console.debugging():
        warnings.simplefilter("ignore")  # other packages address them to their programmers
    prepare_tensorflow()
    application()
