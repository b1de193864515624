"""Tests of the sentiment commands: what goes to stdout, what to stderr, in which shape."""

import csv
import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import Result

from tests import processes
from tests.tasks.tiny import LABELS
from textapps.tasks import lifecycle
from textapps.tasks.registry import get_about
from textapps.tasks.sentiment import predict

Cli = Callable[..., Result]

TEXTS = ("What a wonderful film!", "", "dull, “so” dull", "太棒了")


@pytest.fixture(scope="module")
def ready(untrained) -> object:
    """A classifier that knows nothing."""
    return untrained("sentiment", "simple_rnn")


def run_of(models: Path) -> Path:
    (path,) = (models / "sentiment").iterdir()
    return path


def test_predict_prints_label_and_probability_in_the_order_of_the_texts(cli: Cli, ready) -> None:
    """From the real files of a run."""
    result = cli("sentiment", "predict", *TEXTS, "--run", str(ready.run.path))
    empty = "texts without a token that could be read: 1 of 4; all get the same answer\n"
    assert (result.exit_code, result.stderr) == (0, empty)
    lines = result.stdout.splitlines()
    expected = ready.predict(TEXTS)
    assert lines == [f"{answer.label}\t{answer.probability:.4f}" for answer in expected]


def test_predict_json(ask: Cli, ready) -> None:
    texts = [text for text in TEXTS if text]
    result = ask("predict", "--json", *texts)
    assert result.stderr == ""
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    expected = ready.predict(texts)
    for index, (row, text, answer) in enumerate(zip(rows, texts, expected, strict=True)):
        assert list(row) == ["index", "input", "label", "probability", "scores", "probabilities"]
        assert row["probabilities"] == dict(zip(ready.labels, row["scores"], strict=True))
        assert (row["index"], row["input"], row["label"]) == (index, text, answer.label)
        assert row["probability"] == max(row["scores"]) == pytest.approx(answer.probability)
        numbers = [row["probability"], *row["scores"], *row["probabilities"].values()]
        assert [str(number) for number in numbers] == [str(np.float32(n)) for n in numbers]
        assert sum(row["scores"]) == pytest.approx(1)
    assert "太棒了" in result.stdout  # readable, not escaped


def test_arguments_file_and_standard_input_are_answered_alike(ask: Cli, tmp_path: Path) -> None:
    lines = "".join(f"{text}\n" for text in TEXTS).encode()
    path = tmp_path / "reviews.txt"
    path.write_bytes(lines)
    by_arguments = ask("predict", "--json", *TEXTS).stdout
    assert ask("predict", "--json", "--input", str(path)).stdout == by_arguments
    assert ask("predict", "--json", "-", input=lines).stdout == by_arguments
    assert ask("predict", "--json", "--input", "-", input=lines).stdout == by_arguments


def test_the_run_that_answers_is_named_where_none_was(ask: Cli, models: Path) -> None:
    name = run_of(models).name
    told = f"{name} answers; --run names another one\n"
    assert ask("predict", "a film").stderr == told
    assert ask("predict", "a film", "--run", name).stderr == ""
    assert ask("predict", "a film", "--quiet").stderr == ""
    for form in (("--json",), ("--output-format", "csv")):
        assert ask("predict", "a film", *form).stderr == ""


