"""What happens in a recording."""

from typing import NamedTuple


class Event(NamedTuple):
    """A word that is said, and when."""

    label: str
    start_ms: float
    end_ms: float
