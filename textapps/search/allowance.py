"""The time that a search has, and what must be left of it for its end."""

import time
from collections.abc import Callable

TAIL_SHARE = 0.01  # of the time, for writing results; until more is known
FEWEST_TAIL_S = 3.0


class Allowance:
    """Counts down from the moment at which the command began.

    Args:
        seconds: that the search has.
        began_at: of `clock`; seconds that an earlier process has spent are subtracted from it.
        clock: in seconds.

    Attributes:
        tail: seconds that the results need after the last training.

    >>> allowance = Allowance(100, began_at=0.0, clock=lambda: 30.0)
    >>> allowance.spent, allowance.left
    (30.0, 70.0)
    >>> allowance.tail = 10.0
    >>> allowance.trainings_end, allowance.for_trainings
    (90.0, 60.0)
    """

    def __init__(
        self,
        seconds: float,
        began_at: float | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.seconds = seconds
        self.clock = clock
        self.began_at = clock() if began_at is None else began_at
        self.tail = max(FEWEST_TAIL_S, TAIL_SHARE * seconds)

    @property
    def spent(self) -> float:
        """Seconds since the beginning."""
        return self.clock() - self.began_at

    @property
    def left(self) -> float:
        """Seconds to the end."""
        return self.seconds - self.spent

    @property
    def trainings_end(self) -> float:
        """The time of the clock at which the last validation must be done."""
        return self.began_at + self.seconds - self.tail

    @property
    def for_trainings(self) -> float:
        """Seconds until then."""
        return self.trainings_end - self.clock()


def told(seconds: float) -> str:
    """A time in words.

    >>> told(42), told(95), told(3700)
    ('42 seconds', '2 minutes', '62 minutes')
    """
    return f"{seconds:.0f} seconds" if seconds < 90 else f"{seconds / 60:.0f} minutes"
