"""A parser of HTTP requests that ignores offers to upgrade the connection."""

from typing import Protocol

import httptools

_Header = tuple[bytes, bytes]
_MOST_UPGRADES = 100  # of the requests in one read, whose rest is copied for each


class Listener(Protocol):
    """What the parser tells; it has what it was told of the present request."""

    url: bytes
    headers: list[_Header]


class RequestParser:
    """As httptools.HttpRequestParser; a request with an Upgrade header is one like any other.

    curl --http2 sends such a header. httptools then takes the body for another protocol, which
    would make it the beginning of the next request. RFC 9110, section 7.8, lets a server ignore it.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._parser = self._new()

    def feed_data(self, data: bytes) -> None:
        """Parse received bytes. Raises httptools.HttpParserError."""
        upgrades = 0
        while True:
            try:
                self._parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                place: int = upgrade.args[0]
                upgrades += 1
                if self.get_method() == b"CONNECT":
                    raise httptools.HttpParserError("this is no proxy") from None
                if upgrades > _MOST_UPGRADES:
                    raise httptools.HttpParserError("too many offers to upgrade") from None
                data = self._head() + data[place:]
                self._parser = self._new()

    @property
    def in_upgrade(self) -> bool:
        """Whether the headers at hand offer an upgrade; the parser repeats them without it."""
        found: bool = self._parser.should_upgrade()
        return found

    def should_upgrade(self) -> bool:
        """Never."""
        return False

    def get_http_version(self) -> str:
        """Of the request."""
        version: str = self._parser.get_http_version()
        return version

    def get_method(self) -> bytes:
        """Of the request."""
        method: bytes = self._parser.get_method()
        return method

    def should_keep_alive(self) -> bool:
        """Whether the client wants to send another request."""
        keep: bool = self._parser.should_keep_alive()
        return keep

    def _new(self) -> httptools.HttpRequestParser:
        parser = httptools.HttpRequestParser(self._listener)
        # As uvicorn's own: what follows a request that closes the connection is not looked at.
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser

    def _head(self) -> bytes:
        """The head of the present request without the offer."""
        lines = [b"%s %s HTTP/%s" % (self.get_method(), self._listener.url, self._version())]
        for name, value in self._listener.headers:
            if name == b"connection":
                words = [word.strip() for word in value.split(b",")]
                value = b", ".join(word for word in words if word.lower() != b"upgrade")
            if name != b"upgrade":
                lines.append(b"%s: %s" % (name, value))
        return b"\r\n".join([*lines, b"", b""])

    def _version(self) -> bytes:
        return self.get_http_version().encode()