def encoded(ending: str, rows: list[dict[str, str]]) -> bytes:
    if ending == ".jsonl":
        return "".join(json.dumps(row) + "\n" for row in rows).encode()
    if ending == ".parquet":
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows), sink)
        return sink.getvalue()
    if ending == ".xlsx":
        book = openpyxl.Workbook()
        for line in (rows[0], *(row.values() for row in rows)):
            book.active.append(list(line))
        book.save(sink := io.BytesIO())
        return sink.getvalue()
    lines = ["\t".join(row) for row in (rows[0], *(row.values() for row in rows))]
    return "\n".join(lines).replace("\t", "," if ending == ".csv" else "\t").encode()


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".parquet", ".xlsx"])
def test_a_table_gives_its_other_columns_back(ask: Cli, ready, tmp_path: Path, ending: str) -> None:
    texts = ["a fine film", "dull", "well; so-so"]
    rows = [{"id": f"r{number}", "Review": text, "label": "?"} for number, text in enumerate(texts)]
    path = tmp_path / f"reviews{ending}"
    path.write_bytes(encoded(ending, rows))
    answers = ready.predict(texts)
    result = ask("predict", "--input", str(path))
    assert result.stdout == "".join(f"{one.label}\t{one.probability:.4f}\n" for one in answers)
    found = list(
        csv.DictReader(
            io.StringIO(ask("predict", "--input", str(path), "--output-format", "csv").stdout)
        )
    )
    assert list(found[0]) == [
        "index",
        "input",
        "id",
        "input_label",
        "label",
        "probability",
        *(f"probability_{label}" for label in ready.labels),
    ]
    for number, (row, answer) in enumerate(zip(found, answers, strict=True)):
        assert (row["index"], row["input"], row["id"]) == (str(number), texts[number], f"r{number}")
        assert (row["input_label"], row["label"]) == ("?", answer.label)
        named = [float(row[f"probability_{label}"]) for label in ready.labels]
        assert named == pytest.approx(answer.scores)
    result = ask("predict", "--input", str(path), "--output-format", "jsonl", "--top-k", "1")
    for line, answer in zip(result.stdout.splitlines(), answers, strict=True):
        row = json.loads(line)
        assert row["probabilities"] == {answer.label: pytest.approx(answer.probability)}
        assert len(row["scores"]) == len(ready.labels)
        assert row["id"].startswith("r")


def test_the_column_of_texts_can_be_named(ask: Cli, ready, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,remark\ndull,a fine film\n")
    (answer,) = ready.predict(["a fine film"])
    result = ask("predict", "--input", str(path), "--text-column", "remark", "--json")
    row = json.loads(result.stdout)
    assert (row["input"], row["text"]) == ("a fine film", "dull")
    assert row["probability"] == pytest.approx(answer.probability, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        ("a.csv", b"text,id\nfine,1\nonly\n", (), "a.csv:3: 1 cell in 2 columns"),
        ("a.csv", b"id,name\n1,2\n", (), "a.csv: no text column, the columns are id, name"),
        ("a.txt", b"fine\ncaf\xe9\n", (), "a.txt:2: not UTF-8 (byte 0xe9 at position 4)"),
        (
            "a.jsonl",
            b'{"text": "a"}\n{"text": "b", "id": 2}',
            ("--output-format", "csv"),
            "input 2 has a column that the first one lacks, 'id'",
        ),
    ],
)
def test_a_row_that_cannot_be_read_is_named(
    cli: Cli,
    models: Path,
    traced: None,
    tmp_path: Path,
    name: str,
    content: bytes,
    options: tuple[str, ...],
    message: str,
) -> None:
    (tmp_path / name).write_bytes(content)
    options += ("--models-dir", str(models))
    result = cli("sentiment", "predict", "--input", str(tmp_path / name), *options)
    assert result.exit_code == 3
    *said, error = result.stderr.splitlines()
    assert error.startswith("error: ")
    assert message in error
    assert said in ([], [f"{tmp_path / name}: reads text from 'text'"])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"id,text\n1,fine\n2\n3,dull\n4,caf\xe9\n"),
        ("a.jsonl", b'{"text": "fine"}\n[2]\n{"text": "dull"}\n{"note": "none"}\n'),
        ("a.txt", b"fine\ncaf\xe9\ndull\n\xff\n"),
        ("-", b"fine\ncaf\xe9\ndull\n\xff\n"),
    ],
)
def test_bad_rows_are_skipped_counted_and_named(
    ask: Cli, tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    given = {"input": content} if name == "-" else {}
    if name != "-":
        path.write_bytes(content)
    where = "-" if name == "-" else str(path)
    result = ask("predict", "--input", where, "--skip-bad", "--json", **given)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(row["index"], row["input"]) for row in rows] == [(0, "fine"), (2, "dull")]
    warning = result.stderr.splitlines()[-1]
    place = "standard input" if name == "-" else path
    second = 3 if name == "a.csv" else 2
    assert warning.startswith(f"warning: 2 bad rows skipped: {place}:{second}: ")
    assert f"; {place}:{second + 2}: " in warning


