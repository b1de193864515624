"""A run that is made from another one without training: other labels, and weights for them."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from textapps.core import files
from textapps.core.errors import RunError
from textapps.core.records import dump_record
from textapps.tasks.config import C
from textapps.tasks.evaluation import data_stamp
from textapps.tasks.task import B, E, M, P, R, S, Task
from textapps.training.checkpoint import CheckpointStore
from textapps.training.data_record import read_data_record, write_data_record
from textapps.training.decision import THRESHOLD
from textapps.training.derivation import DERIVED
from textapps.training.run_directory import RunDirectory
from textapps.training.start_config import StartConfig
from textapps.training.weights import save_compact


def derive(
    task: Task[C, S, P, B, M, R, E],
    predictor: R,
    config: C,
    model: M,
    labels: tuple[str, ...],
    models_dir: Path,
    how: Mapping[str, Any],
    fill: Callable[[RunDirectory], None] = lambda run: None,
) -> RunDirectory:
    """Creates a finished run with the weights of a built model.

    It has the preprocessor, the state of training and the threshold of the predictor's run, and
    names that run as the one that it started from. It has no optimizer, so it cannot be resumed.

    Args:
        how: what was done, for derived.json; `told` says it to people.
        fill: writes what else belongs into the run.

    Raises:
        RunError: it cannot be written.
    """
    source = predictor.run
    state = CheckpointStore(source.checkpoints).newest_state()
    assert state is not None  # the predictor has weights
    step = state.best_step or state.step
    start = StartConfig(init_from=source.origin)
    config = config.model_copy(update={"start": start})
    run = RunDirectory.create(models_dir, task.name, config.backbone.kind, config)
    record = read_data_record(source, labelled=task.labelled)
    if not record["stamp"] or config.data.source != source.config["data"]["source"]:
        record["stamp"] = data_stamp(task, config)
    try:
        run.preprocessor_dir.mkdir()
        predictor.preprocessor.save(run.preprocessor_dir)
        if (source.path / THRESHOLD).is_file():
            files.write_file(run.path / THRESHOLD, (source.path / THRESHOLD).read_bytes())
    except OSError as error:
        raise RunError(f"cannot write {run.path}: {error.strerror}") from error
    run.write_text(DERIVED, dump_record({"run": source.origin, "step": step, **how}, indent=2))
    write_data_record(run, {**record, "labels": list(labels)})
    fill(run)
    # Last: with a checkpoint the run counts as finished.
    state = dataclasses.replace(
        state, step=step, best_step=step, partial={}, stopped_by=state.stopped_by or "epochs"
    )
    save_compact(model, CheckpointStore(run.checkpoints), state)
    return run


def refuse_derived(run: RunDirectory) -> None:
    """RunError if a run was made without training, and so cannot be resumed."""
    if (run.path / DERIVED).is_file():
        raise RunError(
            f"{run.path} was not trained but made from another run, and cannot be resumed; start a "
            f"new run from its weights by --init-from {run.path}"
        )
