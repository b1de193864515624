"""`predict --output` of the four tasks: which options go together, and what comes out."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from tests.batch.files import read, write
from tests.conftest import ROOT
from tests.serving import models
from tests.tasks.toy_words import wav_bytes
from textapps.savedmodel.manifest import read_manifest

Cli = Callable[..., Result]

GOLDEN = ROOT / "tests" / "golden"
SAMPLES = 162  # a file of 368 bytes, which the model takes for "stop"

# What a task is asked, and what it answers; the models are those of tests/serving/models.py.
TASKS = {
    "sentiment": ("classifier", "text", "a good film", {"label": "good"}),
    "generate": ("generator", "text", "ab", {"text": models.continued("ab", 50)}),
    "translate": ("translator", "source", "one cat", {"translation": "ONE CAT", "score": -7.0}),
    "speech": ("speech", "path", "clip.wav", {"label": "stop", "probability": 1.0}),
}


@pytest.fixture(scope="module")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of each task, and of sentiment an older version that refuses everything."""
    path = tmp_path_factory.mktemp("models")
    for task, (name, *_) in TASKS.items():
        export = getattr(models, name)(path / "exported" / task / "10")
        shutil.rmtree(export / "assets.extra")
    (path / "exported" / "sentiment" / "9").mkdir()
    (path / "exported" / "sentiment" / "9" / "saved_model.pb").write_bytes(b"bad")
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a recording."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clip.wav").write_bytes(wav_bytes(np.zeros(SAMPLES, np.float32), 16_000))
    return tmp_path


