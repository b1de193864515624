"""Looks on while one training of a search goes on: measures it, and stops it when it must be."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from textapps.training.pace import VALIDATION_SHARE, Extent

SURE_STEPS = 12  # after which a training is stopped because it would take too long
MARGIN = 1.2  # of the estimate of that


class OutOfTimeError(Exception):
    """The time of a session is up; the training is as at its last checkpoint."""


class TooLongError(Exception):
    """The training would take too long; `seconds` is the estimate for all of it."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass
class Watch:
    """Implements `textapps.training.progress.Progress`.

    ends_at: in seconds of the clock; a step after it raises OutOfTimeError.
    longest: a training that would take more seconds from beginning to end raises TooLongError.
    tick: called after every step.
    known_validation: seconds of a validation, as an earlier session has measured them.
    began_at: when the session began, before the data were read.
    """

    ends_at: float = math.inf
    longest: float = math.inf
    tick: Callable[[], None] = lambda: None
    clock: Callable[[], float] = time.perf_counter
    known_validation: float = 0.0

    def __post_init__(self) -> None:
        self.began_at = self._last = self.clock()
        self.extent: Extent | None = None
        self.setup_seconds = 0.0
        self.step = 0
        self._steps, self._step_seconds = 0, 0.0
        self._validations, self._validation_seconds = 0, 0.0

    @property
    def share(self) -> float:
        """How much of the training is done, of 1."""
        return self.step / self.extent.total_steps if self.extent else 0.0

    @property
    def per_step(self) -> float:
        """Seconds of a step, those of the first ones left out, which trace the graph."""
        return self._step_seconds / self._steps if self._steps else 0.0

    @property
    def validation_seconds(self) -> float:
        """Seconds of a validation and its checkpoint."""
        return self._validation_seconds / self._validations if self._validations else 0.0

    @property
    def next_validation(self) -> float:
        """The estimate for a validation and its checkpoint, in seconds."""
        known = self.validation_seconds or self.known_validation
        if known or self.extent is None:
            return known
        return self.extent.validation_steps * self.per_step * VALIDATION_SHARE

    @property
    def whole_seconds(self) -> float:
        """The estimate for the training from beginning to end."""
        if self.extent is None:
            return 0.0
        steps = float(self.extent.total_steps)
        if self.extent.max_seconds is not None:
            steps = min(steps, self.extent.max_seconds / max(self.per_step, 1e-9))
        validations = math.ceil(steps / self.extent.interval)
        return self.setup_seconds + steps * self.per_step + validations * self.next_validation

    def start(self, extent: Extent) -> None:
        """Training begins."""
        self.extent = extent
        self._last = self.clock()

    def update(self, step: int, logs: Mapping[str, float], examples: int) -> None:
        """Measures a step; raises OutOfTimeError and TooLongError."""
        assert self.extent is not None
        now, self.step = self.clock(), step
        done = step - self.extent.resumed_at
        if done <= 2:  # it is traced in the first
            self.setup_seconds = now - self.began_at
        else:
            self._steps += 1
            self._step_seconds += now - self._last
        self._last = now
        self.tick()
        if now >= self.ends_at:
            raise OutOfTimeError
        # A training of few steps may have used up its time before.
        sure = done == min(SURE_STEPS, self.extent.total_steps)
        sure |= 2 < done < SURE_STEPS and now - self.began_at >= self.longest
        if sure and self.whole_seconds > MARGIN * self.longest:
            raise TooLongError(self.whole_seconds)

    def epoch_end(self, row: Mapping[str, float]) -> None:
        """Measures a validation."""
        now = self.clock()
        self._validations += 1
        self._validation_seconds += now - self._last
        self._last = now

    def message(self, text: str) -> None:
        """Nothing."""

    def finish(self) -> None:
        """Nothing."""
