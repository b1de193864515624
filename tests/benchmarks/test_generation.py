"""What the benchmark of generation makes of its sides, and that each of them generates."""

import io
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import child, generation, generation_side, results, results_page
from benchmarks.generation_side import SIDE, SIDES


def sizes(backbone: str, side: str, export: Path) -> list[str]:
    small = ["--units=8", "--layers=2", "--heads=2", "--context=5", "--characters=7"]
    return [side, f"--backbone={backbone}", f"--export={export}", *small]


@pytest.mark.parametrize("backbone", ["gru", "transformer"])
@pytest.mark.parametrize("side", SIDES)
def test_every_side_generates_as_many_characters_as_asked(
    backbone: str, side: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if side == "pytorch":
        pytest.importorskip("torch")
    words = sizes(backbone, side, tmp_path / "export")
    options = generation_side.parser().parse_args(words)
    monkeypatch.setattr(
        child, "run", lambda command: generation_side.write_export(command[3:])
    )  # in this process, which has TensorFlow already
    generate = SIDE[side](options)
    texts = generate(3, 7)
    assert [len(text) for text in texts] == [7, 7, 7]
    assert set("".join(texts)) <= set(generation_side.CHARACTERS)


def test_a_side_answers_every_line_with_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def made_up(options: Any) -> generation_side.Generate:
        return lambda batch, characters: asked.append((batch, characters)) or ["x" * 5] * 2

    monkeypatch.setitem(SIDE, "pytorch", made_up)
    monkeypatch.setattr(sys, "stdin", io.StringIO("2 5\n2 5\n"))
    generation_side.main(["pytorch"])
    assert asked == [(2, 5), (2, 5)]
    assert [float(line) >= 0 for line in capsys.readouterr().out.splitlines()] == [True, True]
    monkeypatch.setattr(sys, "stdin", io.StringIO("2 6\n"))
    with pytest.raises(AssertionError):  # fewer characters than asked for are no answer
        generation_side.main(["pytorch"])


def test_rates_and_their_ratio_leave_the_first_answer_out() -> None:
    taken = {
        "compiled": [9.0, 0.5, 0.25, 0.2],
        "exported": [3.0, 1.0, 2.0, 0.5],
        "pytorch": [1.0, 0.5, 1.0, 0.5],
    }
    found = generation.summary(taken, 100)
    assert found["sides"]["compiled"] == {
        "median_per_second": 400,
        "least_per_second": 200,
        "most_per_second": 500,
        "first_seconds": 9.0,
    }
    assert found["times_pytorch"] == {"compiled": 2.0, "exported": 0.5}


def test_sides_are_asked_in_turn_and_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The processes are made up; the figures and where they go are not."""
    monkeypatch.setattr(results, "RESULTS", tmp_path / "docs" / "results")
    order, closed = [], []

    def side(name: str, case: Any, characters: int, scratch: Path) -> Any:
        def ask() -> float:
            order.append(name)
            return {"compiled": 0.1, "exported": 0.4, "pytorch": 0.2}[name]

        return SimpleNamespace(ask=ask, close=lambda: closed.append(name))

    monkeypatch.setattr(generation, "Side", side)
    generation.main(["--rounds", "2", "--characters", "50"])
    assert order == list(SIDES) * 3 * len(generation.CASES)
    assert closed == list(SIDES) * len(generation.CASES)
    written = results.read_result("generation")
    assert (written["rounds"], written["characters"]) == (2, 50)
    batch = written["cases"]["GRU, 512 units, 32 texts"]
    assert batch["sides"]["exported"]["median_per_second"] == 32 * 50 / 0.4
    assert batch["times_pytorch"] == {"compiled": 2.0, "exported": 0.5}
    assert (tmp_path / "docs" / "results.md").read_text() == results_page.render()
    generation.main(["--rounds", "5"])
    assert results.read_result("generation") == written  # not measured again


def test_a_side_that_fails_is_raised(tmp_path: Path) -> None:
    side = generation.Side("another", generation.Case((), 1), 5, tmp_path)
    with pytest.raises(subprocess.CalledProcessError):
        side.ask()
    side.close()
