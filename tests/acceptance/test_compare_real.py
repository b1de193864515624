"""`textapps compare` and `search` on real reviews, as a user runs them."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.acceptance

Textapps = Callable[..., subprocess.CompletedProcess[str]]
HALF_AN_HOUR = 1800


def chinese(folder: Path) -> list[str]:
    """The options that name the splits of the Chinese reviews."""
    splits = {"--data": "train", "--validation-data": "dev", "--test-data": "test"}
    files = {option: folder / f"chnsenticorp_{split}.tsv.gz" for option, split in splits.items()}
    return [str(part) for pair in files.items() for part in pair] + ["--tokens", "char"]


@pytest.fixture
def ask(textapps: Textapps) -> Callable[..., str]:
    """`ask("runs")` is what a command prints; it must succeed."""

    def run(*arguments: str) -> str:
        done = textapps(*arguments, timeout=HALF_AN_HOUR)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_equal_runs_do_not_differ_and_a_weak_one_does(
    ask: Callable[..., str], shared_data: Path
) -> None:
    data = chinese(shared_data / "sentiment_zh")
    weak = ("--backbone", "simple_rnn", "--epochs", "1", "--set", "model.ngrams=0")
    runs = [
        ask("sentiment", "train", "--preset", "tiny", *data, *changes).strip()
        for changes in ((), (), weak)
    ]
    assert len(set(runs)) == 3
    found = json.loads(ask("compare", *runs, "--json"))
    assert found["examples"] == 1_200
    rows: dict[tuple[str, str], Any] = {
        (row["first"], row["second"]): row
        for row in found["differences"]
        if row["metric"] == "accuracy"
    }
    same, other = rows["A", "B"], rows["A", "C"]
    assert (same["difference"], same["corrected"], same["better"]) == (0, 1, None)
    assert other["better"] == "A"
    assert other["low"] > 0
    assert other["corrected"] < 0.01
    assert found["verdicts"][0].startswith("no difference between A and B")
    itself = json.loads(ask("compare", runs[2], runs[2], "--json"))
    assert all(row["corrected"] == 1 for row in itself["differences"])


def test_a_search_keeps_its_time_and_is_not_worse_than_the_preset(
    ask: Callable[..., str], shared_data: Path, tmp_path: Path
) -> None:
    given = ("--preset", "tiny", *chinese(shared_data / "sentiment_zh"))
    found = json.loads(ask("sentiment", "search", *given, "--minutes", "3", "--json"))
    assert 0.95 * 180 <= found["seconds_used"] <= 1.05 * 180
    preset, *others = found["tried"]
    assert others
    chosen = found["tried"][found["chosen"]]
    assert chosen["best"] >= preset["best"]
    assert (tmp_path / found["run"] / "search.html").is_file()
