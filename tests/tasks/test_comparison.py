"""Runs of every task compared."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from textapps.core.errors import DataError, RunError
from textapps.datasets.pairs.examples import Pairs
from textapps.evaluation.comparison import Comparison, document
from textapps.evaluation.reports.comparison import comparison_report
from textapps.evaluation.reports.report import write_report
from textapps.tasks import comparison, lifecycle
from textapps.tasks.comparison import compare, latencies
from textapps.tasks.registry import get_task
from textapps.tasks.speech.compare import _identity as of_clips
from textapps.tasks.translate.compare import _identity

Make = Callable[[str, str], Any]
EXACT = {"sentiment": True, "generate": False, "translate": False, "speech": True}


@pytest.fixture(autouse=True)
def _times_are_taken_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "ROUNDS", 1)
    monkeypatch.setattr(comparison, "ASKED", 3)


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`loaded(one, other)`: their runs load as they are, so that graphs are traced only once."""

    def remember(*predictors: Any) -> None:
        by_path = {each.run.path: each for each in predictors}
        monkeypatch.setattr(lifecycle, "load", lambda task, run: by_path[run.path])

    return remember


def page_of(found: Comparison, path: Path) -> str:
    write_report(path, comparison_report(found))
    return path.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("sentiment", ("simple_rnn", "lstm")),
        ("generate", ("simple_rnn", "lstm")),
        ("translate", ("gru", "simple_rnn")),
        ("speech", ("simple_rnn", "lstm")),
    ],
)
def test_two_runs_and_one_of_them_again(
    untrained: Make, loaded: Callable[..., None], tmp_path: Path, name: str, kinds: tuple[str, str]
) -> None:
    one, other = (untrained(name, kind) for kind in kinds)
    loaded(one, other)
    found = compare([one.run, other.run, one.run])
    told = json.loads(json.dumps(document(found)))
    task = get_task(name)
    examples = task.load_split(one.config, "test", one.labels)
    assert (told["task"], told["split"], told["examples"]) == (name, "test", len(examples))
    # The figures are those of evaluate, where it has them.
    if name in ("sentiment", "speech"):
        metrics = task.evaluate(one, examples, "test").summary["metrics"]
        assert told["runs"][0]["metrics"] == {k: metrics[k] for k in told["runs"][0]["metrics"]}
    again = [row for row in told["differences"] if (row["first"], row["second"]) == ("A", "C")]
    assert again
    for row in again:
        assert (row["difference"], row["p_value"], row["corrected"]) == (0, 1, 1)
        assert row["better"] is None
    assert told["verdicts"][1].startswith("no difference between A and C")
    assert found.exact is EXACT[name]
    assert found.runs[0].alone == 0  # C is as good on everything
    assert "backbone.kind" in told["configuration"]
    assert all(run["milliseconds_of_3"] > 0 for run in told["runs"])
    assert told["runs"][1]["parameters"] == other.parameters
    page = page_of(found, tmp_path / "page.html")
    assert all(run.name in page for run in found.runs)
    assert "No difference between A and C" in page
    assert "<script" not in page


def test_who_alone_is_right(untrained: Make, loaded: Callable[..., None], tmp_path: Path) -> None:
    one, other = untrained("sentiment", "simple_rnn"), untrained("sentiment", "lstm")
    loaded(one, other)
    found = compare([one.run, other.run])
    examples = get_task("sentiment").load_split(one.config, "test", one.labels)
    right = [np.argmax(x.scores(examples.texts), axis=1) == examples.labels for x in (one, other)]
    alone = [int(np.sum(right[0] & ~right[1])), int(np.sum(right[1] & ~right[0]))]
    assert [run.alone for run in found.runs] == alone
    assert sum(alone)
    for run in found.runs:
        assert len(run.shown) == min(run.alone, comparison.SHOWN)


def test_other_data_for_all_runs(
    untrained: Make, loaded: Callable[..., None], tmp_path: Path
) -> None:
    one, other = untrained("sentiment", "simple_rnn"), untrained("sentiment", "lstm")
    loaded(one, other)
    path = tmp_path / "other.csv"
    path.write_text("text,label\nthe film was dull,0\na great night,größer als\n")
    found = compare([one.run, other.run], {"source": str(path)})
    assert (found.data, found.split, found.examples) == ("other", "all", 2)
    assert "too few examples to tell the difference between A and B" in found.verdicts[0]
    assert "too few examples" in page_of(found, tmp_path / "page.html")


