"""`textapps TASK inspect`."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from textapps.cli import console
from textapps.cli.loading import load_run
from textapps.cli.options import (
    Decorator,
    encoding_option,
    examples,
    json_option,
    models_dir_option,
    talk_options,
    together,
)
from textapps.core.names import TaskName
from textapps.tasks.registry import get_about

PAGE = Path("inspect.html")
# Options of a single call, which no configuration holds.
_OF_THE_CALL: dict[str, tuple[Decorator, ...]] = {
    "generate": (
        click.option(
            "--characters",
            type=click.IntRange(3, 100_000),
            default=2_000,
            show_default=True,
            metavar="N",
            help="How much of a text to look at, from its beginning.",
        ),
        click.option(
            "--property",
            "properties",
            metavar="NAME=REGEX",
            multiple=True,
            help="A property of text to look for in units, such as number=[0-9]+; repeatable.",
        ),
        click.option(
            "--lesson",
            is_flag=True,
            help="Also train a network of two units on the first 12 characters; show its numbers.",
        ),
    ),
}


def command(task: TaskName) -> click.Command:
    """Look inside runs of the task."""
    about = get_about(task)
    help, paths = about.inspect, about.inputs.paths

    @click.command("inspect", help=help.text, epilog=examples(*help.examples))
    @click.argument("given", nargs=-1, metavar="[FILE]..." if paths else "[TEXT|FILE]...")
    @click.option(
        "--run",
        "runs",
        metavar="RUN",
        multiple=True,
        help="A run: its directory or its name, or pretrained:NAME; several stand side by side.  "
        "[default: the task's latest finished run, without any run its first pretrained model]",
    )
    @click.option(
        "--output",
        type=click.Path(dir_okay=False, path_type=Path),
        help="The HTML file to write.  [default: inspect.html; none with --json]",
    )
    @click.option(
        "--pictures",
        type=click.Path(file_okay=False, path_type=Path),
        help="A folder to write every picture to as well, as SVG files.",
    )
    @together(*_OF_THE_CALL.get(task, ()))
    @encoding_option
    @json_option
    @models_dir_option
    @talk_options
    def inspect(
        given: tuple[str, ...],
        runs: tuple[str, ...],
        output: Path | None,
        pictures: Path | None,
        encoding: str | None,
        as_json: bool,
        models_dir: Path,
        properties: tuple[str, ...] = (),
        **call: Any,
    ) -> None:
        if output and not output.parent.is_dir():  # found out before the work, not after it
            raise click.BadParameter(f"there is no folder {output.parent}", param_hint="--output")
        from textapps.interpret.request import parse_properties

        own = parse_properties(properties)
        texts = given if paths else tuple(_text(one, encoding) for one in given)
        predictors = [load_run(task, models_dir, run) for run in runs or (None,)]
        from textapps.interpret.report import document, write_inspection
        from textapps.tasks.inspection import inspect as look

        found = look(task, predictors, texts, console.say, properties=own, **call)
        if pictures:
            from textapps.interpret.picture_files import write_pictures

            write_pictures(pictures, found)
        if as_json:
            click.echo(json.dumps(document(found), ensure_ascii=False))
        if output or not as_json:
            path = output or PAGE
            write_inspection(path, found)
            if not as_json:
                click.echo(path)

    return inspect


def _text(given: str, encoding: str | None) -> str:
    """The content of a file, of standard input for '-', else the argument itself."""
    from textapps.datasets.corpus.sources import decode_document, read_document

    if given == "-":
        return decode_document(sys.stdin.buffer.read(), "standard input", encoding)
    try:
        is_file = Path(given).is_file()
    except (OSError, ValueError):  # too long for a name, or with a NUL
        is_file = False
    return read_document(Path(given), encoding) if is_file else given
