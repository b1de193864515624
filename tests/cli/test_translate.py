"""Tests of the translate commands: what goes to stdout, what to stderr, in which shape."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.tasks.toy_language import sentences, translate
from textapps.tasks.translate import predict

Cli = Callable[..., Result]


@pytest.fixture(scope="module")
def ready(untrained) -> object:
    """A translator that knows nothing."""
    return untrained("translate", "simple_rnn")


def test_a_line_for_each_sentence(cli: Cli, ready) -> None:
    """From the real files of a run: answers, and nothing else on stdout."""
    result = cli("translate", "predict", "bab dek.", "", "gin.", "--run", str(ready.run.path))
    assert (result.exit_code, result.stderr) == (0, "")
    answers = [answer.translation for answer in ready.predict(["bab dek.", "", "gin."])]
    assert answers[1] == ""
    assert result.stdout == "".join(f"{answer}\n" for answer in answers)


def test_json(ask: Cli, ready) -> None:
    rows = [json.loads(line) for line in ask("predict", "bab.", "", "--json").stdout.splitlines()]
    for index, (row, answer) in enumerate(zip(rows, ready.predict(["bab.", ""]), strict=True)):
        assert list(row) == ["index", "input", "translation", "score"]
        assert (row["index"], row["input"]) == (index, ["bab.", ""][index])
        assert row["translation"] == answer.translation
        assert row["score"] == pytest.approx(answer.score, abs=1e-6)


def test_a_table_of_sentences(ask: Cli, ready, tmp_path: Path) -> None:
    path = tmp_path / "sentences.tsv"
    path.write_text("id\ten\ttranslation\n7\tbab dek.\told\n")
    options = ("--input", str(path), "--source-column", "en", "--n-best", "2")
    (row,) = csv.DictReader(
        io.StringIO(ask("predict", *options, "--output-format", "csv").stdout, newline="")
    )
    (answers,) = ready.n_best(["bab dek."], n_best=2)
    assert (row["id"], row["input"], row["input_translation"]) == ("7", "bab dek.", "old")
    assert row["translation"] == answers[0].translation
    assert json.loads(row["translations"]) == [answer.translation for answer in answers]


@pytest.mark.slow
def test_the_best_answers_and_their_scores(ask: Cli, ready) -> None:
    found = ready.n_best(["bab dek.", "gin."], n_best=2)
    shown = [line.split("\t") for line in ask(*PREDICT, "--n-best", "2").stdout.splitlines()]
    assert shown == [
        [str(number), f"{answer.score:.4f}", answer.translation]
        for number, answers in enumerate(found, 1)
        for answer in answers
    ]
    rows = [
        json.loads(line)
        for line in ask(*PREDICT, "--n-best", "2", "--json").stdout.split("\n")[:-1]
    ]
    for row, answers in zip(rows, found, strict=True):
        assert row["translations"] == [answer.translation for answer in answers]
        assert row["scores"] == pytest.approx([answer.score for answer in answers], abs=1e-6)
        assert (row["translation"], row["score"]) == (row["translations"][0], row["scores"][0])


PREDICT = ("predict", "bab dek.", "gin.")


@pytest.mark.slow
def test_how_to_search(ask: Cli, ready) -> None:
    options = ("--beam", "2", "--length-penalty", "1.5", "--no-repeat-ngram-size", "1", "--json")
    rows = [json.loads(line) for line in ask(*PREDICT, *options).stdout.splitlines()]
    expected = ready.predict(
        ["bab dek.", "gin."], beam=2, length_penalty=1.5, no_repeat_ngram_size=1
    )
    assert [row["translation"] for row in rows] == [each.translation for each in expected]
    assert [row["score"] for row in rows] == pytest.approx([e.score for e in expected], abs=1e-6)


@pytest.mark.slow
def test_sentences_from_a_file_and_from_standard_input(
    ask: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In chunks, which change nothing, not even what is drawn."""
    texts = sentences(5, seed=8)
    path = tmp_path / "sentences.txt"
    path.write_text("\n".join(texts), encoding="utf-8")
    options = ("--random-seed", "1", "--temperature", "3")
    whole = ask("predict", *texts, *options).stdout
    assert whole != ask("predict", *texts, "--random-seed", "2", "--temperature", "3").stdout
    monkeypatch.setattr(predict, "CHUNK", 2)
    assert ask("predict", "--input", str(path), *options).stdout == whole
    assert ask("predict", "-", *options, input=path.read_bytes()).stdout == whole


