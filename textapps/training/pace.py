"""How long a training will still take."""

import math
from typing import NamedTuple

# The first steps trace graphs. An estimate from fewer than a few others would jump.
SKIPPED, FEWEST = 2, 3
# Of a step, until a validation has been measured: a step also goes backward, which takes about
# twice as long as forward.
VALIDATION_SHARE = 1 / 3


class Extent(NamedTuple):
    """What a training has to do.

    total_steps: the steps of the whole run
    resumed_at: the step at which it starts
    steps_per_pass: the steps of one pass over the data
    interval: the steps between two validations
    validation_steps: the batches of a validation
    seconds: spent in steps before
    max_seconds: training stops after so many seconds in steps; None: never
    """

    total_steps: int
    resumed_at: int
    steps_per_pass: int
    interval: int
    validation_steps: int
    seconds: float = 0.0
    max_seconds: float | None = None


class Pace:
    """Measures steps and validations, and estimates the time left from their means.

    Args:
        extent: what there is to do.
        now: the time in seconds at which it begins, as in all methods.

    >>> pace = Pace(Extent(20, 0, 10, 10, 6), now=0.0)
    >>> pace.step(1, 60.0), pace.left()
    (None, None)
    >>> for step in range(2, 11):
    ...     pace.step(step, 60.0 + step)
    >>> pace.left()  # 10 steps of 1 s, and two validations of 6 steps forward
    14.0
    """

    def __init__(self, extent: Extent, now: float) -> None:
        self._extent = extent
        self._step = extent.resumed_at
        self._last = now
        self._spent = extent.seconds
        self._steps, self._step_seconds = 0, 0.0
        self._validations, self._validation_seconds = 0, 0.0

    def step(self, step: int, now: float) -> None:
        """A step was done."""
        self._step = step
        self._spent += now - self._last
        if step - self._extent.resumed_at > SKIPPED:
            self._steps += 1
            self._step_seconds += now - self._last
        self._last = now

    def validated(self, now: float) -> None:
        """A validation was done, and its checkpoint written."""
        self._validations += 1
        self._validation_seconds += now - self._last
        self._last = now

    def left(self) -> float | None:
        """Seconds from the last step to the end, validations included; None if not known yet.

        That is the end of the last pass, or of `max_seconds` if it comes first.
        """
        if self._steps < FEWEST:
            return None
        extent = self._extent
        per_step = self._step_seconds / self._steps
        last = extent.total_steps
        seconds = (last - self._step) * per_step
        if extent.max_seconds is not None:
            in_time = max(0.0, extent.max_seconds - self._spent)
            if in_time < seconds:
                seconds = in_time
                last = self._step + math.ceil(in_time / per_step)
        # The steps that end an interval; that of this step is not validated yet.
        validations = -(-last // extent.interval) - (self._step - 1) // extent.interval
        return seconds + validations * self._per_validation(per_step)

    def _per_validation(self, per_step: float) -> float:
        if self._validations:
            return self._validation_seconds / self._validations
        return self._extent.validation_steps * per_step * VALIDATION_SHARE
