"""The files in which a run keeps how good it was found to be."""

import io
import json
import re
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import numpy as np

from textapps.core import files
from textapps.core.errors import RunError
from textapps.training.run_directory import RunDirectory

METRICS = "metrics.json"


class Summary(TypedDict):
    """The figures of an evaluation, as `--json` prints them.

    orders: of a baseline of n-grams, the nats per character of each order.
    """

    task: str
    run: str
    data: str
    split: str
    examples: int
    metrics: dict[str, float]
    orders: NotRequired[dict[int, float]]


def evaluation_path(run: RunDirectory, summary: Summary, suffix: str = "") -> Path:
    """evaluations/<data>-<split><suffix>, without the ending of a file."""
    data = re.sub(r"[^\w-]+", "_", summary["data"]).strip("_")
    return run.results / "evaluations" / f"{data}-{summary['split']}{suffix}"


def write_evaluation(
    run: RunDirectory,
    summary: Summary,
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
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_file(path.with_suffix(".npz"), packed.getvalue())
    except OSError as error:
        raise RunError(f"cannot write {path}.npz: {error.strerror}") from error
    write_details(run, summary, summary, suffix)


def write_details(run: RunDirectory, summary: Summary, content: object, suffix: str) -> None:
    """Writes more of an evaluation, as JSON beside its figures; RunError if it cannot."""
    path = evaluation_path(run, summary, suffix).with_suffix(".json")
    run.write_json(str(path.relative_to(run.results)), content)


def read_metrics(run: RunDirectory) -> dict[str, float]:
    """The figures of the run on its default test split, {} if it has not been evaluated."""
    try:
        content = (run.path / METRICS).read_bytes()
    except OSError:
        return {}
    metrics: dict[str, float] = json.loads(content)["metrics"]
    return metrics
