"""Tests of the options that are made from the fields of a configuration."""

from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from textapps.cli.commands import predict, train
from textapps.cli.field_options import collect_flags
from textapps.cli.loading import find_run
from textapps.cli.main import application
from textapps.cli.task_group import TaskGroup
from textapps.core.errors import RunError
from textapps.core.keys import Key, keys_of
from textapps.core.names import TASKS, TaskName
from textapps.tasks.registry import get_presets

Cli = Callable[..., Result]
Seen = tuple[dict[str, object], dict[str, object], dict[str, str]]


def flags_of(command: click.Command, *arguments: str, section: str = "") -> Seen:
    """Arguments, flags and names of options that a call gives to the command's function."""
    seen: list[Seen] = []

    def look(**arguments: object) -> None:
        flags = collect_flags(section)
        seen.append((arguments, dict(flags), flags.options))

    command.callback = look
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    (found,) = seen
    return found


def test_options_become_flags_by_dotted_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTAPPS_MODELS_DIR", "elsewhere")
    line = (
        "--data my.csv --test-data t.csv --batch-size 3 --backbone gru --preset tiny "
        "--random-seed 0 --tensorboard --set training.average=0.5 --set data.text_column=a"
    )
    arguments, flags, options = flags_of(train.command("sentiment"), *line.split())
    assert {name: str(value) for name, value in arguments.items()} == {
        "models_dir": "elsewhere",
        "resume": "None",
        "config_file": "None",
    }
    assert flags == {
        "data.source": "my.csv",
        "data.test_source": "t.csv",
        "training.batch_size": 3,
        "training.tensorboard": True,
        "training.average": 0.5,
        "backbone.kind": "gru",
        "preset": "tiny",
        "random_seed": 0,
        "data.text_column": "a",
    }
    assert options["data.source"] == "--data"
    assert options["training.average"] == "--set"
    assert options["training.batch_size"] == "--batch-size"


def test_the_flags_of_a_section_are_without_its_name() -> None:
    command = predict.command("translate")
    _, flags, options = flags_of(command, "a", "--beam", "3", section="decoding")
    assert (flags, options) == ({"beam": 3}, {"beam": "--beam"})
    assert flags_of(command, "a", "--beam", "3", section="data")[1] == {}


def keys_with_options(task: TaskName) -> list[tuple[Key, str]]:
    return [
        (key, command)
        for key in keys_of(get_presets(task).config)
        if key.option is not None
        for command in key.option.commands
    ]


@pytest.mark.parametrize("task", TASKS)
def test_every_option_that_a_field_names_is_there(task: TaskName) -> None:
    ctx = click.Context(application)
    for key, name in keys_with_options(task):
        command = TaskGroup(task).get_command(ctx, name)
        assert command is not None, name
        names = {each for option in command.params for each in option.opts + option.secondary_opts}
        assert key.option is not None
        assert set(key.option.name.split("/")) <= names
        (option,) = (o for o in command.params if key.option.name.partition("/")[0] in o.opts)
        assert isinstance(option, click.Option)
        assert option.help is not None
        assert option.help.startswith(key.description)


def option_lines(cli: Cli, *command: str) -> dict[str, str]:
    """The help of each option, on one line."""
    text = cli(*command, "--help").stdout.partition("Options:\n")[2]
    lines: dict[str, str] = {}
    for line in text.splitlines():
        words = line.split()
        if words and words[0].startswith("-"):
            name = words[0]
            lines[name] = ""
        if words:
            lines[name] += " " + " ".join(words)
    return lines


def test_help_shows_range_and_default(cli: Cli) -> None:
    lines = option_lines(cli, "sentiment", "train")
    assert lines["--accumulate"].endswith("takes less memory. [1 to 65,536; default: 1]")
    assert lines["--units"].endswith("[2 to 8,192; default: the preset's]")
    assert lines["--layers"].endswith("[1 to 64; default: 1]")
    assert lines["--backbone"].startswith(" --backbone [simple_rnn|jordan|lstm|gru|transformer] ")
    assert lines["--preset"].endswith("[default: small]")
    lines = option_lines(cli, "generate", "predict")
    assert lines["--top-p"].endswith("[above 0, at most 1; default: the run's]")
    assert lines["--length"].startswith(" --length N ")


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (
            "sentiment train --backbone gur",
            "error: invalid value for '--backbone': unknown backbone 'gur', choose from "
            "simple_rnn, jordan, lstm, gru, transformer; did you mean 'gru'? "
            "(see 'textapps sentiment train --help')",
        ),
        (
            "sentiment train --tokens words",
            "error: invalid value for '--tokens': unknown kind of token 'words', choose from "
            "word, char; did you mean 'word'? (see 'textapps sentiment train --help')",
        ),
        (
            "generate train --batch-size 0",
            "error: training.batch_size = 0 from --batch-size: should be greater than or equal "
            "to 1",
        ),
        (
            "generate --length 0",
            "error: length = 0 from --length: should be greater than or equal to 1",
        ),
        (
            "translate predict a --temperature 1 --n-best 2",
            "error: drawn answers have no order: with a temperature n_best must be 1",
        ),
        (
            "speech listen none.wav --threshold 2",
            "error: threshold = 2.0 from --threshold: should be less than or equal to 1",
        ),
        (
            "speech listen none.wav --false-alarms-per-hour nan",
            "error: invalid value for '--false-alarms-per-hour': nan is not a finite number: give "
            "one such as 1.5 (see 'textapps speech listen --help')",
        ),
        (
            "serve models --deadline-ms inf",
            "error: invalid value for '--deadline-ms': inf is not a finite number: give one such "
            "as 1.5 (see 'textapps serve --help')",
        ),
        (
            "speech train --random-seed 3 --set random_seed=4",
            "error: random_seed is given twice: by --random-seed and by --set",
        ),
        (
            "speech train --attention dot",
            "error: unknown option '--attention' (see 'textapps speech train --help')",
        ),
    ],
)
def test_a_wrong_value_is_named_at_once(cli: Cli, call: str, line: str) -> None:
    result = cli(*call.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1] == line


def test_find_run_takes_a_name_or_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models" / "sentiment" / "20260101-000000-gru").mkdir(parents=True)
    for run in ("20260101-000000-gru", "models/sentiment/20260101-000000-gru"):
        with pytest.raises(RunError, match="000000-gru is not a run, or an incomplete one"):
            find_run(tmp_path / "models", "sentiment", run)
    with pytest.raises(RunError, match="no run at nowhere"):
        find_run(tmp_path / "models", "sentiment", "nowhere")
    with pytest.raises(RunError, match="no finished run of sentiment"):
        find_run(tmp_path / "models", "sentiment", None)
