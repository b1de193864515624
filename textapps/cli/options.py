"""The options that commands share, spelled once.

An option with a configuration key does not reach the command as an argument: `collect_flags`
hands over all of them, by dotted key, ready for `textapps.core.config.resolve`.
"""

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textapps.core.errors import ConfigurationError, unknown

if TYPE_CHECKING:
    from textapps.core.config import Flags
    from textapps.training.run_directory import RunDirectory

# As textapps.backbones.config has them; that module is too slow to import for a --help.
BACKBONES = ("simple_rnn", "lstm", "gru", "transformer")
PRESETS = ("tiny", "small", "base")
# As textapps.training.config has them.
STRATEGIES = ("auto", "one", "mirrored", "multi-worker")

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]
_GIVEN = "textapps.cli.options.given"  # in Context.meta: key → value and option
_SETTINGS = "textapps.cli.options.settings"  # in Context.meta: the texts of --set


class Choice(click.Choice[str]):
    """click.Choice whose error suggests the nearest choice."""

    def __init__(self, kind: str, choices: Sequence[str]) -> None:
        super().__init__(choices)
        self.kind = kind

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """The error line of `textapps.core.errors.unknown`."""
        return unknown(self.kind, str(value), self.choices)


def keyed(*declarations: str, key: str, **attributes: Any) -> Decorator:
    """An option for the configuration key `key`; it counts as given unless it is None."""
    option = next(name for name in declarations if name.startswith("--"))

    def remember(ctx: click.Context, _: click.Parameter, value: object) -> None:
        if value is not None:
            ctx.meta.setdefault(_GIVEN, {})[key] = (value, option)

    return click.option(
        *declarations, expose_value=False, callback=remember, default=None, **attributes
    )


def collect_flags() -> "Flags":
    """What keyed options and --set of the running command were given, by dotted key.

    Raises ConfigurationError where an option and --set name the same key.
    """
    from textapps.core.config import Flags, parse_setting

    meta = click.get_current_context().meta
    given: dict[str, tuple[object, str]] = dict(meta.get(_GIVEN, {}))
    for setting in meta.get(_SETTINGS, ()):
        key, value = parse_setting(setting)
        if key in given:
            raise ConfigurationError(f"{key} is given twice: by {given[key][1]} and by --set")
        given[key] = (value, "--set")
    return Flags(
        {key: value for key, (value, _) in given.items()},
        {key: option for key, (_, option) in given.items()},
    )


