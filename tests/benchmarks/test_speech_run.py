"""What the benchmark of accuracy asks of a run."""

import shutil
from pathlib import Path
from typing import Any

from benchmarks import speech


def test_a_run_is_evaluated_whole_and_as_files(untrained: Any, tmp_path: Path) -> None:
    recognizer = untrained("speech", "gru")
    run = tmp_path / "speech" / recognizer.run.name
    shutil.copytree(recognizer.run.path, run)
    found = speech.evaluate(run, tmp_path)
    assert found["data"].endswith("test split")
    assert found["test_examples"] > 20
    assert found["parameters"] == recognizer.model.count_params()
    assert 0 <= found["metrics"]["accuracy_10_db"] <= 1
    assert 0 <= found["metrics"]["accuracy"] <= 1
    assert found["lite"]["bytes"]["int8"] < found["lite"]["bytes"]["float"]
    assert (run / "report.html").is_file()
