"""What is finished stays so; what was interrupted, wherever, comes out the same."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests import processes
from tests.batch.files import contents, read, write
from tests.conftest import ROOT
from textapps.batch.job import Job
from textapps.batch.local import run_local
from textapps.batch.run import Summary, run_batch
from textapps.core.errors import ConfigurationError, DataError, TextappsError


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Three files of unequal lengths, the first and last with bad rows."""
    return [
        write(tmp_path / "a.jsonl.gz", b'{"text": "one"}\n{oops\n{"text": "three"}\n' * 4),
        write(tmp_path / "b.txt", b"first\n\nthird\n"),
        write(tmp_path / "c.csv", b"id,text\n1,bad\n2,fine\n3\n"),
    ]


class Counting:
    """run_local that remembers which files it was given."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def __call__(self, job: Job, files: Sequence[Path]) -> None:
        self.given += [file.name for file in files]
        run_local(job, files, lambda rows: None)


def test_each_input_row_is_answered_or_bad(job: Job, files: list[Path]) -> None:
    assert run_batch(job, files, Counting()) == Summary(18, 6, 3, 0)
    assert [line["index"] for line in read(job.output / "a.jsonl.gz")] == [0, 2, 3, 5, 6, 8, 9, 11]
    assert [line["index"] for line in read(job.output / "bad" / "a.jsonl.gz")] == [1, 4, 7, 10]
    assert [line["length"] for line in read(job.output / "b.jsonl.gz")] == [5, 0, 5]
    assert not (job.output / "bad" / "b.jsonl.gz").exists()
    assert [line["input"] for line in read(job.output / "c.jsonl.gz")] == ["fine"]
    assert [line["line"] for line in read(job.output / "bad" / "c.jsonl.gz")] == [2, 4]


def test_only_what_has_changed_is_answered_again(job: Job, files: list[Path]) -> None:
    def answered(job: Job) -> list[str]:
        counting = Counting()
        run_batch(job, files, counting)
        return counting.given

    assert answered(job) == ["a.jsonl.gz", "b.txt", "c.csv"]
    before = contents(job.output)
    assert answered(job) == []
    write(files[1], b"first\n\nother\n")  # as long as before, so it is the time that tells
    os.utime(files[1], ns=(1, 1))
    assert answered(job) == ["b.txt"]
    (job.output / "bad" / "c.jsonl.gz").unlink()
    assert answered(job) == ["c.csv"]
    (job.output / "manifest" / "a.jsonl.gz.json").write_text("{")
    assert answered(job) == ["a.jsonl.gz"]
    write(files[1], b"first\n\nthird\n")
    assert answered(job) == ["b.txt"]
    assert contents(job.output).keys() == before.keys()
    same = [name for name in before if not name.startswith("manifest/b")]
    assert {name: contents(job.output)[name] for name in same} == {n: before[n] for n in same}
    values = {**vars(job), "model_sha256": "another"}
    assert answered(Job(**values)) == ["a.jsonl.gz", "b.txt", "c.csv"]


def test_a_batch_killed_anywhere_ends_as_an_undisturbed_one(
    tmp_path: Path, files: list[Path]
) -> None:
    folders = [str(tmp_path / name) for name in ("killed", "undisturbed")]
    command = [sys.executable, "-m", "tests.batch.killed", *folders, *map(str, files)]
    done = processes.run(
        command, keras=False, cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 25
    assert contents(tmp_path / "killed") == contents(tmp_path / "undisturbed")
    assert len(read(tmp_path / "killed" / "a.jsonl.gz")) == 8


def test_a_file_that_breaks_off_keeps_no_other_from_being_answered(
    job: Job, files: list[Path]
) -> None:
    run_batch(job, files, Counting())
    whole = files[0].read_bytes()
    files[0].write_bytes(whole[:-9])
    with pytest.raises(DataError, match=r"a\.jsonl\.gz: damaged or not gzip"):
        run_batch(job, [*files[:1], *files[2:]], Counting())
    # of the broken one nothing is left, of the other all
    assert not (job.output / "a.jsonl.gz").exists()
    assert not (job.output / "bad" / "a.jsonl.gz").exists()
    assert (job.output / "c.jsonl.gz").exists()
    files[0].write_bytes(whole)
    counting = Counting()
    assert run_batch(job, files, counting).rows == 18
    assert counting.given == ["a.jsonl.gz"]


def test_a_model_that_fails_leaves_nothing_half_done(job: Job, files: list[Path]) -> None:
    def fail(job: Job, files: Sequence[Path]) -> None:
        def answers():
            raise TextappsError("the model failed")
            yield

        job.write(files[0], answers())

    with pytest.raises(TextappsError, match="the model failed"):
        run_batch(job, files, fail)
    assert contents(job.output) == {}


def test_rows_that_are_all_bad_are_an_error(job: Job, tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", b"bad\nbad\n")
    with pytest.raises(DataError, match="no good row among 2 rows"):
        run_batch(job, [path], Counting())
    assert len(read(job.output / "bad" / "a.jsonl.gz")) == 2


def test_a_file_without_rows_has_an_answer_without_lines(job: Job, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", b"")
    assert run_batch(job, [path], Counting()) == Summary(0, 0, 1, 0)
    assert read(job.output / "a.jsonl.gz") == []


def test_outputs_that_would_meet(job: Job, files: list[Path], tmp_path: Path) -> None:
    twin = write(tmp_path / "a.tsv", b"text\nx\n")
    with pytest.raises(ConfigurationError, match=r"both be answered in a\.jsonl\.gz"):
        run_batch(job, [files[0], twin], Counting())
    with pytest.raises(ConfigurationError, match="would replace the input"):
        run_batch(Job(**{**vars(job), "output": tmp_path}), files, Counting())
