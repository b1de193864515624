"""Tests of TrainingProgress: lines where stderr is no terminal, a bar where it is one."""

import io
import logging
import sys

import pytest

from textapps.cli import console
from textapps.cli.console import TrainingProgress
from textapps.training.pace import Extent


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def train(clock: Clock) -> TrainingProgress:
    """Steps 21 to 40 of 40, five seconds each, three examples a step."""
    progress = TrainingProgress(clock=clock)
    progress.start(Extent(40, 20, steps_per_pass=10, interval=10, validation_steps=3))
    for step in range(21, 41):
        clock.now += 5
        progress.update(step, {"loss": 1 / step, "accuracy": 0.5}, (step - 20) * 3)
        if step == 30:
            progress.epoch_end({"step": 30, "epoch": 3.0, "val_loss": 0.123456})
    progress.message("done")
    progress.finish()
    progress.finish()
    return progress


def test_lines_every_ten_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    console.set_up_logging()
    train(Clock())
    output = capsys.readouterr()
    lines = output.err.splitlines()
    assert lines[:2] == [
        "step 22/40  loss 0.04545  accuracy 0.5  1 examples/s",
        "step 24/40  loss 0.04167  accuracy 0.5  1 examples/s",
    ]
    # Two validations of 3 batches, each a third of a step, until one has been measured.
    assert lines[2] == "step 26/40  loss 0.03846  accuracy 0.5  1 examples/s  1:20 left"
    assert lines[5] == "step 30  epoch 3  val_loss 0.1235"
    assert lines[-1] == "done"
    assert len(lines) == 10 + 1 + 1
    assert output.out == ""


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    console.set_up_logging(logging.ERROR)
    train(Clock())
    assert capsys.readouterr() == ("", "")


def test_a_bar_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    console.set_up_logging()
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    progress = TrainingProgress("tokens", clock := Clock())
    progress.start(Extent(40, 20, steps_per_pass=10, interval=20, validation_steps=0))
    for step in range(21, 26):
        clock.now += 1
        progress.update(step, {"loss": 0.25}, (step - 20) * 60)
    progress.epoch_end({"step": 21, "val_loss": 0.125})
    logging.getLogger("textapps").warning("careful")
    progress.finish()
    err = capsys.readouterr().err
    assert "pass 3" in err
    assert "25/40" in err
    assert "loss 0.25  60 tokens/s  0:15 left" in err
    assert "step 21  val_loss 0.125\n" in err
    assert "warning: careful\n" in err


def test_a_log_line_that_cannot_be_written_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    class FullDisk(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    console.set_up_logging()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", FullDisk())
        logging.getLogger("textapps").warning("a model does not load")
        with pytest.raises(OSError, match="No space left"):  # the lines of a command are its work
            console.say("step 1")


def test_talk_that_nobody_reads_any_more_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the `grep -m1` that read a training's stderr has ended."""

    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError(32, "Broken pipe")

    console.set_up_logging()
    monkeypatch.setattr(sys, "stderr", Closed())
    console.say("step 1")
