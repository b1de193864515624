"""Tests of `search` on the command line: its progress line, what is printed, what is refused."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from textapps.cli import search_progress
from textapps.cli.search_progress import SearchProgress
from textapps.core.names import TASKS
from textapps.core.notices import muted
from textapps.evaluation.searched import Searched, Tried
from textapps.search import run as searches
from textapps.search.conducting import write_results
from textapps.search.growth import OutgrownError
from textapps.search.progress import Status
from textapps.training.run_directory import RunDirectory

Cli = Callable[..., Result]


def found(run: Path, **changes: Any) -> Searched:
    """What a search of two trials might have found."""
    tried = (
        Tried(number=0, backbone="gru", changes="", reached="to its end", best=0.75, ended=True),
        Tried(
            number=1,
            backbone="lstm",
            changes="units 64",
            reached="to its end",
            best=0.875,
            seeds=(0.875, 0.8125),
            after_seconds=31.0,
            seconds=12.5,
            parameters=5_000,
            megabytes=0.02,
            milliseconds=1.5,
            ended=True,
            front=True,
        ),
        Tried(number=2, backbone="gru", changes="", reached="it has 9.00 MB", best=None),
    )
    made = {
        "task": "sentiment",
        "run": str(run),
        "data": "opinions.csv",
        "metric": "accuracy",
        "less": False,
        "chosen": 1,
        "tried": tried,
        "seconds_named": 120.0,
        "seconds_used": 118.0,
        "preset_seconds": 7.0,
        "baseline": 0.5,
        "importances": {"backbone.units": 0.75, "training.epochs": 0.25},
        "space": {"backbone.units": "64, 128"},
        "changes": {"backbone.units": ["128", "64"]},
        "notes": ("A note.",),
    }
    return Searched(**{**made, **changes})


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Searches end at once; what they were asked is remembered."""
    calls: list[Any] = []

    def begin(task: str, of: Any, models_dir: Path, progress: Any, **options: Any) -> Any:
        calls.append((task, of, options))
        progress.show(Status(3, 2, "accuracy", 0.875, 1, 61.0))
        progress.finish()
        path = tmp_path / "run"
        path.mkdir()
        run, told = RunDirectory(path, {}), found(path)
        write_results(run, told)
        return run, told

    monkeypatch.setattr(searches, "begin", begin)
    return calls


def test_prints_the_run_and_writes_the_page(cli: Cli, asked: list[Any], tmp_path: Path) -> None:
    result = cli(
        *("sentiment", "search", "--minutes", "2", "--max-size", "500kB", "--max-ms", "5"),
        *("--backbone", "gru", "--backbone", "lstm", "--metric", "macro_f1", "--trials", "7"),
        *("--set", "training.learning_rate=1e-4..1e-2", "--data", "x.csv", "--storage", "s.db"),
    )
    assert result.exit_code == 0, result.stderr
    ((task, of, options),) = asked
    assert (task, of.minutes, of.trials, of.metric) == ("sentiment", 2, 7, "macro_f1")
    assert (of.megabytes, of.milliseconds, of.kinds) == (0.5, 5, ("gru", "lstm"))
    assert of.flags["training.learning_rate"] == "1e-4..1e-2"
    assert (options["storage"], options["study"]) == ("s.db", None)
    lines = result.stderr.splitlines()
    assert lines[0] == "3 trials, 2 to their end  best accuracy 0.8750 (trial 1)  1:01 left"
    assert lines[1] == (
        "validation accuracy 87.50 % (trial 1, lstm, 84.38 % on average of 2 seeds; 3 trials); "
        "the preset 75.00 %"
    )
    assert lines[2:] == ["A note.", f"report: {tmp_path / 'run' / 'search.html'}"]
    assert result.stdout == f"{tmp_path / 'run'}\n"
    page = (tmp_path / "run" / "search.html").read_text(encoding="utf-8")
    assert str(tmp_path) not in page
    for part in ("87.50 %", "seeds: 87.50 %, 81.25 %", "it has 9.00 MB", "classical baseline"):
        assert part in page
    assert "<script" not in page
    assert "://" not in page.replace("http://www.w3.org", "")


