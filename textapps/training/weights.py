"""Converts Keras variables to the arrays of a checkpoint and back.

Keras's own savers change the state of seed generators, so a resumed run would drop other units.
Arrays by position restore every variable bit for bit.
"""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textapps.core.errors import DivergedError, RunError
from textapps.training.checkpoint import (
    Arrays,
    CheckpointStore,
    TrainingState,
    read_arrays,
    read_variables,
)
from textapps.training.compact import Weights, compacted, restored, suffixes
from textapps.training.optimizer import AveragedAdamW
from textapps.training.replicas import Replicas
from textapps.training.run_directory import RunDirectory

CARRIED = "carried"  # prefix of variables that hold the state of training streams


def save(
    store: CheckpointStore,
    state: TrainingState,
    model: Any,
    means: Sequence[Any] | None = None,
    replicas: Replicas | None = None,
) -> None:
    """Writes a checkpoint of the compiled `model` and its optimizer, in the chief.

    `means` are averages of the trainable variables, in their order, stored for `load_weights`.
    Raises DivergedError instead of saving NaN or infinite weights.
    """
    replicas = replicas or Replicas()
    groups = {"model": model.variables, "optimizer": model.optimizer.variables}
    average_of = _average_keys(model.optimizer)
    arrays: dict[str, Any] = {}
    if means is not None:
        for i, (variable, mean) in enumerate(zip(model.trainable_variables, means, strict=True)):
            average_of[id(variable)] = f"average/{i:05d}"
            arrays[average_of[id(variable)]] = mean
    records = []
    for group, variables in groups.items():
        for position, variable in enumerate(variables):
            key = f"{group}/{position:05d}"
            carried = is_carried(variable.path)
            arrays[key] = replicas.interleaved(variable) if carried else variable.numpy()
            records.append(
                {
                    "key": key,
                    "name": variable.path,
                    "shape": list(arrays[key].shape),
                    "dtype": str(variable.dtype),
                    "average": average_of.get(id(variable)),
                }
            )
    _check_finite(arrays, records, state.step)
    if replicas.is_chief:
        store.save(state, arrays, records)


def restore(
    model: Any, store: CheckpointStore, step: int, replicas: Replicas | None = None
) -> None:
    """Sets all variables of the compiled `model` and its built optimizer to those of `step`.

    Stream states are redistributed if the number of replicas has changed.

    Raises RunError if the variables are not those that were saved.
    """
    replicas = replicas or Replicas()
    checkpoint = store.path(step)
    records = read_variables(checkpoint)
    variables = [*model.variables, *model.optimizer.variables]
    _check_match(variables, records, checkpoint.name)
    arrays = read_arrays(checkpoint, [record["key"] for record in records])
    for variable, array in zip(variables, arrays, strict=True):
        if is_carried(variable.path):
            replicas.deal(variable, array)
        else:
            variable.assign(array)


def load_weights(model: Any, run: RunDirectory, which: Literal["best", "last"] = "best") -> int:
    """Loads trained weights into the built `model`, the averages if the run has them.

    "best" is the checkpoint of the best validation (the newest if there was none yet), "last" the
    newest. Of the optimizer only the averages are read, and no stream states. Returns the step of
    the checkpoint. Raises RunError if there is none, it is damaged, or it belongs to another model.
    """
    checkpoint, records = trained_records(run, which)
    variables = [variable for variable in model.variables if not is_carried(variable.path)]
    _check_match(variables, records, checkpoint.path.name)
    for variable, array in zip(variables, read_trained(checkpoint, records), strict=True):
        variable.assign(array)
    return checkpoint.step


class Checkpoint(NamedTuple):
    """A checkpoint of a run: its directory and its step."""

    path: Path
    step: int


def trained_records(
    run: RunDirectory, which: Literal["best", "last"] = "best"
) -> tuple[Checkpoint, list[dict[str, Any]]]:
    """The checkpoint that `load_weights` reads, and the records of the model's variables in it.

    Raises RunError if there is none or it is damaged.
    """
    store = CheckpointStore(run.checkpoints)
    state = store.newest_state()
    if state is None:
        raise RunError(f"run {run.path} has no checkpoint: resume it to train it")
    best = which == "best" and state.best_step is not None
    step = state.best_step if best and state.best_step is not None else state.step
    checkpoint = Checkpoint(store.path(step), step)
    return checkpoint, [
        record
        for record in read_variables(checkpoint.path)
        if record["key"].startswith("model/") and not is_carried(record["name"])
    ]