@pytest.mark.parametrize("task", TASKS)
def test_the_newest_export_answers_files(
    cli: Cli, folder: Path, models_dir: Path, task: str
) -> None:
    _, column, given, answer = TASKS[task]
    write(folder / "part-0.jsonl.gz", f'{{"{column}": "{given}"}}\n[]\n'.encode())
    write(folder / "part-1.tsv", f"id\t{column.title()}\n1\t{given}\n".encode())
    write(folder / "more.csv", f"my {column}\n{given}\n".encode())
    options = ("--output", "out", "--models-dir", str(models_dir))
    result = cli(task, "predict", "--input", "part-*", *options)
    assert (result.exit_code, result.stdout) == (0, "out\n"), result.stderr
    first, second, summary, _ = result.stderr.splitlines()
    assert first == f"part-0.jsonl.gz: reads {column} from '{column}'"
    assert second == f"part-1.tsv: reads {column} from '{column.title()}'"
    assert summary.startswith("3 rows of 2 files")
    assert result.stderr.endswith("warning: bad rows: 1, see out/bad\n")
    for name in ("part-0", "part-1"):
        (line,) = read(folder / "out" / f"{name}.jsonl.gz")
        assert line == {**line, "index": 0, "input": given, **answer}
        assert "error" not in line
    (bad,) = read(folder / "out" / "bad" / "part-0.jsonl.gz")
    assert (bad["index"], bad["line"], bad["file"]) == (1, 2, "part-0.jsonl.gz")
    again = cli(task, "predict", "--input", "part-1.tsv", "--input", "part-0*", *options, "-q")
    assert (again.exit_code, again.stdout, again.stderr) == (0, "out\n", "")
    named = (f"--{column}-column", f"my {column}", "--input", "more.csv", "--input", "part-1.tsv")
    result = cli(task, "predict", *named, *options)
    assert result.exit_code == 3  # of two files one has no such column
    assert result.stderr.startswith(f"error: part-1.tsv: no column 'my {column}'")
    assert len(read(folder / "out" / "more.jsonl.gz")) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--output", "out"), 2, "--output needs --input FILE"),
        (("--output", "out", "--input", "-"), 2, "--output needs --input FILE"),
        (("--output", "out", "--input", "a.txt", "text"), 2, "--output takes files by --input"),
        (
            ("--output", "out", "--input", "a.txt", "--runner", "beam", "text"),
            2,
            "--output takes files by --input",
        ),
        (("--output", "out", "--input", "a.txt", "--json"), 2, "--json does not go with --output"),
        (("--output", "out", "--input", "a.txt", "--run", "x"), 2, "--run does not go with"),
        (("--output", "out", "--input", "none*"), 3, "--input none*: no such file"),
        (("--output", "out", "--input", "a.doc"), 3, "a.doc: unknown kind of file, use .csv,"),
        (("--input", "a.txt", "--runner", "local"), 2, "--runner needs --output"),
        (("--input", "a.txt", "--keep-columns"), 2, "--keep-columns needs --output"),
        (("a film", "--output-format", "parquet"), 2, "--output-format parquet needs --output"),
        (
            ("--output", "out", "--input", "a.txt", "--output-format", "csv"),
            2,
            "--output writes --output-format jsonl or parquet",
        ),
        (
            ("--output", "out", "--input", "a.txt", "--master", "local[2]"),
            2,
            "--master needs --runner spark",
        ),
        (
            ("--output", "hdfs://host/out", "--input", "a.txt"),
            2,
            "--output is a folder, on a disk that all workers see; not a URI",
        ),
        (
            ("--output", "out", "--input", "s3a://bucket/a.txt"),
            3,
            "--input s3a://bucket/a.txt: no such file; URIs need --runner spark",
        ),
        (("--input", "a.txt", "--input", "a.txt"), 2, "give --input once"),
        (("--input", "none.txt"), 2, "invalid value for '--input': 'none.txt': No such file"),
        (
            ("--output", "out", "--input", "a.txt", "--models-dir", "none"),
            1,
            "no exported model in none/exported/sentiment: export a run first with "
            "`textapps sentiment export`, or name one with --model",
        ),
        (("--output", "out", "--input", "a.txt", "--model", "."), 1, "no exported model in ."),
        (
            ("--output", "out", "--input", "a.txt", "--model", f"{ROOT}/tests/golden/generate"),
            2,
            f"{ROOT}/tests/golden/generate/1 is an export of generate: use `textapps generate",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    cli: Cli, folder: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    for name in ("a.txt", "a.doc"):
        (folder / name).write_text("a film\n")
    result = cli("sentiment", "predict", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.startswith(f"error: {message}")
    assert result.stderr.count("\n") == 1
    assert not (folder / "out").exists()


def test_options_of_decoding_are_those_of_the_export(cli: Cli, folder: Path) -> None:
    (folder / "a.txt").write_text("a film\n")
    for task, option in (("generate", "--temperature"), ("translate", "--beam")):
        result = cli(task, "predict", "--input", "a.txt", "--output", "out", option, "1")
        assert result.exit_code == 2
        assert f"{option} does not go with --output" in result.stderr


@pytest.mark.parametrize(("runner", "package"), [("beam", "apache_beam"), ("spark", "pyspark")])
def test_without_an_engine_it_says_how_to_get_it(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch, runner: str, package: str
) -> None:
    (folder / "a.txt").write_text("a film\n")
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, f"textapps.batch.{runner}", raising=False)
    options = ("--input", "a.txt", "--output", "out", "--runner", runner)
    result = cli("sentiment", "predict", *options, "--", "--runner=FlinkRunner")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith(f"not installed: pip install 'textapps[{runner}]'\n")
    assert result.stderr.count("\n") == 1


def test_the_largest_version_is_the_newest(models_dir: Path) -> None:
    from textapps.batch.inputs import find_model

    exported = models_dir / "exported" / "sentiment"
    assert find_model("sentiment", models_dir, None) == exported / "10"
    assert find_model("sentiment", models_dir, exported / "9") == exported / "9"


def test_the_only_export_of_the_task_may_have_another_name(cli: Cli, folder: Path) -> None:
    exported = Path("models") / "exported"
    shutil.copytree(GOLDEN / "sentiment" / "1", exported / "avis" / "3")
    shutil.copytree(GOLDEN / "generate" / "1", exported / "poems" / "1")
    (exported / "notes").mkdir()
    write(folder / "a.txt", b"fine\n")
    predict = ("sentiment", "predict", "--input", "a.txt", "--output", "out")
    result = cli(*predict, "--models-dir", "models")
    assert result.exit_code == 0, result.stderr
    assert result.stderr.startswith("answers come from models/exported/avis/3\n")
    (exported / "avis").rename(exported / "films")
    shutil.copytree(exported / "films", exported / "books")
    result = cli(*predict, "--models-dir", "models")
    assert (result.exit_code, result.stderr) == (
        2,
        "error: no export is called 'sentiment', and there are 2 of the task: name one with "
        "--model: models/exported/books, models/exported/films\n",
    )


def test_the_column_is_that_of_training(cli: Cli, folder: Path) -> None:
    export = folder / "models" / "exported" / "sentiment" / "1"
    shutil.copytree(GOLDEN / "sentiment" / "1", export)
    read_manifest(export).model_copy(update={"input_column": "Avis"}).write(export)
    write(folder / "a.csv", b"text,Avis\ndull,fine\n")
    predict = ("sentiment", "predict", "--input", "a.csv", "--output", "out")
    result = cli(*predict, "--models-dir", "models")
    assert result.exit_code == 0, result.stderr
    assert result.stderr.startswith("a.csv: reads text from 'Avis'\n")
    assert [line["input"] for line in read(folder / "out" / "a.jsonl.gz")] == ["fine"]


def test_lines_are_those_that_predict_prints(cli: Cli, folder: Path) -> None:
    """From a real export, whose answers are known."""
    case = json.loads((GOLDEN / "sentiment.json").read_bytes())["cases"][0]
    texts = case["inputs"]["text"]["values"]
    write(folder / "a.jsonl", "".join(json.dumps({"text": t}) + "\n" for t in texts).encode())
    model = str(GOLDEN / "sentiment")
    result = cli("sentiment", "predict", "--input", "a.jsonl", "--output", "out", "--model", model)
    assert result.exit_code == 0, result.stderr
    found = read(folder / "out" / "a.jsonl.gz")
    assert [line["input"] for line in found] == texts
    assert [list(line) for line in found] == [
        ["index", "input", "label", "probability", "scores"] for _ in texts
    ]
    expected = case["outputs"]["probability"]["values"]
    assert [line["probability"] for line in found] == pytest.approx(expected, abs=1e-5)
    assert all(str(x) == str(np.float32(x)) for line in found for x in line["scores"])
