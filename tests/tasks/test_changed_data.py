"""Whether the data of a run have changed since training: files are read only if they may have."""

import logging
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.tasks.tiny import WRITERS
from textapps.core.records import dump_record, read_record
from textapps.tasks import lifecycle
from textapps.tasks.evaluation import warn_of_changed_data
from textapps.tasks.registry import get_task

CHANGES = {
    "sentiment": lambda content: content.replace(b" film", b" firm"),
    "generate": lambda content: content.replace(b"cat", b"car"),
    "translate": lambda content: content.replace(b"ba", b"be"),
    "speech": lambda content: content[:-2] + b"\x11\x11",
}


@pytest.mark.parametrize("name", CHANGES)
def test_files_are_read_again_only_if_they_may_have_changed(
    tiny: Callable[..., Any], tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """A copy has other times and the same content; of recordings, not the table changes."""
    (tmp_path / "data").mkdir()
    source = WRITERS[name](tmp_path / "data")
    file = source.with_name("0") / "0.wav" if name == "speech" else source
    task = get_task(name)
    config = tiny(name, "gru", **{"data.source": str(source)})
    made = lifecycle.begin(task, config, tmp_path / "models")
    read = []

    def load(*arguments: Any) -> Any:
        read.append(arguments)
        return task.load_training(*arguments)

    def warned() -> tuple[int, list[str]]:
        read.clear()
        caplog.clear()
        with caplog.at_level(logging.WARNING, "textapps"):
            watched = replace(task, load_training=load)
            warn_of_changed_data(watched, made.run, made.config, made.labels)
        return len(read), caplog.messages

    assert warned() == (0, [])
    os.utime(file, (1, 1))
    assert warned() == (1, [])
    content = file.read_bytes()
    assert CHANGES[name](content) != content
    file.write_bytes(CHANGES[name](content))
    times, (message,) = warned()
    assert times == 1
    assert "was trained on other data: its train split had" in message
    file.write_bytes(content)
    assert warned() == (1, [])


def test_runs_of_earlier_versions_have_no_stamp(
    untrained: Callable[..., Any], copied: Callable[..., Any]
) -> None:
    """Then the files are read as before."""
    task, predictor = get_task("sentiment"), copied(untrained("sentiment", "gru"))
    record = predictor.run.path / "data.json"
    known = read_record(record)
    assert len(known.pop("stamp")) == 64
    record.write_text(dump_record(known), encoding="utf-8")
    read = []
    watched = replace(task, load_training=lambda *a: read.append(a) or task.load_training(*a))
    warn_of_changed_data(watched, predictor.run, predictor.config, predictor.labels)
    assert len(read) == 1
