import multiprocessing
import os
import shutil
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.training import trainee
from textapps.core.errors import RunError
from textapps.core.notices import NOTICE
from textapps.training.checkpoint import CheckpointStore, TrainingState
from textapps.training.run_directory import RunDirectory


def finish(run: RunDirectory, stopped_by: str | None = "epochs") -> None:
    CheckpointStore(run.checkpoints).save(TrainingState(step=3, stopped_by=stopped_by), {}, [])


def test_create_writes_the_resolved_configuration(tmp_path: Path):
    run = trainee.new_run(tmp_path, epochs=7)
    assert run.path.parent == tmp_path / "sentiment"
    assert run.name.endswith("-gru")
    written = tomllib.loads((run.path / "config.toml").read_text())
    assert written["format"] == 1
    assert written["training"]["epochs"] == 7
    assert RunDirectory.open(run.path, "sentiment", trained=False).config == run.config


def test_runs_of_one_second_have_different_names_in_order(tmp_path: Path):
    runs = [trainee.new_run(tmp_path) for _ in range(3)]
    assert [run.name for run in RunDirectory.all(tmp_path)] == [run.name for run in runs]


def test_a_clock_that_was_set_back_does_not_put_new_runs_before_old_ones(tmp_path: Path):
    old = trainee.new_run(tmp_path)
    finish(old)
    ahead = old.path.rename(old.path.with_name("20990131-235959-transformer"))
    for name in ("mine", "20991399-000000-gru", "99991231-235959-gru"):
        (ahead.parent / name).mkdir()  # named otherwise
    runs = [trainee.new_run(tmp_path, backbone) for backbone in ("simple_rnn", "lstm", "gru")]
    assert [run.name for run in runs] == [
        "20990201-000000-simple_rnn",
        "20990201-000001-lstm",
        "20990201-000002-gru",
    ]
    assert RunDirectory.latest(tmp_path, "sentiment").path == ahead
    finish(runs[0])
    assert RunDirectory.latest(tmp_path, "sentiment").name == runs[0].name


def test_runs_that_begin_at_once_get_different_names(tmp_path: Path):
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: trainee.new_run(tmp_path), range(24)))
    assert len({run.name for run in runs}) == 24


def test_latest_skips_unfinished_runs(tmp_path: Path):
    with pytest.raises(RunError, match="textapps sentiment train"):
        RunDirectory.latest(tmp_path, "sentiment")
    old, new, newest = (trainee.new_run(tmp_path) for _ in range(3))
    with pytest.raises(RunError, match=f"resume .*{newest.name}"):
        RunDirectory.latest(tmp_path, "sentiment")
    finish(old)
    finish(new, stopped_by=None)
    assert RunDirectory.latest(tmp_path, "sentiment").name == old.name
    finish(new)
    assert RunDirectory.latest(tmp_path, "sentiment").name == new.name
    with pytest.raises(RunError, match="no finished run of speech"):
        RunDirectory.latest(tmp_path, "speech")


def test_open_refuses_what_is_no_run(tmp_path: Path):
    with pytest.raises(RunError, match="no run at"):
        RunDirectory.open(tmp_path / "nowhere")
    with pytest.raises(RunError, match=r"incomplete one: it has no config\.toml"):
        RunDirectory.open(tmp_path)


def test_open_refuses_another_task_and_no_checkpoint(tmp_path: Path):
    run = trainee.new_run(tmp_path)
    with pytest.raises(RunError, match="no checkpoint yet"):
        RunDirectory.open(run.path, "sentiment")
    finish(run)
    assert RunDirectory.open(run.path, "sentiment").finished
    with pytest.raises(RunError, match="a run of sentiment, not of speech"):
        RunDirectory.open(run.path, "speech")


def test_open_refuses_a_newer_format_and_broken_toml(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    run = trainee.new_run(tmp_path)
    config = run.path / "config.toml"
    config.write_text(config.read_text().replace("format = 1", "format = 2"))
    with pytest.raises(RunError, match="newer"):
        RunDirectory.open(run.path, trained=False)
    config.write_text("format = ")
    with pytest.raises(RunError, match="not valid TOML"):
        RunDirectory.open(run.path, trained=False)
    with caplog.at_level(NOTICE, "textapps"):
        assert RunDirectory.all(tmp_path) == []
        # No model of the package answers in its place.
        with pytest.raises(RunError, match="no finished run of sentiment"):
            RunDirectory.find(tmp_path, "sentiment", None)
    assert f"left out: {config} is not valid TOML" in caplog.text


def test_what_is_being_deleted_is_no_run(tmp_path: Path):
    run = trainee.new_run(tmp_path)
    run.path.rename(run.path.with_name(".aside-1"))
    assert RunDirectory.all(tmp_path) == []


def test_write_json_replaces_whole(tmp_path: Path):
    run = trainee.new_run(tmp_path)
    run.write_json("metrics.json", {"accuracy": 0.5})
    run.write_json("metrics.json", {"ü": 1})
    assert (run.path / "metrics.json").read_text(encoding="utf-8") == '{\n  "ü": 1\n}\n'
    assert not list(run.path.glob(".aside*"))


def test_a_read_only_directory_is_a_clear_error():
    directory = Path(tempfile.mkdtemp(dir="/tmp"))
    root = os.geteuid() == 0  # whom permissions do not stop
    try:
        run = trainee.new_run(directory)
        directory.chmod(0o555)
        run.path.chmod(0o555)
        if root:
            os.seteuid(65534)
        try:
            for refused in (
                lambda: run.write_json("metrics.json", {}),
                lambda: run.lock().__enter__(),
                lambda: trainee.new_run(directory / "models"),
                lambda: finish(run),
            ):
                with pytest.raises(RunError, match=r"cannot (write|create) .*Permission denied"):
                    refused()
        finally:
            if root:
                os.seteuid(0)
    finally:
        run.path.chmod(0o755)
        directory.chmod(0o755)
        shutil.rmtree(directory)


def hold(path: str, ready) -> None:
    with RunDirectory(Path(path), {}).lock():
        ready.send(os.getpid())
        ready.recv()


def test_one_process_at_a_time(tmp_path: Path):
    run = trainee.new_run(tmp_path)
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    holder = context.Process(target=hold, args=(str(run.path), theirs))
    holder.start()
    pid = ours.recv()
    with pytest.raises(RunError, match=f"process {pid} is training"), run.lock():
        pass
    holder.kill()
    holder.join()
    with run.lock():  # the lock of a dead process is none
        pass
