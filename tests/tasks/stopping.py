"""Stopping a training, and comparing what two of them have left."""

import signal

import numpy as np
from numpy.typing import NDArray

from textapps.training.checkpoint import ARRAYS, CheckpointStore
from textapps.training.progress import NoProgress
from textapps.training.run_directory import RunDirectory


class InterruptAt(NoProgress):
    """Presses Ctrl-C once."""

    def __init__(self, step: int) -> None:
        self.step = step

    def update(self, step: int, logs: object, examples: int) -> None:
        if step == self.step:
            signal.raise_signal(signal.SIGINT)


def last_arrays(run: RunDirectory) -> dict[str, NDArray]:
    """All variables at the end of training, those of the optimizer and of dropout included."""
    store = CheckpointStore(run.checkpoints)
    with np.load(store.path(store.steps()[-1]) / ARRAYS) as archive:
        return {name: archive[name] for name in archive.files}


def assert_same_bits(one: RunDirectory, two: RunDirectory) -> None:
    left, right = last_arrays(one), last_arrays(two)
    assert left.keys() == right.keys()
    for name, array in left.items():
        assert array.tobytes() == right[name].tobytes(), name
