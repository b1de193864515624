"""Options that are made from the fields of a configuration.

They do not reach the command as arguments: `collect_flags` hands over all of them, by dotted key,
ready for `textapps.core.config.resolve`.
"""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textapps.cli.options import Choice, Decorator, together
from textapps.core.errors import ConfigurationError
from textapps.core.names import TASKS, PretrainingName, TaskName
from textapps.tasks.registry import get_presets

if TYPE_CHECKING:
    from textapps.core.config import Flags
    from textapps.core.keys import Key, Option

_GIVEN = "textapps.cli.field_options.given"  # in Context.meta: key → value and option
_SETTINGS = "textapps.cli.field_options.settings"  # in Context.meta: the texts of --set


def field_options(
    task: TaskName | PretrainingName, command: str, leave_out: Collection[str] = ()
) -> Decorator:
    """The options that the fields of a task's configuration have for this command.

    `leave_out` are keys for which the command has options of its own. Whether a value is in its
    range is for the configuration to say, whose message names the key.
    """
    from textapps.core.keys import keys_of

    presets = get_presets(task)

    def default(key: "Key") -> str:
        if command != "train":
            return "the run's"
        return "the preset's" if key.name in presets.keys_set else key.default_text

    return together(
        *(
            _field_option(key, key.option, default(key))
            for key in keys_of(presets.config)
            if key.option is not None
            and command in key.option.commands
            and key.name not in leave_out
        )
    )


def shared_options(command: str, **descriptions: str) -> Decorator:
    """The options that the fields of every task's configuration have for this command.

    Args:
        descriptions: in place of those of the first task, by the last part of the key.
    """
    from textapps.core.keys import keys_of

    of_tasks = [
        {
            key.name: key
            for key in keys_of(get_presets(task).config)
            if key.option is not None and command in key.option.commands
        }
        for task in TASKS
    ]
    first, *others = of_tasks
    return together(
        *(
            _field_option(
                replace(key, description=descriptions.get(name.split(".")[-1], key.description)),
                key.option,
                "the run's",
            )
            for name, key in first.items()
            if key.option is not None and all(name in other for other in others)
        )
    )


def _field_option(key: "Key", option: "Option", default: str) -> Decorator:
    """The option of one key, which shows this default if the key has one."""
    flag = option.name.partition("/")[0]
    attributes: dict[str, Any] = {"type": str if key.kind is tuple else key.kind}
    if key.kind is bool:
        attributes = {"is_flag": True}
    elif key.choices:
        attributes = {"type": Choice(option.noun or flag.removeprefix("--"), key.choices)}
    if option.multiple:
        attributes["multiple"] = True
    if option.metavar:
        attributes["metavar"] = option.metavar
    notes = [key.limits] if key.limits else []
    if key.default not in (None, ()) and key.default is not False:
        notes.append(f"default: {default}")
    text = key.description + (f"  [{'; '.join(notes)}]" if notes else "")

    def remember(ctx: click.Context, _: click.Parameter, value: object) -> None:
        if value is not None and value != ():
            ctx.meta.setdefault(_GIVEN, {})[key.name] = (value, flag)

    return click.option(
        option.name,
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

    flags = collect_flags(section)
    model = section_of(get_presets(task).config, section)
    if model is not None and issubclass(model, Section):
        resolve(model, flags=flags)
    return dict(flags)


def _remember_settings(ctx: click.Context, _: click.Parameter, settings: tuple[str, ...]) -> None:
    ctx.meta[_SETTINGS] = settings


def set_option(text: str) -> Decorator:
    """--set, with this text of help."""
    return click.option(
        "--set",
        multiple=True,
        metavar="KEY=VALUE",
        expose_value=False,
        callback=_remember_settings,
        help=text,
    )


config_options = together(
    click.option(
        "--config",
        "config_file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="A TOML file of values, such as the config.toml of a run.",
    ),
    set_option("Any value by its dotted key, such as training.batch_size=32; repeatable."),
)
"""--config, as the argument `config_file: Path | None`, and --set."""
