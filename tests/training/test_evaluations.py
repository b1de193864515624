"""The files in which a run keeps what it was evaluated to be."""

import json
from pathlib import Path

import numpy as np
import pytest

from textapps.core.config import Section
from textapps.core.errors import RunError
from textapps.training.evaluations import evaluation_path, write_evaluation
from textapps.training.run_directory import RunDirectory

SUMMARY = {"task": "demo", "data": "my data/größe.v2", "split": "test", "metrics": {"loss": 1.5}}


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path, "demo", "gru", Section())


def test_figures_and_what_is_behind_them(run: RunDirectory) -> None:
    write_evaluation(run, SUMMARY, "-baseline", values=np.arange(3), sha256=np.array("ab"))
    path = run.path / "evaluations" / "my_data_größe_v2-test-baseline"
    assert evaluation_path(run, SUMMARY, "-baseline") == path
    assert json.loads(path.with_suffix(".json").read_bytes()) == SUMMARY
    with np.load(path.with_suffix(".npz")) as arrays:
        assert arrays["values"].tolist() == [0, 1, 2]
        assert arrays["sha256"].item() == "ab"
    assert len(list(path.parent.iterdir())) == 2


def test_a_full_disk(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("textapps.core.files.write_file", full)
    with pytest.raises(RunError, match=r"cannot write .*test\.npz: No space left on device"):
        write_evaluation(run, SUMMARY, values=np.arange(3))
