"""What the benchmarks of translation make of runs and of sides, and that both sides translate."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import (
    child,
    results,
    results_page,
    results_translate,
    search,
    search_side,
    tatoeba,
    training,
    translate,
)
from benchmarks.search import Case
from benchmarks.search_side import SIDE, SIDES, SOURCE
from tests.tasks.toy_language import ROWS, write_pairs
from textapps.tasks.translate.config import PRESETS
from textapps.training.checkpoint import CheckpointStore, TrainingState
from textapps.training.run_directory import RunDirectory

SMALL = ["--units=8", "--layers=2", "--heads=2", "--feed-forward=6", "--vocabulary=31"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where results go in this test, empty."""
    path = tmp_path / "docs" / "results"
    monkeypatch.setattr(results, "RESULTS", path)
    return path


def row_of(page: str, start: str, section: str) -> str:
    lines = page.partition(f"## {section}")[2].splitlines()
    return next(line for line in lines if line.startswith(f"| {start}"))


def test_all_sides_find_the_same_answers_of_the_length_asked_for(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    words = [f"--weights={tmp_path / 'weights.npz'}", *SMALL]
    finds = [SIDE[side](search_side.parser().parse_args([side, *words])) for side in SIDES]
    source = search_side.sources(5, 31)
    source[1, 7:] = 0  # padding changes nothing
    for length in (3, 7):
        (ids, scores), (other_ids, other_scores), uncached = (
            find(source, length) for find in finds
        )
        np.testing.assert_array_equal(uncached[0], other_ids)
        np.testing.assert_allclose(uncached[1], other_scores, rtol=1e-5)
        assert ids.shape == other_ids.shape == (5, length)
        assert (ids >= search_side.FIRST).all()
        assert len({tuple(row) for row in ids.tolist()}) > 1, "the source must matter"
        same = (ids == other_ids).all(axis=1)
        assert same.mean() >= 0.8  # ours keeps the greedy sequence
        np.testing.assert_allclose(scores[same], other_scores[same], rtol=1e-4)


def test_the_search_in_pytorch_ends_answers_by_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    draw = search_side.drawn

    def with_ends(shapes: Any) -> Any:
        arrays = draw(shapes)
        arrays["target_embedding/embeddings"][search_side.END, 0] = 40.0
        return arrays

    monkeypatch.setattr(search_side, "drawn", with_ends)
    words = [f"--weights={tmp_path / 'weights.npz'}", *SMALL]
    finds = [SIDE[side](search_side.parser().parse_args([side, *words])) for side in SIDES[:2]]
    source = search_side.sources(9, 31)
    (ids, scores), (other_ids, other_scores) = (find(source, 6) for find in finds)
    lengths = (other_ids > 0).sum(axis=1)
    assert lengths.min() < lengths.max() <= 6
    same = (ids == other_ids[:, : ids.shape[1]]).all(axis=1)
    assert same.mean() >= 0.7
    np.testing.assert_allclose(scores[same], other_scores[same], rtol=1e-4)


def test_a_side_answers_every_line_with_seconds_and_answers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def made_up(options: Any) -> search_side.Find:
        def find(source: Any, length: int) -> tuple[Any, Any]:
            asked.append((source.shape, length))
            return np.full((2, length), 7 if length == 3 else 0), np.array([-0.5, -1.5])

        return find

    monkeypatch.setitem(SIDE, "pytorch", made_up)
    monkeypatch.setattr(sys, "stdin", io.StringIO("2 3\n"))
    search_side.main(["pytorch", "--weights=none"])
    answer = json.loads(capsys.readouterr().out)
    assert asked == [((2, SOURCE), 3)]
    assert answer["ids"] == [[7, 7, 7]] * 2
    assert answer["scores"] == [-0.5, -1.5]
    assert answer["seconds"] >= 0
    monkeypatch.setattr(sys, "stdin", io.StringIO("2 4\n"))
    with pytest.raises(AssertionError, match="ended before"):
        search_side.main(["pytorch", "--weights=none"])


def answer(seconds: float, last: int = 9) -> dict[str, Any]:
    ids = [[5, 6]] * 9 + [[5, last]]
    return {"seconds": seconds, "ids": ids, "scores": [-0.5] * 10}


def test_rates_ratio_and_doubling_leave_the_first_answer_out() -> None:
    answers = {
        Case(10, 3): {"textapps": [answer(9)] + [answer(s) for s in (0.4, 0.5, 2.0)],
                      "pytorch": [answer(1)] + [answer(s) for s in (1.0, 0.5, 4.0)]},
        Case(10, 6): {"textapps": [answer(1), answer(1.1)], "pytorch": [answer(1), answer(3.0)]},
        Case(1, 3): {"textapps": [answer(1), answer(0.1)], "pytorch": [answer(1, 8), answer(0.2)]},
    }  # fmt: skip
    found = search.summary(answers)
    first, _, last = found["cases"]
    assert first["sides"]["textapps"] == {
        "median_per_second": 20.0,
        "least_per_second": 5.0,
        "most_per_second": 25.0,
        "first_seconds": 9,
    }
    assert (first["batch"], first["length"], first["times"]) == (10, 3, {"pytorch": 2.0})
    assert (first["same_answers"], last["same_answers"]) == (1.0, 0.9)
    assert found["doubled"] == {"3 to 6": {"textapps": 2.2, "pytorch": 3.0}}


def test_sides_that_search_something_else_are_an_error() -> None:
    ours, other = answer(1), answer(1)
    other["ids"] = [[5, 6]] * 6 + [[1, 1]] * 4
    with pytest.raises(RuntimeError, match="60% of the answers are equal"):
        search.agreement(ours, other)
    other = answer(1)
    other["scores"] = [-0.5] * 9 + [-0.6]
    with pytest.raises(RuntimeError, match=r"up to 1\.7e-01 of them"):
        search.agreement(ours, other)


SECONDS = {"textapps": 0.25, "pytorch": 0.5, "pytorch-uncached": 0.75}


def test_sides_are_asked_in_turn_and_closed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order, closed = [], []

    class Side:
        def __init__(self, side: str, weights: Path, sizes: list[str]) -> None:
            assert sizes == ["--layers=2"]
            self.name = side

        def ask(self, case: Case) -> dict[str, Any]:
            order.append((self.name, *case))
            return answer(case.length * SECONDS[self.name])

        def close(self) -> None:
            closed.append(self.name)

    monkeypatch.setattr(search, "Side", Side)
    given = ["--rounds", "2", "--batch", "10", "--length", "4", "8", "--", "--layers=2"]
    search.main(given)
    cases = [(10, 4), (10, 8), (1, 4)]
    assert order == [(side, *case) for case in cases for side in SIDES] * 3
    assert closed == list(SIDES)
    written = results.read_result("search")
    assert written["cases"][1]["sides"]["textapps"]["median_per_second"] == 5.0
    assert written["doubled"] == {"4 to 8": dict.fromkeys(SIDES, 2.0)}
    page = (folder.parent / "results.md").read_text(encoding="utf-8")
    assert page == results_page.render()
    assert "| 10 | 8 | 5.0 | 2.5 | 2.00 × | 1.7 | 3.00 × | 100.0% |" in page
    assert "4 to 8 tokens 2.00 × (PyTorch 2.00 ×)" in page
    search.main(given)
    assert results.read_result("search") == written  # not measured again


def test_a_side_that_fails_is_raised(tmp_path: Path) -> None:
    side = search.Side("another", tmp_path / "weights.npz", [])
    with pytest.raises(child.subprocess.CalledProcessError):
        side.ask(Case(2, 3))
    side.close()


def figures(bleu: float) -> dict[str, Any]:
    return {
        "metrics": {"bleu": bleu, "bleu_low": bleu - 1, "bleu_high": bleu + 2, "chrf": 61.25},
        "searches": {"beam of 5": {"bleu": bleu}, "greedy": {"bleu": bleu - 0.75}},
        "parameters": 2345678,
        "passes": 11.97,
        "training_seconds": 1234.5,
        "wall_seconds": None,
        "peak_memory_mb": 1789,
    }


def test_what_was_measured_stands_on_the_page(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = results.machine()
    for name, bleu, cores in (
        ("small-transformer", 36.125, 2),
        ("small-transformer-none", 17.5, 2),
        ("small-gru-additive", 33.0, 2),
        ("tatoeba-es-en-small-transformer", 51.0, 1),
    ):
        monkeypatch.setattr(results, "machine", lambda cores=cores: {**machine, "cores": cores})
        results.write_result(f"translate-{name}", figures(bleu))
    page = results_page.render()
    name = "`transformer`, preset `small`"
    assert row_of(page, name, "Translation:") == (
        f"| {name} | **36.12** (35.12 to 38.12) | 61.25 | 35.38 | 2,345,678 | 12.0 | 1,234 |  "
        "| 1,789 |"
    )
    base = "`transformer`, preset `base`"
    assert row_of(page, base, "Translation:").startswith(f"| {base} | not measured |")
    assert row_of(page, "", "What attention") == "|  | `multi-head` | `additive` | `none` |"
    row = row_of(page, "`transformer`", "What attention")
    assert row.endswith("| not measured | 17.50 (16.50 to 19.50) |")
    assert "| not measured | 33.00 (" in row_of(page, "`gru`", "What attention")
    row = row_of(page, "Spanish to English", "Tatoeba")
    assert "`small`, on one core | **51.00**" in row
    assert "| 1 core, " in page
    assert "| 2 cores, " in page
    assert row_of(page, "English to Spanish", "Tatoeba").count("not measured") == 1
    assert "### Sentences translated a second\n\nnot measured." in page


def trainable(path: Path) -> Path:
    path.mkdir()
    for name in (*translate.MULTI30K.values(), tatoeba.FILE):
        (path / name).touch()
    return path


def test_each_result_is_measured_once_by_its_name(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, work = trainable(tmp_path / "pairs"), tmp_path / "work"
    measured = []

    def measure(work: Path, *arguments: Any) -> dict[str, Any]:
        measured.append((work.name, *arguments))
        return figures(30.0)

    monkeypatch.setattr(translate, "measure", measure)
    given = ["--data", str(data), "--work", str(work), "--backbone", "gru"]
    translate.main([*given, "--attention", "multi-head", "none"])
    options = [
        *("--data", str(data / "train.en-de.tsv.gz")),
        *("--validation-data", str(data / "val.en-de.tsv.gz")),
        *("--test-data", str(data / "test_2016_flickr.en-de.tsv.gz")),
    ]
    none = {"backbone.attention": "none"}
    assert measured == [
        ("translate-small-gru", "small", "gru", options, {}),
        ("translate-small-gru-none", "small", "gru", options, none),
    ]
    assert results.read_result("translate-small-gru-none")["metrics"]["bleu"] == 30.0
    measured.clear()
    translate.main(["--data", str(data), "--work", str(work)])
    assert [row[2] for row in measured] == ["simple_rnn", "lstm", "transformer"]
    translate.main([*given, "--again"])
    assert measured[-1][0] == "translate-small-gru"

    measured.clear()
    monkeypatch.setattr(tatoeba, "prepare", lambda source, folder: (folder / n for n in "abc"))
    translate.main(["--data", str(data), "--work", str(work), "--pairs", "tatoeba"])
    assert [row[0] for row in measured] == [
        "translate-tatoeba-en-es-small-transformer",
        "translate-tatoeba-es-en-small-transformer",
    ]
    (_, _, _, there, _), (_, _, _, back, _) = measured
    assert there[-2:] == ["--test-data", str(work / "tatoeba" / "c")]
    assert back == [*there, "--reverse"]
    measured.clear()
    pairs = ["--data", str(data), "--work", str(work), "--pairs", "tatoeba", "--again"]
    translate.main([*pairs, "--way", "es-en"])
    assert [row[0] for row in measured] == ["translate-tatoeba-es-en-small-transformer"]


def test_a_folder_without_the_pairs_is_named(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        translate.main(["--data", str(tmp_path)])
    assert stopped.value.code == 2
    assert "has no train.en-de.tsv.gz" in capsys.readouterr().err


def test_multi30k_has_no_ways(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        translate.main(["--data", str(tmp_path), "--way", "en-es"])
    assert stopped.value.code == 2
    assert "--way is of --pairs tatoeba" in capsys.readouterr().err


def test_a_run_of_another_attention_is_not_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = []

    def run(command: list[str]) -> child.Child:
        attention = "none" if "backbone.attention=none" in command else "multi-head"
        commands.append(attention)
        flags = {"preset": "tiny", "backbone.kind": "gru", "backbone.attention": attention}
        config = PRESETS.resolve(flags=flags)
        made = RunDirectory.create(tmp_path / "work", "translate", "gru", config)
        state = TrainingState(step=3, steps_per_pass=3, stopped_by="epochs")
        record = {"key": "model/00000", "name": "w", "shape": [2], "dtype": "float32"}
        CheckpointStore(made.checkpoints).save(
            state, {"model/00000": np.zeros(2)}, [{**record, "average": None}]
        )
        return child.Child("", 12.34, 20.0, 987)

    monkeypatch.setattr(child, "run", run)
    arguments = ("translate", tmp_path / "work", "tiny", "gru", ["--data", "sample"])
    none = {"backbone.attention": "none"}
    first, _ = training.train(*arguments, none)
    again, _ = training.train(*arguments, none)
    assert first.path == again.path
    assert first.config["backbone"]["attention"] == "none"
    other, _ = training.train(*arguments)
    assert commands == ["none", "multi-head"]
    assert other.config["backbone"]["attention"] == "multi-head"


def test_a_run_is_evaluated_by_both_searches(tmp_path: Path) -> None:
    from textapps.tasks import lifecycle
    from textapps.tasks.translate.task import TASK

    config = PRESETS.resolve(
        flags={
            "preset": "tiny",
            "data.source": str(write_pairs(tmp_path / "toy.csv")),
            "preprocessor.tokens": "word",
            "preprocessor.vocabulary_size": 30,
            "backbone.units": 8,
            "backbone.heads": 2,
            "training.epochs": 1,
            "decoding.max_extra": 2,
        }
    )
    translator, _ = lifecycle.train(TASK, config, tmp_path / "models")
    found = translate.evaluate(translator.run.path)
    assert found["data"] == "toy, test split"
    assert found["test_examples"] == ROWS["test"]
    assert found["parameters"] == translator.model.count_params()
    assert list(found["searches"]) == ["beam of 5", "greedy"]
    assert found["searches"]["beam of 5"]["bleu"] == found["metrics"]["bleu"]
    assert found["searches"]["greedy"]["seconds"] > 0
    assert "version:" in found["signatures"]["chrf"]
    assert (translator.run.path / "report.html").is_file()


def test_tatoeba_is_split_so_that_nothing_evaluated_is_known(tmp_path: Path) -> None:
    pairs = [(f"sentence {n}", f"frase {n % 230}") for n in range(300)]
    pairs += [(f"sentence {n}", f"otra {n}") for n in range(0, 300, 2)]
    source = tmp_path / "pairs.tsv"
    source.write_text("".join(f"{a}\t{b}\n" for a, b in pairs), encoding="utf-8")
    paths = tatoeba.prepare(source, tmp_path / "made", held_out=11)
    train, validation, test = (
        [tuple(line.split("\t")) for line in path.read_text(encoding="utf-8").splitlines()]
        for path in paths
    )
    assert len(validation) == len(test) == 11
    assert len(train) > 300
    assert {*train, *validation, *test} <= set(pairs)
    english, spanish = (set(side) for side in zip(*train, strict=True))
    for rows in (validation, test):
        evaluated, answers = (list(side) for side in zip(*rows, strict=True))
        assert english.isdisjoint(evaluated)
        assert spanish.isdisjoint(answers)
        assert len(set(evaluated)) == len(set(answers)) == 11
    order = [pairs.index(row) for row in test]
    assert order != sorted(order)  # not the first ones of the file
    source.unlink()
    assert tatoeba.prepare(source, tmp_path / "made") == paths  # not made again


def test_every_expected_result_has_its_row(folder: Path) -> None:
    page = "\n\n".join(results_translate.sections())
    for kind in results_translate.BACKBONES:
        name = f"`{kind}`, preset `small`"
        assert row_of(page, name, "Translation:").startswith(f"| {name} | not measured |")
    assert page.count("| 41.0 |") == 1
