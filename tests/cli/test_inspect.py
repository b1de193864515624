"""Tests of `inspect`: what is read, what is written, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Cli = Callable[..., Result]
TEXT = "the cat sat on the mat;\nthe dog sat on the log.\n"


@pytest.fixture(scope="module")
def ready(untrained) -> object:
    """A generator that knows nothing."""
    return untrained("generate", "simple_rnn")


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
def test_a_file_and_two_runs_side_by_side(ask: Cli, models: Path, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    (run,) = (models / "generate").iterdir()
    result = ask("inspect", "text.txt", "--run", run.name, "--run", str(run))
    assert result.stdout == "inspect.html\n"
    page = (tmp_path / "inspect.html").read_text()
    assert page.count(f"<h3>{run.name}</h3>") == 2 * 5
    assert f"the text given, {len(TEXT)} characters" in page
    told = [line for line in result.stderr.splitlines() if line.startswith(f"{run.name}: ")]
    assert len(told) == 2 * (1 + 5)  # of each run what it looks at, and its sections
    assert told[0] == f"{run.name}: looks at the text given, {len(TEXT)} characters"
    assert told[1] == f"{run.name}: done: How far back the gradient reaches"
    quiet = ask("inspect", "text.txt", "--run", run.name, "--quiet")
    assert quiet.stderr == ""


@pytest.mark.slow
def test_json_is_the_numbers_and_writes_no_page(ask: Cli, tmp_path: Path) -> None:
    result = ask("inspect", TEXT, "--json")
    found = json.loads(result.stdout)
    assert found["task"] == "generate"
    assert found["runs"][0]["sections"]["gradient"]["data"]["distances"] == len(TEXT) // 2
    assert not (tmp_path / "inspect.html").exists()
    both = ask("inspect", TEXT, "--json", "--output", "page.html")
    assert both.stdout == result.stdout
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")


def test_standard_input(ask: Cli) -> None:
    result = ask("inspect", "-", "--json", input=TEXT.encode())
    looked_at = json.loads(result.stdout)["runs"][0]["facts"]["looked at"]
    assert looked_at == f"the text given, {len(TEXT)} characters"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("ab",), 3, "'ab' has 2 characters: give a text of 3 or more"),
        (("\u1112\u1161\u11ab",), 3, "'\ud55c' has 1 character: give a text of 3 or more"),
        (("abc", "--property", "x"), 2, "--property x: give a name and an expression"),
        (("abc", "--property", "x=("), 2, "--property x=(: not a regular expression"),
        (("abc", "--property", "x=a", "--property", "x =b"), 2, "--property x: given twice; give"),
        (("abc", "--run", "nothing"), 1, "no run at nothing"),
        (("abc", "--characters", "2"), 2, "2 is not in the range"),
        (("the", "--output", "no/such/x.html"), 2, "there is no folder no/such"),
    ],
)
def test_bad_input_is_one_line(
    cli: Cli, models: Path, traced: None, arguments: tuple[str, ...], code: int, told: str
) -> None:
    result = cli("generate", "inspect", *arguments, "--models-dir", str(models))
    assert (result.exit_code, result.stdout) == (code, "")
    assert told in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_runs_of_other_tasks_are_refused(cli: Cli, models: Path, untrained) -> None:
    other = untrained("sentiment", "simple_rnn").run.path
    result = cli("generate", "inspect", "abc", "--models-dir", str(models), "--run", str(other))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "is a run of sentiment, not of generate" in result.stderr