def examples(*lines: str) -> str:
    """An epilog for --help that shows these commands."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def _together(*decorators: Decorator) -> Decorator:
    """All of them, in --help in the order given."""

    def decorate(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


def _talk_callback(level: int) -> Callable[[click.Context, click.Parameter, bool], None]:
    def set_level(ctx: click.Context, _: click.Parameter, given: bool) -> None:
        if given:
            logging.getLogger("textapps").setLevel(level)

    return set_level


def _set_debugging(ctx: click.Context, _: click.Parameter, given: bool) -> None:
    if given:  # in the environment, so that child processes show tracebacks too
        os.environ["TEXTAPPS_DEBUG"] = "1"


def talk_options(command: Command) -> Command:
    """--verbose, --quiet, --debug: they act at once and reach no command."""
    return _together(
        click.option(
            "-v",
            "--verbose",
            is_flag=True,
            expose_value=False,
            callback=_talk_callback(logging.INFO),
            help="Say more on stderr.",
        ),
        click.option(
            "-q",
            "--quiet",
            is_flag=True,
            expose_value=False,
            callback=_talk_callback(logging.ERROR),
            help="Say nothing on stderr but errors.",
        ),
        click.option(
            "--debug",
            is_flag=True,
            expose_value=False,
            callback=_set_debugging,
            help="Show tracebacks and TensorFlow's own log (TEXTAPPS_DEBUG=1).",
        ),
    )(command)


def models_dir_option(command: Command) -> Command:
    """--models-dir, as the argument `models_dir: Path`."""
    return click.option(
        "--models-dir",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("models"),
        envvar="TEXTAPPS_MODELS_DIR",
        show_default=True,
        show_envvar=True,
        help="Where runs and exports are.",
    )(command)


def run_options(command: Command) -> Command:
    """--models-dir and --run, as the arguments `models_dir: Path` and `run: str | None`."""
    return _together(
        click.option(
            "--run",
            metavar="RUN",
            help="A run: its directory or its name.  [default: the task's latest finished run]",
        ),
        models_dir_option,
    )(command)


def find_run(models_dir: Path, task: str, run: str | None) -> "RunDirectory":
    """The run of a task that --run means, or without it the latest; RunError if there is none."""
    from textapps.training.run_directory import RunDirectory

    if run is None:
        return RunDirectory.latest(models_dir, task)
    named = models_dir / task / run
    return RunDirectory.open(named if named.is_dir() else Path(run), task)


def source_options(command: Command) -> Command:
    """--data, --data-dir and the column of texts."""
    return _together(
        keyed(
            "--data",
            key="data.source",
            metavar="SOURCE",
            help="A TensorFlow Datasets name, 'sample' (bundled), or a path: CSV, TSV, JSON lines, "
            "text (.gz too), or a folder.  [default: the preset's]",
        ),
        keyed(
            "--data-dir",
            key="data.data_dir",
            metavar="DIR",
            help="Where prepared TensorFlow Datasets are.  "
            "[default: TFDS_DATA_DIR, else ~/tensorflow_datasets]",
        ),
        keyed(
            "--text-column",
            key="data.text_column",
            metavar="NAME",
            help="The column of texts.  [default: found by its name]",
        ),
    )(command)


def data_options(command: Command) -> Command:
    """`source_options` and the column of labels."""
    return _together(
        source_options,
        keyed(
            "--label-column",
            key="data.label_column",
            metavar="NAME",
            help="The column of labels.  [default: found by its name]",
        ),
    )(command)


def split_options(command: Command) -> Command:
    """--validation-data and --test-data."""
    return _together(
        keyed(
            "--validation-data",
            key="data.validation_source",
            metavar="SOURCE",
            help="Data to validate on.  [default: the set's own split, else a part of it]",
        ),
        keyed(
            "--test-data",
            key="data.test_source",
            metavar="SOURCE",
            help="Data to test on.  [default: the set's own split, else a part of it]",
        ),
    )(command)


def config_options(presets: Sequence[str] = PRESETS, default_preset: str = "small") -> Decorator:
    """--preset, --config (as the argument `config_file: Path | None`), --set, --random-seed."""

    def remember_settings(
        ctx: click.Context, _: click.Parameter, settings: tuple[str, ...]
    ) -> None:
        ctx.meta[_SETTINGS] = settings

    return _together(
        keyed(
            "--preset",
            key="preset",
            type=Choice("preset", presets),
            help=f"A set of values to start from.  [default: {default_preset}]",
        ),
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
            callback=remember_settings,
            help="Any value by its dotted key, such as training.batch_size=32; repeatable.",
        ),
        keyed(
            "--random-seed",
            key="random_seed",
            type=int,
            help="Seed of everything random: the same seed, the same weights.  [default: 0]",
        ),
    )


def training_options(command: Command) -> Command:
    """The backbone, and how long and how fast to train it."""
    return _together(
        keyed(
            "--backbone",
            key="backbone.kind",
            type=Choice("backbone", BACKBONES),
            help="What reads the sequence.  [default: the preset's]",
        ),
        keyed("--units", key="backbone.units", type=int, help="Width of a block."),
        keyed("--layers", key="backbone.layers", type=int, help="Number of blocks."),
        keyed("--dropout", key="backbone.dropout", type=float, help="Share dropped in training."),
        keyed("--epochs", key="training.epochs", type=int, help="Passes over the training data."),
        keyed("--batch-size", key="training.batch_size", type=int, help="Examples in a step."),
        keyed(
            "--accumulate",
            key="training.accumulate",
            type=int,
            metavar="N",
            help="Compute each batch in N parts, which takes less memory.",
        ),
        keyed(
            "--strategy",
            key="training.strategy",
            type=Choice("strategy", STRATEGIES),
            help="Devices that share each batch: one, all of this machine (mirrored), or the "
            "processes that TF_CONFIG names (multi-worker).  [default: as many as there are]",
        ),
        keyed(
            "--learning-rate", key="training.learning_rate", type=float, help="Peak learning rate."
        ),
        keyed(
            "--patience",
            key="training.patience",
            type=int,
            help="Validations without improvement before training stops, 0 for never.",
        ),
        keyed(
            "--max-seconds",
            key="training.max_seconds",
            type=float,
            help="Stop after so many seconds of steps.",
        ),
        keyed(
            "--mixed-precision",
            key="training.mixed_precision",
            is_flag=True,
            help="Compute in bfloat16, for accelerators that gain by it.",
        ),
        keyed(
            "--tensorboard",
            key="training.tensorboard",
            is_flag=True,
            help="Write TensorBoard logs into the run.",
        ),
    )(command)
