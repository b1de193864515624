"""Apache Beam gives the same bytes as one process; needs the extra [beam]."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.batch.files import contents, write
from textapps.batch.job import Job
from textapps.batch.local import run_local
from textapps.batch.run import Summary, run_batch
from textapps.core.errors import ConfigurationError

DASK = "apache_beam.runners.dask.dask_runner.DaskRunner"
# In a process of its own: Beam warns of its own making, which here would be errors.
SCRIPT = """
import sys
from pathlib import Path
from textapps.cli.main import main
from textapps.batch import windows
windows.ROWS = 5
sys.argv = ["textapps", *sys.argv[1:]]
main()
"""
# The file has another time as soon as it was read.
CHANGED = """
import os
from textapps.batch import windows
own = windows.read_windows
def touching(path, *given):
    yield from own(path, *given)
    os.utime(path, (1, 1))
windows.read_windows = touching
"""


def test_beam_answers_as_one_process_does(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("apache_beam", reason="needs the extra [beam]")
    from textapps.batch import windows

    monkeypatch.setattr(windows, "ROWS", 5)
    write(tmp_path / "a.jsonl.gz", b'{"text": "one"}\n{oops\n{"text": "three"}\n' * 4)
    write(tmp_path / "b.csv", b"text\nx\nbad\n")
    write(tmp_path / "c.txt", b"")
    files = [tmp_path / name for name in ("a.jsonl.gz", "b.csv", "c.txt")]
    assert run_batch(job, files, lambda *given: run_local(*given, int)) == Summary(14, 5, 3, 0)
    expected = contents(job.output)

    def ask(*more: str) -> subprocess.CompletedProcess[str]:
        inputs = [word for file in files for word in ("--input", str(file))]
        places = ["--output", str(tmp_path / "beam"), "--model", str(job.model)]
        command = [sys.executable, "-c", SCRIPT, "sentiment", "predict", *inputs, *places]
        command += ["--batch-size", "3", "--runner", "beam", *more]
        return subprocess.run(command, capture_output=True, text=True, timeout=200)

    done = ask("--", "--direct_num_workers=2")
    assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'beam'}\n"), done.stderr
    assert contents(tmp_path / "beam") == expected
    (tmp_path / "beam" / "b.jsonl.gz").unlink()
    files[0].write_bytes(files[0].read_bytes()[:-9])
    done = ask()
    assert done.returncode == 3
    assert "a.jsonl.gz: damaged or not gzip" in done.stderr
    assert done.stderr.count("\n") == 1
    assert (tmp_path / "beam" / "b.jsonl.gz").read_bytes() == expected["b.jsonl.gz"]


def test_answers_to_a_file_that_has_changed_are_not_kept(job: Job, tmp_path: Path) -> None:
    pytest.importorskip("apache_beam", reason="needs the extra [beam]")
    path = write(tmp_path / "b.csv", b"text\nx\n")
    command = [sys.executable, "-c", CHANGED + SCRIPT, "sentiment", "predict", "--runner", "beam"]
    command += ["--input", str(path), "--output", str(tmp_path / "beam"), "--model", str(job.model)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 3
    assert "b.csv: was changed while it was read; start again" in done.stderr
    assert not list((tmp_path / "beam").glob("b.*"))


def test_several_processes_of_dask(job: Job, tmp_path: Path) -> None:
    """Its runner drops what a DoFn gives at the end of a bundle: nothing may be lost."""
    pytest.importorskip("apache_beam", reason="needs the extra [beam]")
    pytest.importorskip("distributed", reason="needs apache-beam[dask]")
    job = replace(job, batch_size=700)
    lines = b"".join(b'{"text": "%d"}\n' % number for number in range(20_000))
    write(tmp_path / "a.jsonl.gz", lines)  # three windows
    write(tmp_path / "b.csv", b"text\nx\nbad\n")
    write(tmp_path / "c.txt", b"")
    files = [tmp_path / name for name in ("a.jsonl.gz", "b.csv", "c.txt")]
    assert run_batch(job, files, lambda *given: run_local(*given, int)) == Summary(20_002, 1, 3, 0)
    asked = [sys.executable, "-m", "textapps", "sentiment", "predict", "--batch-size", "700"]
    asked += ["--input", str(tmp_path / "[abc].*"), "--output", str(tmp_path / "dask")]
    asked += ["--model", str(job.model), "--runner", "beam", "--", f"--runner={DASK}"]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "dask") == contents(job.output)


def test_a_runner_that_beam_does_not_have(job: Job, tmp_path: Path) -> None:
    pytest.importorskip("apache_beam", reason="needs the extra [beam]")
    from textapps.batch.beam import run_beam

    with pytest.raises(ConfigurationError, match="options of Beam: Unexpected pipeline runner"):
        run_beam(job, [tmp_path / "a.txt"], ["--runner=Nonsense"])
