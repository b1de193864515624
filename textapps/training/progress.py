"""What `fit` tells whoever watches."""

from collections.abc import Mapping
from typing import Protocol


class Progress(Protocol):
    """Receiver of a run's progress; the command line draws it, a test records it."""

    def start(self, total_steps: int, resumed_at: int, steps_per_pass: int) -> None:
        """Training begins at step `resumed_at` of `total_steps`."""

    def update(self, step: int, logs: Mapping[str, float], examples: int) -> None:
        """`step` steps are done; `logs` are means over the interval, `examples` of this session.

        Called after every step, so it must return at once.
        """

    def epoch_end(self, row: Mapping[str, float]) -> None:
        """An interval is done; `row` is its line of history.csv."""

    def message(self, text: str) -> None:
        """A sentence for the user."""

    def finish(self) -> None:
        """Training has ended, well or not."""


class NoProgress:
    """Keeps everything to itself."""

    def start(self, total_steps: int, resumed_at: int, steps_per_pass: int) -> None:
        """Nothing."""

    def update(self, step: int, logs: Mapping[str, float], examples: int) -> None:
        """Nothing."""

    def epoch_end(self, row: Mapping[str, float]) -> None:
        """Nothing."""

    def message(self, text: str) -> None:
        """Nothing."""

    def finish(self) -> None:
        """Nothing."""