def test_json_is_what_the_run_keeps(cli: Cli, asked: list[Any], tmp_path: Path) -> None:
    result = cli("sentiment", "search", "--minutes", "2", "--json", "--quiet")
    assert result.stderr == ""
    told = json.loads(result.stdout)
    assert told == json.loads((tmp_path / "run" / "search.json").read_text())
    assert told["tried"][1]["seeds"] == [0.875, 0.8125]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ((), 2, "say how long it may take by --minutes"),
        (("--minutes", "0"), 2, "--minutes"),
        (("--minutes", "nan"), 2, "nan is not a finite number"),
        (("--minutes", "inf"), 2, "inf is not a finite number"),
        (("--minutes", "2", "--max-ms", "nan"), 2, "nan is not a finite number"),
        (("--minutes", "2", "--resume"), 2, "--resume goes on as the search began"),
        (("--resume", "--data", "x.csv"), 2, "--resume goes on as the search began"),
        (("--minutes", "2", "--trials", "0"), 2, "--trials"),
        (("--minutes", "2", "--storage", ""), 2, "--storage is empty: name a database or a file"),
        (
            ("--minutes", "2", "--set", "backbone.units=1.."),
            2,
            "a range has a number at each end, as in",
        ),
        (("--minutes", "2", "--max-size", "big"), 2, "--max-size big is not a size, such as 2MB"),
        (("--minutes", "2", "--metric", "bleu"), 2, "unknown metric 'bleu', choose from accuracy"),
        (("--minutes", "2", "--backbone", "gur"), 2, "did you mean 'gru'?"),
        (("--minutes", "2", "--data", "none.csv"), 3, "none.csv"),
        (
            ("--minutes", "2", "--set", "training.learning_rate=1e-5..1e-4"),
            2,
            "excludes the preset, which has 0.003",
        ),
        (("--minutes", "2", "--set", "training.learning_rat=1e-5..1e-4"), 2, "did you mean"),
        (("--resume",), 1, "no search of sentiment in models/searches/sentiment to go on with"),
        (("--minutes", "2", "--study", "../../x"), 2, "--study '../../x': the name of a search"),
        (("--minutes", "2", "--study", "/tmp/x"), 2, "--study '/tmp/x': the name of a search"),
        (("--resume", "--study", ".x"), 2, "--study '.x': the name of a search"),
        (("--resume", "--study", "a\\b"), 2, "the name of a search"),
        (("--resume", "--study", "a\nb"), 2, "--study 'a\\nb': the name of a search"),
        (("--resume", "--study", "ü x"), 1, "there is no search 'ü x' in"),
        (("--resume", "--study", "x"), 1, "there is no search 'x' in models/searches/sentiment"),
        (("--resume", "--storage", "none/s.db"), 1, "cannot use the study in none/s.db"),
    ],
)
def test_bad_input_is_one_line(
    cli: Cli,
    arguments: tuple[str, ...],
    code: int,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    result = cli("sentiment", "search", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert told in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("options", [(), ("--keep-runs",)])
def test_runs_can_be_kept_after_a_resume(
    cli: Cli, options: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []

    def resume(*_: Any, **given: Any) -> Any:
        calls.append(given["keep_runs"])
        return RunDirectory(tmp_path, {}), found(tmp_path)

    monkeypatch.setattr(searches, "resume", resume)
    assert cli("sentiment", "search", "--resume", *options).exit_code == 0
    assert calls == [bool(options)]


def test_without_optuna_the_remedy_is_told(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from textapps.cli.commands import search

    monkeypatch.setattr(search, "find_spec", lambda name: None)
    result = cli("sentiment", "search", "--minutes", "2")
    assert (result.exit_code, result.stderr) == (
        2,
        "error: search needs Optuna: pip install 'textapps[search]'\n",
    )


@pytest.mark.parametrize("task", TASKS)
def test_help_names_the_metrics(cli: Cli, task: str) -> None:
    text = " ".join(cli(task, "search", "--help").stdout.split())
    for metric in searches.metrics_of(task):  # type: ignore[arg-type]
        assert metric in text
    assert "--minutes" in text


def test_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    progress = SearchProgress(clock=lambda: now[0])
    for second in range(25):
        now[0] = float(second)
        progress.show(Status(seconds_left=60.0 - second))
    assert len(capsys.readouterr().err.splitlines()) == 3
    progress.finish()


def test_the_line_is_shown_while_trainings_are_muted(capsys: pytest.CaptureFixture[str]) -> None:
    progress = SearchProgress()
    with muted():
        progress.show(Status(seconds_left=60.0))
    assert capsys.readouterr().err == "1:00 left\n"
    with muted():  # as --quiet does
        quiet = SearchProgress()
        quiet.show(Status(seconds_left=60.0))
    assert capsys.readouterr().err == ""


def test_on_a_terminal_one_line_is_drawn_again(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_progress.sys.stderr, "isatty", lambda: True, raising=False)
    now = [0.0]
    progress = SearchProgress(clock=lambda: now[0])
    for second in range(3):
        now[0] = float(second)
        progress.show(Status(seconds_left=60.0 - second))
    progress.finish()
    text = capsys.readouterr().err
    assert "\n" not in text
    assert text.count("left") == 3
    assert text.split("\r")[-1] == ""


def test_the_documentation_names_every_key_of_its_json(tmp_path: Path) -> None:
    page = (Path(__file__).parent.parent.parent / "docs" / "search.md").read_text(encoding="utf-8")
    described = page.partition("## search.json\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", described, re.MULTILINE)
    document = found(tmp_path).document
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == {*document, *document["tried"][0]}


def test_a_process_that_has_grown_is_replaced_by_one_that_resumes(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin(*_: Any, **__: Any) -> Any:
        raise OutgrownError("20260102-030405")

    started: list[list[str]] = []

    def execv(program: str, command: list[str]) -> None:
        started.append(command)
        raise SystemExit

    monkeypatch.setattr(searches, "begin", begin)
    monkeypatch.setattr("os.execv", execv)
    words = ("--minutes", "2", "--models-dir", "m", "--json", "--keep-runs", "--verbose")
    cli("sentiment", "search", *words)
    (command,) = started
    assert command[1:4] == ["-m", "textapps", "sentiment"]
    assert " ".join(command[4:]) == (
        "search --resume --models-dir m --study 20260102-030405 --keep-runs --json --verbose"
    )
