"""The files in which a run stores its evaluations."""

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from textapps.core import files
from textapps.core.errors import RunError
from textapps.training.run_directory import RunDirectory


def evaluation_path(run: RunDirectory, summary: dict[str, Any], suffix: str = "") -> Path:
    """evaluations/<data>-<split><suffix>, without file extension.

    Args:
        summary: {"task", "run", "data", "split", "examples", "metrics"}.
    """
    data = re.sub(r"[^\w-]+", "_", summary["data"]).strip("_")
    return run.path / "evaluations" / f"{data}-{summary['split']}{suffix}"


def write_evaluation(
    run: RunDirectory,
    summary: dict[str, Any],
    suffix: str = "",
    **arrays: Any,
) -> None:
    """Writes the metrics as .json and the arrays behind them as .npz, each atomically.

    Args:
        arrays: by name, for np.savez.

    Raises:
        RunError: they cannot be written.
    """
    path = evaluation_path(run, summary, suffix)
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)
    try:
        path.parent.mkdir(exist_ok=True)
        files.write_file(path.with_suffix(".npz"), packed.getvalue())
    except OSError as error:
        raise RunError(f"cannot write {path}.npz: {error.strerror}") from error
    run.write_json(str(path.with_suffix(".json").relative_to(run.path)), summary)


def read_metrics(run: RunDirectory) -> dict[str, Any]:
    """The metrics of the run on its default test split, {} if it has not been evaluated."""
    try:
        content = (run.path / "metrics.json").read_bytes()
    except OSError:
        return {}
    metrics: dict[str, Any] = json.loads(content)["metrics"]
    return metrics
