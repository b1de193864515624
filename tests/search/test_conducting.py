"""The course of a search: what is written before what, and what ends it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.search.test_study import facts
from textapps.core.errors import RunError
from textapps.core.memory import resident_bytes
from textapps.search import conducting, growth, result
from textapps.search.result import NoResultError
from textapps.search.trial import Trial
from textapps.training.interruption import TrainingInterrupted, TrainingTerminated


@pytest.fixture
def done() -> list[str]:
    return []


@pytest.fixture
def search(done: list[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """A search that writes down what it does."""

    def note(name: str, answer: Any = None) -> Any:
        def does(*_: Any, **__: Any) -> Any:
            done.append(name)
            return answer

        return does

    usable = SimpleNamespace(usable=True)
    study = {name: note(name) for name in ("enter", "spend", "finish")}
    study |= {"leave": note("leave", []), "trials": lambda: [usable]}
    run = SimpleNamespace(path=Path("run"), write_json=note("write"))
    for name, answer in {
        "conclude": (run, SimpleNamespace(document={})),
        "clear_away": None,
    }.items():
        monkeypatch.setattr(conducting, name, note(name, answer))
    monkeypatch.setattr(conducting, "search_report", note("draw"))
    monkeypatch.setattr(conducting, "write_report", note("write"))
    monkeypatch.setattr(conducting.finals, "play", note("play"))
    return SimpleNamespace(
        study=SimpleNamespace(**study),
        explore=note("explore"),
        progress=SimpleNamespace(finish=lambda: None),
        tail=SimpleNamespace(is_possible=True, leave_out=note("leave out")),
        allowance=SimpleNamespace(spent=1.0),
        trainer=SimpleNamespace(task=SimpleNamespace(name="sentiment")),
        alone=True,
    )


def conducted(search: Any) -> Any:
    return conducting.conduct(search, Path(), keep_runs=False)


BEGUN = ["enter", "spend", "explore"]
ENDED = ["leave", "clear_away", "finish"]


def test_what_a_search_is_resumed_for_is_given_up_last(search: Any, done: list[str]) -> None:
    run, _ = conducted(search)
    assert run.path == Path("run")
    assert done == [*BEGUN, "play", "conclude", "write", "draw", "write", *ENDED]


def test_a_report_that_cannot_be_written_leaves_the_search_open(
    search: Any, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conducting, "write_report", _raising(RunError("no space left")))
    with pytest.raises(RunError, match="no space left"):
        conducted(search)
    assert not set(ENDED) & set(done)


def test_a_search_without_a_result_is_ended(
    search: Any, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conducting, "conclude", _raising(NoResultError("none is small enough")))
    with pytest.raises(RunError, match="none is small enough"):
        conducted(search)
    assert done == [*BEGUN, "play", *ENDED]


def test_sigterm_leaves_the_search_open(search: Any, done: list[str]) -> None:
    search.explore = _raising(TrainingTerminated())
    with pytest.raises(
        TrainingInterrupted, match=r"^terminated; go on with `textapps .* --resume`"
    ):
        conducted(search)
    assert done == [*BEGUN[:-1], "spend"]  # which the search that goes on has less


def test_a_signal_while_the_report_is_written_leaves_no_second_result(
    search: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted: list[Path] = []
    monkeypatch.setattr(result, "delete", deleted.append)
    for signal, told in (TrainingTerminated(), "terminated"), (KeyboardInterrupt(), "interrupted"):
        monkeypatch.setattr(conducting, "write_report", _raising(signal))
        with pytest.raises(TrainingInterrupted, match=f"^{told}; go on with `textapps"):
            conducted(search)
    assert deleted == [Path("run")] * 2


def test_ctrl_c_ends_with_the_best_so_far(search: Any, done: list[str]) -> None:
    search.explore = _raising(KeyboardInterrupt())
    conducted(search)
    assert done == [*BEGUN[:-1], "leave out", "conclude", "write", "draw", "write", *ENDED]
    search.study.trials = list
    with pytest.raises(TrainingInterrupted, match="before there was a result; go on"):
        conducted(search)


def test_what_a_reader_should_know() -> None:
    preset = Trial(number=0, id=0, point={}, ended=True, facts=facts(0.7, whole=True))
    other = Trial(number=1, id=1, point={}, facts=facts(0.8, step=5, total_steps=9))

    def notes(trials: Any, chosen: Trial, baseline: float = 0.5, **changes: bool) -> str:
        assert chosen.facts
        words = {"tested": True, "cut": False, **changes}
        return "\n".join(
            result._notes("sentiment", trials, chosen, chosen.facts, baseline, **words)
        )

    alone = notes([preset], preset)
    assert alone.startswith("Nothing but the preset was tried: a search wants ten times")
    assert "second random seed" in alone
    assert "cut short" not in alone
    begun = Trial(number=1, id=1, point={})
    assert notes([preset, begun], preset).startswith("No trial but the preset came to a validation")
    assert notes([preset, other], preset).startswith("No trial was better than the preset")
    told = notes([preset, other], other, 0.81, tested=False)
    assert "Its training was cut short, after step 5 of 9." in told
    assert "`textapps sentiment evaluate`" in told
    assert told.endswith("The classical baseline is better than the result.")
    stopped = notes([preset, other], other, cut=True)
    assert stopped.startswith("Ctrl-C ended the search before its time.")
    assert "There was no time" not in stopped


def _raising(error: BaseException) -> Any:
    def does(*_: Any, **__: Any) -> Any:
        raise error

    return does


def test_a_process_that_has_grown_leaves_the_search_to_another(
    search: Any, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = iter([10, 12, 12])
    monkeypatch.setattr(growth, "resident_bytes", lambda: next(sizes) << 30)
    monkeypatch.setattr(growth.os, "sysconf", lambda name: 1 << 30 if "PHYS" in name else 20)
    looks = growth.Growth()
    looks.check()
    with pytest.raises(growth.OutgrownError):
        looks.check()
    search.explore, search.trainer.folder = looks.check, Path("searches/reviews")
    with pytest.raises(growth.OutgrownError) as grown:
        conducted(search)
    assert grown.value.study == "reviews"
    assert done == ["enter", "spend", "spend"]


def test_a_process_is_not_large_for_a_large_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = iter([1, 4, 4])
    monkeypatch.setattr(growth, "resident_bytes", lambda: next(sizes) << 30)
    monkeypatch.setattr(growth.os, "sysconf", lambda name: 1 << 30 if "PHYS" in name else 20)
    looks = growth.Growth()
    for _ in range(2):
        looks.check()


def test_the_memory_of_this_process_is_known() -> None:
    assert resident_bytes() > 50e6
