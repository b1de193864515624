"""The progress line of a search on stderr."""

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from textapps.cli.console import is_quiet
from textapps.core.counted import counted

if TYPE_CHECKING:
    from textapps.search.progress import Status

SECONDS_BETWEEN_LINES = 10.0  # where stderr is a file or a pipe
SECONDS_BETWEEN_DRAWINGS = 0.5


class SearchProgress:
    """One line that is drawn again and again on a terminal; elsewhere a line every ten seconds.

    Implements `textapps.search.progress.Progress`. With --quiet it says nothing; that is asked
    once, because the search mutes what its trainings say.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._quiet = is_quiet()
        self._shown: float | None = None
        self._drawn = 0

    def show(self, status: "Status") -> None:
        """Shows the status, if the last time was long enough ago."""
        terminal = sys.stderr.isatty()
        pause = SECONDS_BETWEEN_DRAWINGS if terminal else SECONDS_BETWEEN_LINES
        now = self._clock()
        if self._quiet or (self._shown is not None and now - self._shown < pause):
            return
        self._shown = now
        line = told(status)
        if terminal:
            sys.stderr.write("\r" + line.ljust(self._drawn))
            sys.stderr.flush()
            self._drawn = len(line)
        else:
            print(line, file=sys.stderr, flush=True)

    def finish(self) -> None:
        """Ends the line."""
        if self._drawn:
            sys.stderr.write("\r" + " " * self._drawn + "\r")
            sys.stderr.flush()
            self._drawn = 0


def told(status: "Status") -> str:
    """The line.

    >>> from textapps.search.progress import Status
    >>> told(Status(12, 3, "accuracy", 0.87312, 7, 754.0, "trial 11, 30 %"))
    '12 trials, 3 to their end  best accuracy 0.8731 (trial 7)  trains trial 11, 30 %  12:34 left'
    >>> told(Status(seconds_left=60.0, doing="the preset"))
    'trains the preset  1:00 left'
    """
    parts = []
    if status.trials:
        parts.append(f"{counted(status.trials, 'trial')}, {status.ended} to their end")
    if status.best is not None:
        name = status.monitor.replace("_", " ")
        parts.append(f"best {name} {status.best:.4f} (trial {status.best_trial})")
    if status.doing:
        parts.append(f"trains {status.doing}")
    minutes, seconds = divmod(round(status.seconds_left), 60)
    parts.append(f"{minutes}:{seconds:02} left")
    return "  ".join(parts)
