"""Options that several commands share."""

import logging
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from textapps.core.errors import unknown
from textapps.core.names import MODELS_DIR_VARIABLE
from textapps.datasets.formats.delimited import check_delimiter
from textapps.datasets.formats.lines import check_encoding

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]


class Choice(click.Choice[str]):
    """click.Choice whose error suggests the nearest choice."""

    def __init__(self, noun: str, choices: Sequence[str]) -> None:
        super().__init__(choices)
        self.noun = noun

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """The error line of `textapps.core.errors.unknown`."""
        return unknown(self.noun, str(value), self.choices)


class FiniteRange(click.FloatRange):
    """click.FloatRange that refuses "nan" and "inf", which no range does by itself."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """A finite number within the range."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number: give one such as 1.5", param, ctx)
        return number


def examples(*lines: str) -> str:
    """An epilog for --help that shows these commands, if there are any."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines) if lines else ""


def together(*decorators: Decorator) -> Decorator:
    """All of them, in --help in the order given."""

    def decorate(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


def _set_level(level: int) -> Callable[[click.Context, click.Parameter, bool], None]:
    def set_level(ctx: click.Context, _: click.Parameter, given: bool) -> None:
        if given:
            logging.getLogger("textapps").setLevel(level)

    return set_level


def _set_debugging(ctx: click.Context, _: click.Parameter, given: bool) -> None:
    if given:  # in the environment, so that child processes show tracebacks too
        os.environ["TEXTAPPS_DEBUG"] = "1"


def _switch(*names: str, act: Callable[..., None], text: str) -> Decorator:
    return click.option(*names, is_flag=True, expose_value=False, callback=act, help=text)


talk_options = together(
    _switch("-v", "--verbose", act=_set_level(logging.INFO), text="Say more on stderr."),
    _switch("-q", "--quiet", act=_set_level(logging.ERROR), text="Print only errors on stderr."),
    _switch(
        "--debug",
        act=_set_debugging,
        text="Show tracebacks and TensorFlow's own log (TEXTAPPS_DEBUG=1).",
    ),
)
"""--verbose, --quiet, --debug: they act at once and reach no command."""

models_dir_option: Decorator = click.option(
    "--models-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("models"),
    envvar=MODELS_DIR_VARIABLE,
    show_default=True,
    show_envvar=True,
    help="Where runs and exports are.",
)
"""As the argument `models_dir: Path`."""

run_options = together(
    click.option(
        "--run",
        metavar="RUN",
        help="A run: its directory or its name, or pretrained:NAME for a model that comes with the "
        "package (see `textapps pretrained`).  [default: the task's latest finished run, without "
        "any run its first pretrained model]",
    ),
    models_dir_option,
)
"""--models-dir and --run, as the arguments `models_dir: Path` and `run: str | None`."""


def _checked(
    check: Callable[[str], str],
) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """A callback that turns the ValueError of `check` into an error of usage."""

    def callback(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
        try:
            return None if value is None else check(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return callback


encoding_option: Decorator = click.option(
    "--encoding",
    metavar="NAME",
    callback=_checked(check_encoding),
    help="The encoding of text files and tables, such as cp1252 (Windows).  [default: UTF-8, or "
    "UTF-16 with a byte order mark]",
)
"""As the argument `encoding: str | None`."""

delimiter_option: Decorator = click.option(
    "--delimiter",
    metavar="CHAR",
    callback=_checked(check_delimiter),
    help="What separates the cells of CSV and TSV, such as ';' or 'tab'.  [default: a tab in TSV, "
    "in CSV what the first line shows]",
)
"""As the argument `delimiter: str | None`."""

json_option: Decorator = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object."
)
json_lines_option: Decorator = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object a line."
)
"""Both as the argument `as_json: bool`."""

sheet_option: Decorator = click.option(
    "--sheet",
    metavar="NAME",
    help="The sheet of an Excel workbook.  [default: the first visible one]",
)
"""As the argument `sheet: str | None`."""

split_option: Decorator = click.option(
    "--split",
    type=Choice("split", ("train", "validation", "test", "all")),
    help="The part of the data to evaluate on.  [default: test; all of other data that are not "
    "split]",
)


def share(_: click.Context, __: click.Parameter, text: str | None) -> float | None:
    """A callback that reads 5% or 0.05, above 0 and below 1."""
    if text is None:
        return None
    number, percent, rest = text.partition("%")
    try:
        value = float(number) / (100 if percent else 1)
    except ValueError:
        value = 0.0
    if rest or not 0 < value < 1:
        raise click.BadParameter(f"'{text}' is no share: give one such as 5% or 0.05")
    return value
