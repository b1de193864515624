"""Answers with the other columns of their rows, as JSON lines and as Parquet."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.batch.files import contents, read, write
from textapps.batch import windows
from textapps.batch.job import Job
from textapps.batch.local import run_local
from textapps.batch.run import Summary, run_batch
from textapps.core.errors import ConfigurationError, DataError


def answered(job: Job, *files: Path) -> Summary:
    return run_batch(job, files, lambda *given: run_local(*given, int))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    rows = ["a7,one,9", "b8,bad,9", "c9,three,9", "d1,four", "e2,fünf,"]
    return write(tmp_path / "a.csv", ("id,text,length\n" + "\n".join(rows) + "\n").encode())


def test_other_columns_stand_beside_the_answer(job: Job, source: Path) -> None:
    job = replace(job, keep_columns=True)
    assert answered(job, source) == Summary(5, 2, 1, 0)
    assert read(job.output / "a.jsonl.gz") == [
        {"index": 0, "input": "one", "id": "a7", "input_length": "9", "length": 3},
        {"index": 2, "input": "three", "id": "c9", "input_length": "9", "length": 5},
        {"index": 4, "input": "fünf", "id": "e2", "input_length": "", "length": 5},
    ]


def test_parquet_has_the_rows_of_json_lines(
    job: Job, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "ROWS", 2)
    for form in ("jsonl", "parquet"):
        made = replace(job, keep_columns=True, output=tmp_path / form, output_format=form)
        assert answered(made, source) == Summary(5, 2, 1, 0)
        assert answered(made, source) == Summary(5, 2, 1, 1)
    found = pq.read_table(tmp_path / "parquet" / "a.parquet")
    assert found.to_pylist() == read(tmp_path / "jsonl" / "a.jsonl.gz")
    assert str(found.schema.field("length").type) == "int64"
    bad = [read(tmp_path / form / "bad" / "a.jsonl.gz") for form in ("jsonl", "parquet")]
    assert bad[0] == bad[1]


def test_parquet_without_a_good_row_has_no_rows(job: Job, tmp_path: Path) -> None:
    job = replace(job, output_format="parquet")
    write(tmp_path / "a.txt", b"bad\n")
    write(tmp_path / "b.txt", b"good\n")
    answered(job, tmp_path / "a.txt", tmp_path / "b.txt")
    found = pq.read_table(job.output / "a.parquet")
    assert (found.num_rows, found.schema.names) == (0, ["index", "input"])


def test_parquet_needs_the_same_columns_in_all_rows(job: Job, tmp_path: Path) -> None:
    rows = [{"text": "a", "id": 1}, {"text": "b"}, {"text": "c", "name": "x", "more": "y"}]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    job = replace(job, keep_columns=True, output_format="parquet")
    message = (
        r"a\.jsonl\.gz: row 2 has a column that the first one lacks, 'more'.*"
        "use --output-format jsonl, into another folder"
    )
    with pytest.raises(DataError, match=message):
        answered(job, tmp_path / "a.jsonl.gz")
    assert not (job.output / "a.parquet").exists()
    assert not [name for name in contents(job.output) if ".aside" in name]


def test_a_folder_with_answers_of_another_job(job: Job, source: Path) -> None:
    job.check_folder()
    answered(job, source)
    job.check_folder()
    source.write_bytes(b"id,text\n1,changed\n")
    job.check_folder()
    for other in (
        replace(job, batch_size=4),
        replace(job, column="id"),
        replace(job, keep_columns=True),
        replace(job, model_sha256="ab"),
    ):
        with pytest.raises(ConfigurationError, match="has answers of another job") as refused:
            other.check_folder()
    assert "(model_sha256 differs): name another folder" in str(refused.value)
    (job.folders[2] / "a.jsonl.gz.json").write_text("{half")
    replace(job, batch_size=4).check_folder()
