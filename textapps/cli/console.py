"""Talk and progress on stderr; answers go to stdout by click.echo or `answers()`."""

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from textapps.core.notices import NOTICE
from textapps.training.pace import Extent, Pace

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar

LOGGER = logging.getLogger("textapps")
SECONDS_BETWEEN_LINES = 10.0  # where stderr is a file or a pipe
SECONDS_BETWEEN_DRAWINGS = 0.2


def answers() -> "Console":
    """The console of stdout, for tables; into a file or a pipe each row is one line."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 10_000, highlight=False)


def set_up_logging(level: int = NOTICE) -> None:
    """Sends the library's log to stderr as `warning: …`, and silences all others."""
    LOGGER.handlers = [_StderrHandler()]
    LOGGER.propagate = False
    LOGGER.setLevel(level)
    if not debugging():
        for name in ("tensorflow", "absl"):
            logging.getLogger(name).setLevel(logging.ERROR)


def is_quiet() -> bool:
    """Whether --quiet was given."""
    return LOGGER.level > logging.WARNING


def is_verbose() -> bool:
    """Whether --verbose was given."""
    return LOGGER.level <= logging.INFO


def debugging() -> bool:
    """Whether --debug or TEXTAPPS_DEBUG asks for tracebacks and everyone's log."""
    return bool(os.environ.get("TEXTAPPS_DEBUG"))


def say(text: str) -> None:
    """A line of talk on stderr, unless --quiet; that nobody reads it any more stops nothing."""
    if not is_quiet():
        with suppress(BrokenPipeError):
            print(text, file=sys.stderr, flush=True)


class _StderrHandler(logging.Handler):
    """Writes to the current sys.stderr, which a live progress bar replaces."""

    def emit(self, record: logging.LogRecord) -> None:
        prefix = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        # As with logging's own handlers, a line that cannot be written stops nobody.
        with suppress(OSError, ValueError):
            print(prefix + self.format(record), file=sys.stderr, flush=True)


class TrainingProgress:
    """Shows how training goes: a bar on a terminal, else a line every 10 s, and a line an interval.

    Implements `textapps.training.progress.Progress`. With --quiet it says nothing. `unit` is what
    the task counts as examples.
    """

    def __init__(self, unit: str = "examples", clock: Callable[[], float] = time.monotonic) -> None:
        self._unit = unit
        self._clock = clock
        self._bar: Bar | None = None

    def start(self, extent: Extent) -> None:
        """Training begins."""
        self._extent = extent
        self._started = self._shown = self._clock()
        self._pace = Pace(extent, self._started)
        if is_quiet() or not sys.stderr.isatty():
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._bar = Progress(
            TextColumn("pass {task.fields[pass_number]}"),
            BarColumn(bar_width=None),
            TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
            TextColumn("{task.fields[figures]}"),
            console=Console(stderr=True, highlight=False),
            refresh_per_second=1 / SECONDS_BETWEEN_DRAWINGS,
            transient=True,
            expand=True,
        )
        total, done = extent.total_steps, extent.resumed_at
        self._bar.add_task("", total=total, completed=done, pass_number=1, figures="")
        self._bar.start()

    def update(self, step: int, logs: Mapping[str, float], examples: int) -> None:
        """Shows the step, if the last drawing or line was long enough ago."""
        pause = SECONDS_BETWEEN_DRAWINGS if self._bar else SECONDS_BETWEEN_LINES
        now = self._clock()
        self._pace.step(step, now)
        if now - self._shown < pause:
            return
        self._shown = now
        figures = self._figures(logs, examples, now - self._started)
        if self._bar:
            pass_number = -(-step // self._extent.steps_per_pass)
            self._bar.update(
                self._bar.task_ids[0], completed=step, pass_number=pass_number, figures=figures
            )
        else:
            say(f"step {step:,}/{self._extent.total_steps:,}  {figures}")

    def epoch_end(self, row: Mapping[str, float]) -> None:
        """A line of the interval's figures, which stays above the bar."""
        self._pace.validated(self._clock())
        self.message("  ".join(f"{name} {_figure(value)}" for name, value in row.items()))

    def message(self, text: str) -> None:
        """A sentence for the user, above the bar."""
        if self._bar:
            self._bar.console.print(text, markup=False)
        else:
            say(text)

    def finish(self) -> None:
        """Takes the bar away; harmless when there is none."""
        if self._bar:
            self._bar.stop()
            self._bar = None

    def _figures(self, logs: Mapping[str, float], examples: int, seconds: float) -> str:
        figures = [f"{name} {_figure(value)}" for name, value in logs.items()]
        if seconds > 0:
            figures.append(f"{examples / seconds:,.0f} {self._unit}/s")
        if (left := self._pace.left()) is not None:
            figures.append(f"{_duration(round(left))} left")
        return "  ".join(figures)


def _figure(value: float) -> str:
    """
    >>> _figure(12), _figure(3.0), _figure(0.123456), _figure(0.00001234), _figure("x")
    ('12', '3', '0.1235', '1.234e-05', 'x')
    """
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _duration(seconds: int) -> str:
    """
    >>> _duration(65), _duration(3671)
    ('1:05', '1:01:11')
    """
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