def read_trained(checkpoint: Checkpoint, records: Sequence[dict[str, Any]]) -> list[NDArray[Any]]:
    """The arrays of these records, the averages if the run has them; compact ones as float32.

    Raises:
        RunError: the checkpoint cannot be read, or holds NaN or infinite numbers.
    """
    parts = [_parts(record) for record in records]
    keys = [key for each in parts for key in each.values()]
    arrays = dict(zip(keys, read_arrays(checkpoint.path, keys), strict=True))
    found = [
        restored(record.get("encoding", ""), {suffix: arrays[key] for suffix, key in each.items()})
        for record, each in zip(records, parts, strict=True)
    ]
    for record, array in zip(records, found, strict=True):
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise RunError(
                f"{checkpoint.path}: {record['name']} holds NaN or infinite numbers; "
                "train a new run"
            )
    return found


def save_compact(
    model: Any, store: CheckpointStore, state: TrainingState, how: Weights | None = None
) -> None:
    """Writes the weights of a built model without an optimizer, by default as they are.

    Args:
        how: the encoding that takes fewer bytes.

    Raises RunError as `CheckpointStore.save`.
    """
    arrays: dict[str, Any] = {}
    records = []
    for position, variable in enumerate(model.variables):
        if is_carried(variable.path):
            continue
        array = variable.numpy()
        encoding, parts = compacted(array, how) if how else ("", {"": array})
        record = {
            "key": f"model/{position:05d}",
            "name": variable.path,
            "shape": list(array.shape),
            "dtype": str(variable.dtype),
            "average": None,
            "encoding": encoding,
        }
        arrays |= {_part(record["key"], suffix): part for suffix, part in parts.items()}
        records.append(record)
    store.save(state, arrays, records, compress=how is not None)


def parameter_count(model: Any) -> int:
    """How many numbers the model has learned; the states of streams are none of them."""
    return sum(
        math.prod(variable.shape) for variable in model.weights if not is_carried(variable.path)
    )


def is_carried(path: str) -> bool:
    """Whether a variable of this path holds the state of training streams."""
    return path.rpartition("/")[2].startswith(f"{CARRIED}_")


def _part(key: str, suffix: str) -> str:
    return f"{key}/{suffix}" if suffix else key


def _parts(record: dict[str, Any]) -> dict[str, str]:
    """The keys of the arrays of a record by their suffixes; RunError for an unknown encoding."""
    key = record["average"] or record["key"]
    try:
        return {suffix: _part(key, suffix) for suffix in suffixes(record.get("encoding", ""))}
    except ValueError as error:
        raise RunError(f"{record['name']}: {error}; install a newer textapps") from None


def _average_keys(optimizer: AveragedAdamW) -> dict[int, str]:
    """For each averaged variable, by its id, the key of its average."""
    position = {id(variable): i for i, variable in enumerate(optimizer.variables)}
    return {
        id(variable): f"optimizer/{position[id(average)]:05d}"
        for variable, average in zip(optimizer.averaged, optimizer.averages, strict=True)
    }


def _check_finite(arrays: Arrays, records: Sequence[dict[str, Any]], step: int) -> None:
    for record in records:
        array = arrays[record["key"]]
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise DivergedError(
                f"{record['name']} became NaN or infinite at step {step}; earlier checkpoints are "
                "kept: try a smaller --learning-rate"
            )


def _check_match(
    variables: Sequence[Any], records: Sequence[dict[str, Any]], checkpoint: str
) -> None:
    """RunError unless the variables have the names and shapes of the records."""
    if len(variables) != len(records):
        raise RunError(
            f"checkpoint {checkpoint} is of another model: it has {len(records)} variables, "
            f"the model {len(variables)}"
        )
    for variable, record in zip(variables, records, strict=True):
        rows = int(is_carried(variable.path))  # each replica has a part of the checkpoint's rows
        ours = (plain_path(variable.path), tuple(variable.shape)[rows:])
        theirs = (plain_path(record["name"]), tuple(record["shape"])[rows:])
        if ours != theirs:
            raise RunError(
                f"checkpoint {checkpoint} is of another model: it has {record['name']} "
                f"{record['shape']} where the model has {variable.path} {list(variable.shape)}"
            )


def plain_path(path: str) -> str:
    """A variable's path without the numbers that Keras appends to unnamed objects.

    >>> plain_path("dropout/seed_generator_12/seed_generator_state")
    'dropout/seed_generator/seed_generator_state'
    """
    return re.sub(r"_\d+(?=[/_]|$)", "", path)
