"""Where a training stops before its end, if others are to have their turn or time is up."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from textapps.training.checkpoint import TrainingState


def _never(state: TrainingState) -> bool:
    return False


@dataclass(frozen=True)
class Until:
    """What stops a training besides its own configuration.

    paused: asked after each validation and its checkpoint; if true, training stops there. The run
        is not finished, and resuming it gives the same weights as without the stop.
    deadline: in seconds of time.perf_counter(). The step after it ends the interval; when that is
        validated, the run is finished, stopped by "time".
    reserve: the seconds before the deadline that the last validation needs.
    """

    paused: Callable[[TrainingState], bool] = _never
    deadline: float = math.inf
    reserve: Callable[[], float] = lambda: 0.0