def test_evaluate(ask: Cli, ready: Any, models: Path) -> None:
    result = ask("evaluate")
    (run,) = (models / "translate").iterdir()
    written = json.loads((run / "metrics.json").read_bytes())
    metrics = written["metrics"]
    first, *figures, advice = result.stdout.splitlines()
    assert first == f"toy, test: {written['examples']} sentences"
    assert (metrics["bleu"], "bleu_low" in metrics) == (0, False)  # 0 in every resample too
    assert figures[0].startswith("bleu  0.00")
    assert figures[1].startswith(f"chrf  {metrics['chrf']:.2f}")
    assert re.match(r"length ratio [\d.]+: translations are (shorter|longer) than", advice)
    assert result.stderr.splitlines()[-1] == f"report: {run / 'report.html'}"
    assert str(Path(ready.config.data.source).parent) not in (run / "report.html").read_text(
        encoding="utf-8"
    )
    assert (run / "report.html").stat().st_size > 10_000
    again = json.loads(ask("evaluate", "--json").stdout)
    assert (again["split"], again["metrics"]) == ("test", metrics)


@pytest.mark.slow
def test_evaluate_on_other_pairs_in_another_way(ask: Cli, models: Path, tmp_path: Path) -> None:
    other = tmp_path / "other pairs.tsv"
    other.write_text("".join(f"{s}\t{translate(s)}\n" for s in sentences(40)), encoding="utf-8")
    answer = json.loads(ask("evaluate", "--data", str(other), "--beam", "1", "--json").stdout)
    assert (answer["data"], answer["split"]) == ("other-pairs", "all")
    (run,) = (models / "translate").iterdir()
    assert not (run / "metrics.json").exists()
    assert not (run / "report.html").exists()
    assert {path.suffix for path in (run / "evaluations").iterdir()} >= {".json", ".html", ".npz"}


def test_train_and_resume(cli: Cli, tmp_path: Path) -> None:
    """On two files, the second language into the first."""
    texts = sentences(120)
    files = (tmp_path / "toy.aa", tmp_path / "toy.xx")
    files[0].write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    files[1].write_text("".join(f"{translate(text)}\n" for text in texts), encoding="utf-8")
    given = ("--source-file", str(files[0]), "--target-file", str(files[1]), "--reverse")
    sizes = ("--preset", "tiny", "--backbone", "gru", "--units", "8", "--epochs", "1")
    kind = ("--attention", "dot", "--tokens", "char", "--models-dir", str(tmp_path))
    result = cli("translate", "train", *given, *sizes, *kind)
    assert result.exit_code == 0, result.stderr
    run = Path(result.stdout.strip())
    config = (run / "config.toml").read_text(encoding="utf-8")
    for line in ("reverse = true", 'attention = "dot"', 'tokens = "char"'):
        assert line in config
    assert re.search(r"best validation BLEU \d+\.\d\d \(greedy\) at step \d+, ", result.stderr)
    again = cli("translate", "train", "--resume", str(run))
    assert (again.exit_code, again.stdout) == (0, result.stdout)
    assert "already finished" in again.stderr
    refused = cli("translate", "train", "--resume", str(run), "--reverse")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "leave out --reverse" in refused.stderr


@pytest.mark.slow
def test_export(ask: Cli, models: Path) -> None:
    result = ask("export", "--name", "toy", "--no-verify")
    assert result.stdout == f"{models / 'exported' / 'toy' / '1'}\n"
    assert (Path(result.stdout.strip()) / "saved_model.pb").exists()