def test_examples_that_a_run_was_trained_on_are_counted(
    untrained: Make,
    loaded: Callable[..., None],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Other data that were in its training split, and those whose test split is not its own."""
    one, other = untrained("sentiment", "simple_rnn"), untrained("sentiment", "lstm")
    loaded(one, other)
    train, _ = get_task("sentiment").load_training(one.config, one.labels)
    rows = [
        (text, one.labels[label]) for text, label in zip(train.texts, train.labels, strict=True)
    ]
    path = tmp_path / "other.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows[:3], ("a new text", rows[0][1])])
    compare([one.run, other.run], {"source": str(path)})
    told = [line for line in caplog.messages if "was trained on" in line]
    assert [line.partition(" was ")[2] for line in told] == [
        "trained on 3 of the 4 examples of other: its figures are too good"
    ] * 2


def test_another_way_to_read_is_that_of_the_first_run_for_all(
    untrained: Make, loaded: Callable[..., None], toy_data: Callable[[str], Path], tmp_path: Path
) -> None:
    one, other = untrained("sentiment", "simple_rnn"), untrained("sentiment", "lstm")
    moved = tmp_path / "moved.csv"
    moved.write_bytes(Path(one.config.data.source).read_bytes())
    elsewhere = other.configured({"data.source": str(moved)})
    elsewhere.run = other.run
    loaded(one, elsewhere)
    found = compare([one.run, elsewhere.run], {"skip_bad": True})
    assert found.data == Path(one.config.data.source).stem


def test_data_that_a_run_was_trained_on_are_split(
    untrained: Make, loaded: Callable[..., None], toy_data: Callable[[str], Path]
) -> None:
    one, other = untrained("sentiment", "simple_rnn"), untrained("sentiment", "lstm")
    loaded(one, other)
    found = compare([one.run, other.run], {"source": one.config.data.source})
    assert found.split == "test"


def test_the_test_data_of_a_run_are_those_of_all(
    untrained: Make, loaded: Callable[..., None], tmp_path: Path
) -> None:
    """Of runs on the same source: training rows of one would be test rows of another."""
    one, other = untrained("sentiment", "simple_rnn"), untrained("sentiment", "lstm")
    path = tmp_path / "apart.csv"
    path.write_text("text,label\nthe film was dull,0\na great night,größer als\n")
    tested = other.configured({"data.test_source": str(path)})
    tested.run = other.run
    loaded(one, tested)
    source = one.config.data.source
    for data in ({"source": source}, None):
        found = compare([one.run, tested.run], data)
        assert (found.data, found.split, found.examples) == ("apart", "test", 2)


def test_training_examples_are_counted_in_the_data_of_a_run_itself(
    untrained: Make, loaded: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    one, other = untrained("sentiment", "simple_rnn"), untrained("sentiment", "lstm")
    loaded(one, other)
    found = compare([one.run, other.run], split="all")
    told = [line for line in caplog.messages if "was trained on" in line]
    assert len(told) == 2
    assert f"of the {found.examples:,} examples" in told[0]


def test_silence_is_the_same_for_clips_of_another_length() -> None:
    def clips(*starts: str) -> Any:
        places = ["up/a.wav", *(f"hiss.wav at {start} s" for start in starts)]
        return SimpleNamespace(places=places, names=("up", "silence"), labels=[0, 1, 1])

    assert of_clips(clips("0.25", "3.00")) == of_clips(clips("0.20", "2.75"))


@pytest.mark.slow
def test_a_pretrained_model_reads_the_data_of_the_other_run(
    trained: Make,
    packed: Callable[[str], Any],
    loaded: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    from textapps.training.run_directory import RunDirectory

    model = packed("sentiment")
    monkeypatch.setenv("TEXTAPPS_PRETRAINED_DIR", str(model.path.parent))
    run = trained("sentiment", "transformer").run
    packaged = RunDirectory.find_any(tmp_path, "pretrained:imdb")
    found = compare([packaged, run])
    assert [each.name for each in found.runs] == ["pretrained:imdb", run.name]
    assert found.split == "test"
    # It has the same weights, but for their rounding.
    assert found.verdicts[0].startswith("no ")
    assert not (tmp_path / "sentiment").exists()


def test_what_cannot_be_compared_is_refused(
    untrained: Make, loaded: Callable[..., None], tiny: Callable[..., Any], tmp_path: Path
) -> None:
    one, text = untrained("sentiment", "simple_rnn"), untrained("generate", "lstm")
    with pytest.raises(RunError, match=r"is a run of sentiment, .* of generate: compare runs of"):
        compare([one.run, text.run])
    with pytest.raises(RunError, match="name 2 to 26 runs to compare, not 1"):
        compare([one.run])
    path = tmp_path / "two.csv"
    rows = (f"good {i},0\nbad {i},1\n" for i in range(40))
    path.write_text("text,label\n" + "".join(rows))
    config = tiny("sentiment", "gru", **{"data.source": str(path)})
    other = lifecycle.begin(get_task("sentiment"), config, tmp_path).run
    with pytest.raises(RunError, match=r"has the labels 0, größer als, .* has 0, 1: compare"):
        compare([one.run, other])


@pytest.mark.slow
def test_runs_that_read_other_examples_are_refused(
    untrained: Make, loaded: Callable[..., None]
) -> None:
    one = untrained("translate", "gru")
    turned = one.configured({"data.reverse": True})
    turned.run = untrained("translate", "simple_rnn").run
    loaded(one, turned)
    with pytest.raises(DataError, match="do not read the same examples"):
        compare([one.run, turned.run])


def test_examples_of_translators_have_the_same_references() -> None:
    """In the Unicode form of each run."""
    pairs = Pairs("x", ("a", "b"), ("u", "v"))
    assert _identity(pairs, ["u", "v"]) == _identity(pairs, ["u", "v"])
    assert _identity(pairs, ["u", "v"]) != _identity(pairs, ["u", "w"])


def test_calls_are_timed_in_turn() -> None:
    order: list[str] = []
    times = latencies([lambda: order.append("a"), lambda: order.append("b")])
    assert order == ["a", "b", "a", "b"]  # once before times are taken
    assert len(times) == 2
