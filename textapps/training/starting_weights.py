"""Weights of a trained model as the first weights of another one."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textapps.training.run_directory import RunDirectory
from textapps.training.weights import is_carried, plain_path, read_trained, trained_records

Key = tuple[str, int]
_RANDOM_STATE = "seed_generator_state"


@dataclass
class Inherited:
    """What became of each weight, by name: the count of numbers in it.

    reused: has the value of the other model.
    grown: has it in part; the rows of new tokens are the mean of the others.
    new: starts as in a training from nothing.
    left_out: the other model has it, this one has no place for it.
    """

    step: int
    reused: dict[str, int] = field(default_factory=dict)
    grown: dict[str, int] = field(default_factory=dict)
    new: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)

    @property
    def names(self) -> dict[str, list[str]]:
        """The names of the weights, by what became of them."""
        return {kind: list(weights) for kind, weights in self._kinds.items()}

    def __str__(self) -> str:
        found = ((kind.replace("_", " "), weights) for kind, weights in self._kinds.items())
        return "; ".join(_summary(kind, weights) for kind, weights in found if weights)

    @property
    def _kinds(self) -> dict[str, dict[str, int]]:
        kinds = ("reused", "grown", "new", "left_out")
        return {kind: getattr(self, kind) for kind in kinds}


def inherit(
    model: Any,
    run: RunDirectory,
    *,
    grown: Mapping[int, int] | None = None,
    fresh: Callable[[str], bool] = lambda layer: False,
) -> Inherited:
    """Sets the weights of a built model to those of a run that have their name and shape.

    States of random generators and of streams are not taken.

    Args:
        grown: by the size of a vocabulary of the run, that of the model. An axis of this size may
            have grown; what is new along it starts at the mean of the rest.
        fresh: whether the weights of the layer of this name start anew in any case.

    Raises:
        RunError: the run has no checkpoint, or a damaged one.
    """
    checkpoint, records = trained_records(run)
    records = [record for record in records if _is_learned(record["name"])]
    names = _numbered(record["name"] for record in records)
    known = dict(zip(names, records, strict=True))
    variables = [variable for variable in model.variables if _is_learned(variable.path)]
    found = Inherited(checkpoint.step)
    taken = []
    for key, variable in zip(_numbered(v.path for v in variables), variables, strict=True):
        record = None if fresh(_layer(variable.path)) else known.get(key)
        axis = None if record is None else _axis(record["shape"], variable.shape, grown or {})
        if record is None or axis is None:
            found.new[variable.path] = _size(variable.shape)
            continue
        (found.reused if axis < 0 else found.grown)[variable.path] = _size(variable.shape)
        taken.append((variable, record, axis))
        del known[key]
    found.left_out = {record["name"]: _size(record["shape"]) for record in known.values()}
    arrays = read_trained(checkpoint, [record for _, record, _ in taken])
    for (variable, _, axis), array in zip(taken, arrays, strict=True):
        variable.assign(array if axis < 0 else _extended(array, axis, variable.shape[axis]))
    return found


def _is_learned(path: str) -> bool:
    return not is_carried(path) and not path.endswith(_RANDOM_STATE)


def _numbered(paths: Iterable[str]) -> Iterator[Key]:
    """The path of each variable without Keras's numbers, and how many before have the same."""
    seen: Counter[str] = Counter()
    for path in map(plain_path, paths):
        yield path, seen[path]
        seen[path] += 1


def _axis(old: list[int], new: tuple[int, ...], grown: Mapping[int, int]) -> int | None:
    """The axis that grows from the old shape to the new; -1 for none, None if they do not fit."""
    if tuple(old) == tuple(new):
        return -1
    if len(old) != len(new):
        return None
    differing = [axis for axis, (was, is_) in enumerate(zip(old, new, strict=True)) if was != is_]
    (axis,) = differing if len(differing) == 1 else (None,)
    return axis if axis is not None and grown.get(old[axis]) == new[axis] else None


def _extended(array: NDArray[Any], axis: int, size: int) -> NDArray[Any]:
    missing = [size - array.shape[axis] if i == axis else n for i, n in enumerate(array.shape)]
    mean = np.broadcast_to(array.mean(axis=axis, keepdims=True), missing)
    return np.concatenate([array, mean.astype(array.dtype)], axis=axis)


def _size(shape: Iterable[int]) -> int:
    return int(np.prod(tuple(shape), dtype=np.int64))


def _summary(name: str, weights: Mapping[str, int]) -> str:
    """
    >>> _summary("new", {"sentiment/head/kernel": 12, "sentiment/head/bias": 3})
    '15 weights new (head)'
    """
    layers = ", ".join(dict.fromkeys(map(_layer, weights)))
    return f"{sum(weights.values()):,} weights {name} ({layers})"


def _layer(path: str) -> str:
    """The layer of the model that a variable belongs to.

    >>> _layer("sentiment/head/kernel")
    'head'
    """
    return path.split("/")[min(1, path.count("/"))]
