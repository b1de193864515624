"""The progress reports of `fit`."""

from collections.abc import Mapping
from typing import Protocol

from textapps.training.pace import Extent


class Progress(Protocol):
    """Receives the progress of a run; the command line displays it, a test records it."""

    def start(self, extent: Extent) -> None:
        """Training starts."""

    def update(self, step: int, logs: Mapping[str, float], examples: int) -> None:
        """`step` steps are done; `logs` are means over the interval, `examples` this session's.

        It is called after every step, so it must return quickly.
        """

    def epoch_end(self, row: Mapping[str, float]) -> None:
        """An interval is done; `row` is its row of history.csv."""

    def message(self, text: str) -> None:
        """A message for the user."""

    def finish(self) -> None:
        """Training has ended, successfully or not."""


class NoProgress:
    """Ignores all progress."""

    def start(self, extent: Extent) -> None:
        """Nothing."""

    def update(self, step: int, logs: Mapping[str, float], examples: int) -> None:
        """Nothing."""

    def epoch_end(self, row: Mapping[str, float]) -> None:
        """Nothing."""

    def message(self, text: str) -> None:
        """Nothing."""

    def finish(self) -> None:
        """Nothing."""
