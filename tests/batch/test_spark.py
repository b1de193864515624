"""Apache Spark gives the same bytes as one process; needs the extra [spark] and Java."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.batch.files import contents, write
from tests.conftest import ROOT
from textapps.batch.job import Job
from textapps.batch.local import run_local
from textapps.batch.model import Answered, _packed
from textapps.batch.parts import Parts
from textapps.batch.run import run_batch
from textapps.batch.spark_worker import Work, read
from textapps.core.errors import DataError

pytest.importorskip("pyspark", reason="needs the extra [spark]")
pytestmark = pytest.mark.skipif(shutil.which("java") is None, reason="needs Java")

ROWS = 20_000  # three windows


def command(job: Job, output: Path, *words: str, master: str = "local[2]") -> list[str]:
    asked = ("predict", "--quiet", "--model", str(job.model), "--output", str(output))
    spark = ("--batch-size", str(job.batch_size), "--runner", "spark", "--master", master)
    return [sys.executable, "-m", "textapps", "sentiment", *asked, *spark, *words]


def ask(asked: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        asked, cwd=folder, env=environ, capture_output=True, text=True, timeout=250
    )


def inputs(files: list[Path]) -> list[str]:
    return [word for file in files for word in ("--input", str(file))]


@pytest.fixture
def job(job: Job) -> Job:
    return replace(job, batch_size=700)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Files of several windows, of a few rows, of bad rows alone and of no rows."""
    texts = [json.dumps({"text": "x" * (number * 7 % 23)}) for number in range(ROWS)]
    texts[5::900] = ["{oops"] * len(texts[5::900])
    return [
        write(tmp_path / "a.jsonl.gz", "\n".join(texts).encode()),
        write(tmp_path / "b.csv", b"id,text\n1,x\n2,bad\n3\n"),
        write(tmp_path / "c.jsonl", b'{"text": "bad"}\n[]\n{"id": 7}\n'),
        write(tmp_path / "d.txt", b""),
    ]


def test_spark_answers_as_one_process_does(job: Job, files: list[Path], tmp_path: Path) -> None:
    """Also where a file cannot be read: the others are finished."""
    files.append(write(tmp_path / "lacks.csv", b"id,name\n1,x\n"))
    with pytest.raises(DataError, match=r"lacks\.csv: no text column"):
        run_batch(job, files, lambda *given: run_local(*given, int))
    done = ask(command(job, tmp_path / "spark", *inputs(files)), tmp_path)
    assert (done.returncode, done.stdout) == (3, ""), done.stderr
    expected = contents(job.output)
    lacking = "manifest/lacks.jsonl.gz.json"
    assert expected.pop(lacking)
    found = contents(tmp_path / "spark")
    assert json.loads(found.pop(lacking))["broken"].startswith(f"{files[-1]}: no text column")
    assert found == expected
    assert done.stderr.startswith(f"error: {files[-1]}: no text column")
    assert done.stderr.count("\n") == 1
    done = ask(command(job, tmp_path / "spark", *inputs(files), "--keep-columns"), tmp_path)
    assert done.returncode == 2
    assert "has answers of another job (keep_columns differs)" in done.stderr


def test_only_what_is_missing_is_answered(job: Job, files: list[Path], tmp_path: Path) -> None:
    """A file given by URI has the same answers, and Parquet the columns of the input."""
    job = replace(job, keep_columns=True, output_format="parquet")
    assert run_batch(job, files, lambda *given: run_local(*given, int)).rows == ROWS + 6
    spark = replace(job, output=tmp_path / "spark")
    for folder in spark.folders:
        folder.mkdir(parents=True, exist_ok=True)
    # As a killed job leaves it, but that no model would have answered so.
    planted = Answered(1, 8_192, 0, _packed([{"index": 8_192, "input": "", "length": -1}]), b"", "")
    Parts(spark.parts(files[0]) / spark.key(files[0])).add(planted)
    (spark.output / ".aside-1").write_bytes(b"half")
    options = ("--keep-columns", "--output-format", "parquet")
    given = ["--input", "a.jsonl.gz", "--input", f"file://{tmp_path}/[bcd].*"]
    done = ask(command(spark, spark.output, *given, *options), tmp_path)
    assert (done.returncode, done.stdout) == (0, f"{spark.output}\n"), done.stderr
    found, expected = contents(spark.output), contents(job.output)
    assert found.keys() == expected.keys()
    for name in found:
        if "/" not in name and not name.startswith("a."):
            assert found[name] == expected[name]
    import pyarrow.parquet as pq

    lengths = [pq.read_table(j.output / "a.parquet")["length"].to_pylist() for j in (spark, job)]
    assert lengths[0].count(-1) == 1
    at = lengths[0].index(-1)
    assert lengths[0][:at] == lengths[1][:at]
    rest = len(lengths[0]) - at - 1
    assert lengths[0][at + 1 :] == lengths[1][-rest:]
    assert ROWS - len(lengths[0]) > 8_000


def test_a_worker_out_of_memory(job: Job, files: list[Path], tmp_path: Path) -> None:
    limit = ("--", "--conf", "spark.executor.pyspark.memory=300m")
    done = ask(command(job, tmp_path / "spark", *inputs(files[:1]), *limit), tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("error: a worker of Spark ran out of memory or was killed")
    assert done.stderr.count("\n") == 1


def test_spark_that_does_not_start(job: Job, files: list[Path], tmp_path: Path) -> None:
    asked = command(job, tmp_path / "spark", *inputs(files[:1]), master="nonsense")
    done = ask(asked, tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("error: Spark did not start: ")
    assert done.stderr.count("\n") == 1


def test_uris_that_cannot_be_read(job: Job, tmp_path: Path) -> None:
    (tmp_path / "a.doc").write_text("x")
    for pattern, message in (
        ("none*", "cannot be listed (Path does not exist"),
        ("a.doc", "unknown kind"),
    ):
        asked = command(job, tmp_path / "spark", "--input", f"file://{tmp_path}/{pattern}")
        done = ask(asked, tmp_path)
        assert done.returncode == 3, done.stderr
        assert message in done.stderr
        assert done.stderr.count("\n") == 1
        assert not (tmp_path / "spark").exists()


def test_a_file_that_is_read_again_gives_the_same_windows(job: Job, files: list[Path]) -> None:
    """Spark fails a job in which the output of a repeated task differs."""
    import pandas as pd

    for folder in job.folders:
        folder.mkdir(parents=True)
    stat = files[0].stat()
    row = {"file": str(files[0]), "bytes": stat.st_size, "modified_ns": stat.st_mtime_ns}
    frames = [pd.DataFrame([{**row, "content": None}])]
    key = job.key(files[0])
    work = Work(job, {str(files[0]): key}, {str(files[0]): {1}}, "", str(files[0].parent))
    first = pd.concat(read(work, iter(frames)))
    assert list(first["number"]) == [0, 2]  # 1 was answered before
    Parts(job.parts(files[0]) / key).add(Answered(2, 5, 0, b"", b"", ""))
    pd.testing.assert_frame_equal(pd.concat(read(work, iter(frames))), first)
