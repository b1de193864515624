"""The end of a search: the evaluation on the test split, and the time that is kept for it."""

from textapps.core.notices import notice
from textapps.search.allowance import Allowance, told

LONGEST_SHARE = 0.3  # of the time of a search; a longer evaluation is left out
OVER_SHARE = 0.03  # of it, by which the evaluation may pass the end


class Tail:
    """Keeps time of an allowance for evaluating the preset and the result on the test split.

    Attributes:
        seconds: that are kept; 0 if the evaluation is left out.

    >>> allowance = Allowance(100, began_at=0.0, clock=lambda: 30.0)
    >>> tail, before = Tail(allowance), allowance.for_trainings
    >>> tail.measured(setup=1.0, seconds=4.0)
    >>> tail.plan(times=2.0)
    >>> tail.seconds, before - allowance.for_trainings, tail.is_possible
    (14.0, 14.0, True)
    >>> tail.leave_out()
    >>> tail.seconds, before - allowance.for_trainings, tail.is_possible
    (0.0, 0.0, False)
    """

    def __init__(self, allowance: Allowance) -> None:
        self.seconds = 0.0
        self._allowance = allowance
        self._most = LONGEST_SHARE * allowance.seconds
        self._setup, self._preset = 0.0, 0.0

    def measured(self, *, setup: float, seconds: float) -> None:
        """Notes how long it takes to load a run, and to evaluate the preset on the test split."""
        self._setup, self._preset = setup, seconds
        self.plan()
        if not self.seconds:
            notice(
                "the test split takes about %s to evaluate, so that is left out: evaluate the run "
                "afterwards",
                told(2 * (setup + seconds)),
            )

    def plan(self, times: float = 1.0) -> None:
        """Keeps the time that it takes if the result takes so many times as long as the preset."""
        seconds = 2 * self._setup + self._preset * (1 + times)
        if seconds > self._most:
            seconds = 0.0
        self._allowance.tail += seconds - self.seconds
        self.seconds = seconds

    def leave_out(self) -> None:
        """Gives the time to the trainings."""
        self._setup, self._preset = 0.0, 0.0
        self.plan()

    @property
    def is_possible(self) -> bool:
        """Whether there is time for it, or nearly."""
        left = self._allowance.left + OVER_SHARE * self._allowance.seconds
        return 0 < self.seconds <= left
