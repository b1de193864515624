"""Tests of `compare`: what is printed, what is written, and what is refused."""

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Cli = Callable[..., Result]
DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.fixture(scope="module")
def ready(untrained) -> object:
    """A classifier that knows nothing."""
    return untrained("sentiment", "simple_rnn")


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from textapps.tasks import comparison

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(comparison, "ROUNDS", 1)


def test_a_run_with_itself(cli: Cli, models: Path, traced: None, tmp_path: Path) -> None:
    (run,) = (models / "sentiment").iterdir()
    result = cli("compare", run.name, str(run), "--models-dir", str(models))
    assert result.exit_code == 0, result.stderr
    assert result.stderr.splitlines()[-1] == "report: compare.html"
    lines = result.stdout.splitlines()
    assert lines[0].endswith("test: 12 examples")
    assert lines[1].split()[:2] == ["A", run.name]
    assert lines[-1].startswith("no difference between A and B: accuracy +0.00 points")
    assert "p = 1)" in lines[-1]
    page = (tmp_path / "compare.html").read_text()
    assert "No difference between A and B" in page


def test_json_writes_no_page(cli: Cli, models: Path, traced: None, tmp_path: Path) -> None:
    (run,) = (models / "sentiment").iterdir()
    arguments = ("compare", run.name, run.name, "--json", "--models-dir", str(models))
    result = cli(*arguments)
    printed = json.loads(result.stdout)
    assert printed["runs"][1]["letter"] == "B"
    _, _, described = (DOCS / "compare.md").read_text(encoding="utf-8").partition("## JSON\n")
    described, _, _ = described.partition("\n## ")
    keys = {*printed, *printed["runs"][0], *printed["differences"][0]}
    assert set(re.findall(r"`(\w+)`", described)) == keys
    assert not (tmp_path / "compare.html").exists()
    assert cli(*arguments, "--output", "page.html").exit_code == 0
    assert (tmp_path / "page.html").exists()


def test_other_data_and_columns(cli: Cli, models: Path, traced: None, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("said;kind\nthe film was dull;0\na night;größer als\n")
    result = cli(
        *("compare", "20260102-030405-simple_rnn", "20260102-030405-simple_rnn"),
        *("--data", "other.csv", "--delimiter", ";", "--set", "data.text_column=said"),
        *("--set", "data.label_column=kind", "--json", "--models-dir", str(models)),
    )
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert (found["data"], found["split"], found["examples"]) == ("other", "all", 2)


RUN = "20260102-030405-simple_rnn"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ((), 2, "name two runs or more"),
        ((RUN,), 2, "name two runs or more"),
        ((RUN, "nothing"), 1, "no run at nothing: `textapps runs` lists all runs"),
        ((RUN, "pretrained:x"), 1, "there is no pretrained model 'x'"),
        ((RUN, RUN, "--data", "none.csv"), 3, "none.csv"),
        ((RUN, RUN, "--output", "no/such/x.html"), 2, "there is no folder no/such"),
        ((RUN, RUN, "--set", "backbone.units=3"), 2, "only values of [data] can be set here"),
        ((RUN, RUN, "--set", "data.nothing=3"), 2, "nothing"),
        ((RUN, "other-task"), 1, "compare runs of one task"),
        ((RUN, "twice"), 1, "several runs are called twice"),
    ],
)
def test_bad_input_is_one_line(
    cli: Cli, models: Path, traced: None, arguments: tuple[str, ...], code: int, told: str
) -> None:
    for task, name in (("generate", "other-task"), ("generate", "twice"), ("speech", "twice")):
        path = shutil.copytree(models / "sentiment" / RUN, models / task / name)
        (path / "config.toml").write_text(f'format = 1\ntask = "{task}"\n')
    result = cli("compare", *arguments, "--models-dir", str(models))
    assert (result.exit_code, result.stdout) == (code, "")
    assert told in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("arguments", [(), ("--json", "--output", "page.html")])
def test_a_folder_that_cannot_be_written_is_told_before_the_work(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setattr("os.access", lambda _, mode: mode != os.W_OK)
    result = cli("compare", RUN, RUN, *arguments)
    assert (result.exit_code, f"cannot write into {tmp_path}" in result.stderr) == (2, True)
