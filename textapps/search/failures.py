"""Why a trial cannot be used, and when so many cannot that no more are begun."""

from textapps.search.allowance import told
from textapps.search.trainer import TooLargeError
from textapps.search.watch import OutOfTimeError, TooLongError

FAILURES = 20  # in a row, after which no configuration of the space seems to work
# Of a failure: the next one that is drawn is smaller, and it costs no training.
TOO_LARGE_SHARE = 0.2
REPEATED = "the same as trial"  # how the reason begins


class RepeatedError(Exception):
    """The configuration is that of an earlier trial."""

    def __init__(self, number: int) -> None:
        super().__init__(f"{REPEATED} {number}")


class Failures:
    """Counts the failures in a row.

    >>> failures = Failures()
    >>> for _ in range(FAILURES):
    ...     failures.count(RepeatedError(0))
    >>> failures.are_too_many
    True
    >>> failures.count(None)
    >>> failures.are_too_many
    False
    """

    def __init__(self) -> None:
        self._in_a_row = 0.0

    def count(self, error: Exception | None) -> None:
        """What has become of a trial, None for a success."""
        if error is None:
            self._in_a_row = 0.0
        else:
            self._in_a_row += TOO_LARGE_SHARE if isinstance(error, TooLargeError) else 1.0

    @property
    def are_too_many(self) -> bool:
        """Whether no more trials are to be begun."""
        return round(self._in_a_row, 3) >= FAILURES


def why(error: Exception) -> str:
    """Why a trial cannot be used."""
    if isinstance(error, OutOfTimeError):
        return "the time was up"
    if isinstance(error, TooLongError):
        return f"it would take {told(error.seconds)}"
    if isinstance(error, TooLargeError):
        return f"it has {error.megabytes:.2f} MB"
    return str(error)