def test_predict_says_once_which_column_it_reads(ask: Cli, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id;Review\n1;fine\n2;dull\n")
    said = [f"{path}: cells are separated by semicolons"]
    options = ("--json", "--input", str(path))
    result = ask("predict", *options)
    assert result.stderr.splitlines() == [*said, f"{path}: reads text from 'Review'"]
    result = ask("predict", *options, "--text-column", "Review")
    assert result.stderr.splitlines() == said
    result = ask("predict", *options, "--text-column", "2")
    by_number = f"{path}: columns by number, so the first line is a row and no header"
    assert result.stderr.splitlines() == [by_number, *said]


def test_predict_reads_the_column_that_training_was_told_to_read(
    ask: Cli, ready, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ready.configured({"data.text_column": "Avis"})
    monkeypatch.setattr(lifecycle, "load", lambda *_: run)
    path = tmp_path / "a.csv"

    def read(table: str, *options: str) -> tuple[str, str]:
        path.write_text(table)
        result = ask("predict", "--input", str(path), "--json", *options)
        return json.loads(result.stdout)["input"], result.stderr

    assert read("text,Avis\na,b\n") == ("b", f"{path}: reads text from 'Avis'\n")
    assert read("text,avis\na,b\n") == ("b", f"{path}: reads text from 'avis'\n")
    assert read("text,Note\na,b\n") == ("a", f"{path}: reads text from 'text'\n")
    assert read("text,Avis\na,b\n", "--text-column", "text") == ("a", "")
    run = ready.configured({"data.text_column": "2"})
    by_number = f"{path}: columns by number, so the first line is a row and no header\n"
    assert read("a,b\n") == ("b", f"{by_number}{path}: reads text from '2'\n")
    assert read("Avis,Text\na,b\n")[0] == "b"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a film", "--sheet", "x"), "--sheet needs --input with an Excel workbook"),
        (("--input", "-", "--sheet", "x"), "--sheet needs --input with an Excel workbook"),
        (("a film", "--text-column", "x"), "--text-column needs --input with a table"),
        (("--input", "-", "--text-column", "x"), "--text-column needs --input with a table"),
        (("a film", "--top-k", "1"), "--top-k needs --json or --output-format"),
        (("a film", "--json", "--output-format", "csv"), "give --json or --output-format csv"),
    ],
)
def test_options_that_do_not_go_together(
    cli: Cli, arguments: tuple[str, ...], message: str
) -> None:
    result = cli("sentiment", "predict", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: {message}")


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_other_encodings(ask: Cli, tmp_path: Path, encoding: str) -> None:
    content = "text,id\nun café à 5€,7\n".encode(encoding)
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    options = () if encoding == "utf-16" else ("--encoding", encoding)
    result = ask("predict", "--input", str(path), "--json", *options)
    row = json.loads(result.stdout)
    assert (row["input"], row["id"]) == ("un café à 5€", "7")
    said = [f"{path}: read as UTF-16, by its byte order mark"] if not options else []
    assert result.stderr.splitlines() == [*said, f"{path}: reads text from 'text'"]
    result = ask("predict", "-", "--json", *options, input=content)
    rows = [json.loads(line)["input"] for line in result.stdout.splitlines()]
    assert rows == ["text,id", "un café à 5€,7"]


@pytest.mark.parametrize(
    ("task", "name", "remedy"),
    [
        ("sentiment", "old.XLS", "save it as .xlsx"),
        ("speech", "old.ods", "save it as .xlsx"),
        ("speech", "clip.Wav", "give it as an argument, without --input"),
        ("translate", "clip.mp3", "give texts"),
    ],
)
def test_a_file_of_another_kind_is_refused_by_its_ending(
    cli: Cli, tmp_path: Path, task: str, name: str, remedy: str
) -> None:
    path = tmp_path / name
    path.write_bytes(b"\xd0\xcf\x11\xe0")
    result = cli(task, "predict", "--input", str(path), "--skip-bad")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith(f"error: {path}: ")
    assert result.stderr.endswith(f"; {remedy}\n")


def test_a_formula_without_a_saved_value_is_not_answered(ask: Cli, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for cell in ("text", '="good film "&1', "bad film"):
        book.active.append([cell])
    path = tmp_path / "a.xlsx"
    book.save(path)
    result = ask("predict", "--input", str(path), "--skip-bad", "--json")
    (row,) = map(json.loads, result.stdout.splitlines())
    assert (row["index"], row["input"]) == (1, "bad film")
    assert f"{path}:2: the formula in A2 has no saved value" in result.stderr


def test_no_output_holds_half_of_a_surrogate_pair(ask: Cli) -> None:
    for options in (("--json",), ("--output-format", "csv")):
        result = ask("predict", "caf\udce9 good", *options)
        assert "caf\ufffd good" in result.stdout
    result = ask("predict", "-", "--json", input=b"ok\ncaf\xe9 good\n\xff\n")
    assert [json.loads(line)["input"] for line in result.stdout.splitlines()] == [
        "ok",
        "caf\ufffd good",
        "\ufffd",
    ]
    first, more = result.stderr.splitlines()
    assert first.startswith("warning: standard input:2: not UTF-8 (byte 0xe9 at position 4)")
    assert more == "warning: standard input: 1 more such line"


def test_many_chunks_keep_the_order(ask: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predict, "CHUNK", 7)
    lines = [f"film number {number}" for number in range(40)]
    result = ask("predict", "--json", "-", input="\n".join(lines).encode())
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(row["index"], row["input"]) for row in rows] == list(enumerate(lines))


@pytest.mark.parametrize("arguments", [(), ("a film", "--input", "-"), ("-", "--input", "-")])
def test_predict_wants_texts_from_one_place(cli: Cli, arguments: tuple[str, ...]) -> None:
    result = cli("sentiment", "predict", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: give texts, or --input FILE, or '-'")
    assert result.stderr.count("\n") == 1


def test_evaluate(ask: Cli, ready: Any, models: Path) -> None:
    result = ask("evaluate")
    run = run_of(models)
    written = json.loads((run / "metrics.json").read_bytes())
    head, *figures = result.stdout.splitlines()
    assert head == f"opinions, test: {written['examples']} examples"
    shape = re.compile(r"(\w+) +(\d\.\d{4})   95 %: (\d\.\d{4}) to (\d\.\d{4})")
    for line in figures:
        name, value, low, high = shape.fullmatch(line).groups()
        ends = (f"{written['metrics'][name + end]:.4f}" for end in ("", "_low", "_high"))
        assert (value, low, high) == tuple(ends)
    assert [line.split()[0] for line in figures] == list(get_about("sentiment").figures)
    read, *said = result.stderr.splitlines()
    assert read.endswith("opinions.csv: reads text from 'text', label from 'label'")
    assert said == [
        f"opinions: evaluated {written['examples']} of 115 examples (test)",
        f"report: {run / 'report.html'}",
    ]
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "<html" in page
    assert "opinions.csv" in page
    # A page that is passed on names no place of this machine.
    assert str(Path(ready.config.data.source).parent) not in page

    as_json = json.loads(ask("evaluate", "--json").stdout)
    assert as_json == written
    assert list(as_json) == ["task", "run", "data", "split", "examples", "metrics"]
    assert (as_json["task"], as_json["run"]) == ("sentiment", run.name)


def test_evaluate_on_other_data(ask: Cli, models: Path, tmp_path: Path) -> None:
    other = tmp_path / "mine.csv"
    rows = ("größer als,a fine film,test", "0,a dull film,test", "0,awful,train")
    other.write_text("\n".join(["stars,said,split", *rows, ""]), encoding="utf-8")
    columns = ("--text-column", "said", "--label-column", "stars")
    result = ask("evaluate", "--data", str(other), *columns, "--json")
    summary = json.loads(result.stdout)
    assert (summary["data"], summary["split"], summary["examples"]) == ("mine", "test", 2)
    run = run_of(models)
    evaluations = run / "evaluations"
    assert json.loads((evaluations / "mine-test.json").read_bytes()) == summary
    assert result.stderr == (
        f"{other}: reads text from 'said', label from 'stars'\n"
        "mine: evaluated 2 of 3 examples (test)\n"
        f"report: {evaluations / 'mine-test.html'}\n"
    )
    assert not (run / "metrics.json").exists()
    summary = json.loads(ask("evaluate", "--split", "validation", "--json").stdout)
    assert (summary["data"], summary["split"]) == ("opinions", "validation")


@pytest.mark.slow
def test_other_data_without_splits_are_evaluated_whole(ask: Cli, tmp_path: Path) -> None:
    other = tmp_path / "mine.csv"
    rows = [f"{'größer als' if number % 3 else '0'},film {number}" for number in range(80)]
    other.write_text("\n".join(["label,text", *rows]), encoding="utf-8")
    for command in ("evaluate", "baseline"):
        result = ask(command, "--data", str(other), "--json")
        summary = json.loads(result.stdout)
        assert (summary["split"], summary["examples"]) == ("all", 80)
        assert "mine: evaluated all 80 examples\n" in result.stderr
    part = json.loads(ask("evaluate", "--data", str(other), "--split", "test", "--json").stdout)
    assert (part["split"], part["examples"] < 20) == ("test", True)
    whole = ask("evaluate", "--split", "all")
    assert "opinions: evaluated all 115 examples\n" in whole.stderr


def test_the_baseline_stands_beside_the_network(ask: Cli, models: Path) -> None:
    result = ask("baseline", "--json")
    summary = json.loads(result.stdout)
    assert (summary["data"], summary["split"]) == ("opinions", "test")
    run = run_of(models)
    assert json.loads((run / "evaluations" / "opinions-test-baseline.json").read_bytes()) == summary
    assert summary["metrics"]["accuracy"] > 0.8
    network = json.loads((run / "metrics.json").read_bytes())
    assert network["metrics"]["accuracy"] != summary["metrics"]["accuracy"]
    assert "NB-SVM" in (run / "report.html").read_text(encoding="utf-8")
    (run / "report.html").unlink()
    ask("evaluate")  # the baseline is remembered
    assert "NB-SVM" in (run / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_export_prints_the_directory(ask: Cli, models: Path) -> None:
    result = ask("export", "--no-verify", "--name", "film-reviews")
    path = models / "exported" / "film-reviews" / "1"
    assert (result.stdout, result.stderr) == (f"{path}\n", "")
    manifest = json.loads((path / "assets.extra" / "textapps.json").read_bytes())
    assert manifest["labels"] == list(LABELS)


@pytest.mark.parametrize("name", ["a/b", "..", "", "film reviews"])
def test_export_names_are_directories(cli: Cli, models: Path, traced: None, name: str) -> None:
    options = ("--name", name, "--no-verify", "--models-dir", str(models))
    result = cli("sentiment", "export", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f'error: name = "{name}" from --name: ')
    assert not (models / "exported").exists()


def test_commands_take_the_latest_finished_run(ask: Cli, cli: Cli, models: Path) -> None:
    run = run_of(models)
    for later in ("20260102-030406-gru", "20260103-000000-lstm"):
        shutil.copytree(run, run.parent / later)
    shutil.rmtree(run.parent / "20260103-000000-lstm" / "checkpoints")  # not finished
    assert json.loads(ask("evaluate", "--json").stdout)["run"] == "20260102-030406-gru"
    named = ask("evaluate", "--json", "--run", run.name)
    assert json.loads(named.stdout)["run"] == run.name

    rows = cli("runs", "--json", "--models-dir", str(models)).stdout.splitlines()
    listed = {row["run"]: row for row in map(json.loads, rows)}
    assert [row["state"] for row in listed.values()] == ["finished", "finished", "incomplete"]
    metrics = json.loads((run / "metrics.json").read_bytes())["metrics"]
    assert listed[run.name]["test"] == metrics
    assert listed["20260103-000000-lstm"]["test"] is None


def test_train(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chinese text, cut into characters; values from flags, environment and file."""
    texts = [f"{begin}{word}{end}" for begin in "这那它他她" for word in "好坏" for end in "的了吗"]
    rows = [f"{text[1]}\t{text}\t{split}" for split in ("train", "dev", "test") for text in texts]
    (tmp_path / "zh.tsv").write_text("\n".join(["label\ttext\tsplit", *rows, ""]), encoding="utf-8")
    (tmp_path / "my.toml").write_text(
        "[training]\nbatch_size = 3\nepochs = 99\n[backbone]\nunits = 8\nkind = 'lstm'\n"
        "[model]\nembedding_units = 6\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEXTAPPS_TRAINING__EPOCHS", "9")
    monkeypatch.setenv("TEXTAPPS_BACKBONE__KIND", "gru")
    monkeypatch.setenv("TEXTAPPS_MODELS_DIR", "my models")
    options = ("--preset", "tiny", "--config", "my.toml", "--backbone", "simple_rnn")
    seed = ("--random-seed", "7", "--set", "training.learning_rate=0.02")
    result = cli("sentiment", "train", "--data", "zh.tsv", "--tokens", "char", *options, *seed)
    assert result.exit_code == 0, result.stderr

    path = Path(result.stdout.removesuffix("\n"))
    assert path.is_relative_to("my models/sentiment")
    assert path.name.endswith("-simple_rnn")
    *lines, last = result.stderr.splitlines()
    intervals = [line for line in lines if "val_accuracy" in line]  # a slow machine says more
    assert len(intervals) == 9
    assert re.match(r"step 10  epoch 1  .*loss .*val_accuracy ", intervals[0])
    assert re.fullmatch(r"best validation accuracy [\d.]+ at step \d+, \d+ s of training", last)

    from textapps.tasks import lifecycle
    from textapps.tasks.sentiment.task import TASK
    from textapps.training.run_directory import RunDirectory

    config = lifecycle.load_config(TASK, RunDirectory.open(path))
    assert (config.preset, config.random_seed, config.preprocessor.tokens) == ("tiny", 7, "char")
    assert (config.backbone.kind, config.backbone.units) == ("simple_rnn", 8)
    assert (config.training.epochs, config.training.batch_size) == (9, 3)
    assert config.data.source == str(tmp_path / "zh.tsv")  # found from any folder

    monkeypatch.delenv("TEXTAPPS_TRAINING__EPOCHS")
    monkeypatch.delenv("TEXTAPPS_BACKBONE__KIND")
    result = cli("sentiment", "predict", "我说好吧", "我说坏吧")
    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == ["好", "坏"]
    result = cli("sentiment", "train", "--resume", path.name)
    assert (result.exit_code, result.stdout) == (0, f"{path}\n")
    assert f"run {path} is already finished" in result.stderr


@pytest.mark.slow
def test_a_run_that_time_ended_says_how_its_learning_rate_stood(
    cli: Cli, tmp_path: Path, toy_data: Callable[[str], Path]
) -> None:
    options = ("--preset", "tiny", "--models-dir", str(tmp_path), "--max-seconds", "0.001")
    result = cli("sentiment", "train", "--data", str(toy_data("sentiment")), *options)
    assert result.exit_code == 0, result.stderr
    assert re.search(
        r"^the time was up after 0\.\d+ of \d+ passes, with the learning rate at \d+ % of its "
        r"peak; with fewer steps in a pass it falls to 0 in that time$",
        result.stderr,
        re.MULTILINE,
    )


@pytest.mark.parametrize("option", ["--epochs=3", "--preset=tiny", "--set=training.epochs=3"])
def test_resume_takes_no_other_options(cli: Cli, models: Path, option: str) -> None:
    result = cli("sentiment", "train", "--resume", str(run_of(models)), option)
    assert (result.exit_code, result.stdout) == (2, "")
    name = option.partition("=")[0]
    assert f"--resume goes on as the run began; leave out {name}, or start" in result.stderr
    assert f"by --init-from {run_of(models)}" in result.stderr


def start(*arguments: str | Path) -> subprocess.Popen[bytes]:
    return processes.Popen(
        [sys.executable, "-m", "textapps", "sentiment", *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def test_predict_answers_while_it_reads_and_ends_when_nobody_listens(models: Path) -> None:
    """As in `tail -f reviews.txt | textapps sentiment predict - | head`."""
    lines = [b"bad \xff bytes", *(b"film %d" % number for number in range(1, predict.CHUNK))]
    with start("predict", "-", "--json", "--run", run_of(models)) as process:
        process.stdin.write(b"\n".join(lines) + b"\n")
        process.stdin.flush()
        # Standard input stays open: these answers come before its end is known.
        rows = [json.loads(process.stdout.readline()) for _ in lines]
        assert [row["index"] for row in rows] == list(range(predict.CHUNK))
        assert [row["input"] for row in rows[:2]] == ["bad \ufffd bytes", "film 1"]
        process.stdout.close()
        process.stdin.write(b"\n".join(lines))
        process.stdin.close()
        assert process.wait(60) == 0
        assert process.stderr.readline().startswith(b"warning: standard input:1: not UTF-8 (byte")


def test_ctrl_c_saves_and_says_how_to_go_on(cli: Cli, tmp_path: Path) -> None:
    small = ("--preset", "tiny", "--backbone", "simple_rnn", "--units", "8", "--epochs", "8")
    options = ("--data", "sample", *small, "--set", "preprocessor.max_tokens=9")
    with start("train", *options, "--models-dir", tmp_path) as process:
        # On a busy machine lines of progress come before it.
        lines = (line.decode() for line in iter(process.stderr.readline, b""))
        first = next(found for line in lines if (found := re.match(r"step (\d+)  epoch 1  ", line)))
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (130, b"")
    last = stderr.decode().splitlines()[-1]
    steps = int(first[1])
    match = re.fullmatch(
        rf"interrupted and saved at step (\d+) of {8 * steps}; continue with: textapps (.*)", last
    )
    saved, run = int(match[1]), run_of(tmp_path)
    assert (run / "checkpoints" / f"step-{saved:08d}").is_dir()

    command = shlex.split(match[2])
    assert command == ["sentiment", "train", "--resume", str(run)]
    result = cli(*command)
    assert (result.exit_code, result.stdout) == (0, f"{run}\n"), result.stderr
    done = [int(step) for step in re.findall(r"^step (\d+)  ", result.stderr, re.MULTILINE)]
    assert done == list(range((saved // steps + 1) * steps, 8 * steps + 1, steps))


def test_a_wrong_start_is_one_line_and_leaves_nothing(cli: Cli, ready, tmp_path: Path) -> None:
    """The run to start from is found by its name."""
    run, models = ready.run, tmp_path / "models"
    (models / "sentiment").mkdir(parents=True)
    (models / "sentiment" / run.name).symlink_to(run.path)
    begin = ("sentiment", "train", "--models-dir", str(models))
    for options, message in (
        (("--init-from", run.name, "--backbone", "gru"), "backbone.kind gru does not fit"),
        (("--init-from", run.name, "--freeze-layers", "9"), "freeze_layers 9 leaves nothing"),
        (("--freeze-layers", "1"), "freeze_layers needs a run to start from: give --init-from"),
        (("--init-from", "gone"), "no run at gone"),
    ):
        result = cli(*begin, "--data", str(run.config["data"]["source"]), *options)
        assert result.exit_code == (1 if "gone" in options else 2)
        assert message in result.stderr
        assert "Traceback" not in result.stderr
    assert [path.name for path in (models / "sentiment").iterdir()] == [run.name]
