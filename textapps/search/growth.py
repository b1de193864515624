"""How much memory the process of a search has taken since its first training."""

import os

from textapps.core.memory import resident_bytes

MOST_GROWN_BYTES = 1 << 30
LARGE_SHARE = 0.25  # of the memory of the machine


class OutgrownError(Exception):
    """The process has become so large that the search had better go on in a new one.

    study: the name of the search, to be resumed.
    """

    def __init__(self, study: str = "") -> None:
        super().__init__(study)
        self.study = study


class Growth:
    """Looks on between trainings: TensorFlow keeps some 70 MB of each."""

    def __init__(self) -> None:
        self._first = 0

    def check(self) -> None:
        """Raises OutgrownError."""
        now = resident_bytes()
        self._first = self._first or now
        machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        if now - self._first > MOST_GROWN_BYTES and now > LARGE_SHARE * machine:
            raise OutgrownError
