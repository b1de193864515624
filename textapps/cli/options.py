"""Options of several commands, and those that are made from the fields of a configuration.

An option of a field does not reach the command as an argument: `collect_flags` hands over all of
them, by dotted key, ready for `textapps.core.config.resolve`.
"""

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textapps.core.errors import ConfigurationError, unknown
from textapps.core.names import TaskName

if TYPE_CHECKING:
    from textapps.core.config import Flags
    from textapps.core.keys import Key
    from textapps.training.run_directory import RunDirectory

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]
_GIVEN = "textapps.cli.options.given"  # in Context.meta: key → value and option
_SETTINGS = "textapps.cli.options.settings"  # in Context.meta: the texts of --set


class Choice(click.Choice[str]):
    """click.Choice whose error suggests the nearest choice."""

    def __init__(self, noun: str, choices: Sequence[str]) -> None:
        super().__init__(choices)
        self.noun = noun

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """The error line of `textapps.core.errors.unknown`."""
        return unknown(self.noun, str(value), self.choices)


def field_options(task: TaskName, command: str) -> Decorator:
    """The options that the fields of a task's configuration have for this command.

    Whether a value is in its range is for the configuration to say, whose message names the key.
    """
    from textapps.core.keys import keys_of
    from textapps.tasks.registry import get_presets

    found = get_presets(task)
    keys = [
        key
        for key in keys_of(found.config)
        if key.option is not None and command in key.option.commands
    ]
    if command == "train":
        return together(
            *(
                _field_option(key, "the preset's" if key.name in found.keys_set else "")
                for key in keys
            )
        )
    return together(*(_field_option(key, "the run's") for key in keys))


def _field_option(key: "Key", default: str) -> Decorator:
    """The option of one key; `default` is shown in place of the key's own."""
    assert key.option is not None
    attributes: dict[str, Any] = {"type": key.kind}
    if key.kind is bool:
        attributes = {"is_flag": True}
    elif key.choices:
        name = key.option.name.removeprefix("--")
        attributes = {"type": Choice(key.option.noun or name, key.choices)}
    elif key.kind is tuple:
        attributes = {"type": str}
    if key.option.metavar:
        attributes["metavar"] = key.option.metavar
    notes = [key.limits] if key.limits else []
    if key.default is not None and key.default is not False and key.default != ():
        notes.append(f"default: {default or key.default_text}")
    text = key.description + (f"  [{'; '.join(notes)}]" if notes else "")

    def remember(ctx: click.Context, _: click.Parameter, value: object) -> None:
        if value is not None:
            name = key.option.name.partition("/")[0] if key.option else ""
            ctx.meta.setdefault(_GIVEN, {})[key.name] = (value, name)

    return click.option(
        key.option.name,
        key.name.replace(".", "__"),
        help=text,
        default=None,
        expose_value=False,
        callback=remember,
        **attributes,
    )


def collect_flags(section: str = "") -> "Flags":
    """What options of fields and --set of the running command were given, by dotted key.

    Args:
        section: take only the keys of this section, without its name.

    Raises:
        ConfigurationError: an option and --set name the same key.
    """
    from textapps.core.config import Flags, parse_setting

    meta = click.get_current_context().meta
    given: dict[str, tuple[object, str]] = dict(meta.get(_GIVEN, {}))
    for setting in meta.get(_SETTINGS, ()):
        key, value = parse_setting(setting)
        if key in given:
            raise ConfigurationError(f"{key} is given twice: by {given[key][1]} and by --set")
        given[key] = (value, "--set")
    prefix = f"{section}." if section else ""
    chosen = {
        key.removeprefix(prefix): found for key, found in given.items() if key.startswith(prefix)
    }
    return Flags(
        {key: value for key, (value, _) in chosen.items()},
        {key: option for key, (_, option) in chosen.items()},
    )


def checked_options(task: TaskName, section: str) -> dict[str, object]:
    """What `collect_flags` has of a section, found good before seconds go by.

    Raises ConfigurationError for a value out of its range.
    """
    from textapps.core.config import Section, resolve
    from textapps.core.config_errors import section_of
    from textapps.tasks.registry import get_presets

    flags = collect_flags(section)
    model = section_of(get_presets(task).config, section)
    if model is not None and issubclass(model, Section):
        resolve(model, flags=flags)
    return dict(flags)


def examples(*lines: str) -> str:
    """An epilog for --help that shows these commands."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


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
    envvar="TEXTAPPS_MODELS_DIR",
    show_default=True,
    show_envvar=True,
    help="Where runs and exports are.",
)
"""As the argument `models_dir: Path`."""

run_options = together(
    click.option(
        "--run",
        metavar="RUN",
        help="A run: its directory or its name.  [default: the task's latest finished run]",
    ),
    models_dir_option,
)
"""--models-dir and --run, as the arguments `models_dir: Path` and `run: str | None`."""

json_option: Decorator = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object."
)
json_lines_option: Decorator = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object a line."
)
"""Both as the argument `as_json: bool`."""

split_option: Decorator = click.option(
    "--split",
    type=Choice("split", ("train", "validation", "test")),
    default="test",
    show_default=True,
    help="The part of the data to evaluate on.",
)


def find_run(
    models_dir: Path, task: str, run: str | None, *, trained: bool = True
) -> "RunDirectory":
    """The run of a task that --run means, or without it the latest; RunError if there is none."""
    from textapps.training.run_directory import RunDirectory

    if run is None:
        return RunDirectory.latest(models_dir, task)
    named = models_dir / task / run
    return RunDirectory.open(named if named.is_dir() else Path(run), task, trained=trained)


def _remember_settings(ctx: click.Context, _: click.Parameter, settings: tuple[str, ...]) -> None:
    ctx.meta[_SETTINGS] = settings


config_options = together(
    click.option(
        "--config",
        "config_file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="A TOML file of values, such as the config.toml of a run.",
    ),
    click.option(
        "--set",
        multiple=True,
        metavar="KEY=VALUE",
        expose_value=False,
        callback=_remember_settings,
        help="Any value by its dotted key, such as training.batch_size=32; repeatable.",
    ),
)
"""--config, as the argument `config_file: Path | None`, and --set."""
