"""Turns Ctrl-C and SIGTERM into a request to save and stop."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self


class TrainingInterrupted(KeyboardInterrupt):
    """A signal stopped training after a checkpoint; the message says how to resume."""


class TrainingTerminated(TrainingInterrupted):
    """The signal was SIGTERM, as schedulers send it before they kill a process."""


class Interruption:
    """While entered, the first SIGINT or SIGTERM only sets `requested`; a second one takes effect.

    Outside the main thread, where Python allows no signal handlers, it does nothing.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.requested = self._terminated = False
        self._previous: dict[int, Any] = {}

    @property
    def kind(self) -> type[TrainingInterrupted] | None:
        """What says that a signal came; None if none did."""
        if not self.requested:
            return None
        return TrainingTerminated if self._terminated else TrainingInterrupted

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._previous = {s: signal.signal(s, self._request) for s in self.SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._restore()
        if self._terminated and isinstance(error, TrainingInterrupted):
            raise TrainingTerminated(str(error)) from None

    def _request(self, number: int, frame: FrameType | None) -> None:
        self.requested, self._terminated = True, number == signal.SIGTERM
        self._restore()

    def _restore(self) -> None:
        while self._previous:
            signal.signal(*self._previous.popitem())


class PromptInterruption(Interruption):
    """While entered, SIGINT raises KeyboardInterrupt and SIGTERM TrainingTerminated, at once.

    Python drops what is raised while an object is destroyed; `check` raises that.
    """

    def check(self) -> None:
        """Raises what a signal has raised to no effect."""
        if self.requested:
            self._raise()

    def _request(self, number: int, frame: FrameType | None) -> None:
        self.requested, self._terminated = True, number == signal.SIGTERM
        self._raise()

    def _raise(self) -> None:
        raise TrainingTerminated if self._terminated else KeyboardInterrupt

    def caught(self) -> None:
        """What was raised has had its effect."""
        self.requested = False
