"""A limit on the memory of the bodies and answers that are large, all together."""

from textapps.serving.errors import QueueFull

_FREE_BYTES = 64 * 1024  # of each request: small ones always have room


class Held:
    """Counts the bytes of bodies and answers of all requests that are in progress.

    Clients that send or read slowly could otherwise fill the memory.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0

    def add(self, count: int) -> None:
        """Count more bytes. Raises QueueFull if they are too many."""
        if count > 0 and self._bytes + count > self._most_bytes:
            raise QueueFull("other large requests take up the memory: try again later")
        self._bytes += count


class Share:
    """What one request holds."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self._bytes = self._counted = 0

    def add(self, count: int) -> None:
        """Count more bytes of the body or the answer. Raises QueueFull as `Held.add`."""
        more = max(0, self._bytes + count - _FREE_BYTES) - self._counted
        self._held.add(more)
        self._bytes += count
        self._counted += more

    def release(self) -> None:
        """The request is over."""
        self._held.add(-self._counted)
        self._counted = 0
