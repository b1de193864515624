"""Which requests are allowed: by host name, by origin and by token.

A page of another site can make a browser send requests. Without CORS headers it cannot read the
answers, unless its site points its own host name at this machine (DNS rebinding): then the browser
takes the answers for those of the site itself.
"""

import hmac
from collections.abc import Iterable
from ipaddress import ip_address

from textapps.serving.exchange import CLOSE, Refusal, Scope, header
from textapps.serving.settings import Settings

_OPEN = ("/health/", "/page/")  # and / itself: a browser cannot send a token for these
Headers = list[tuple[bytes, bytes]]

_PREFLIGHT: Headers = [
    (b"access-control-allow-methods", b"GET, POST"),
    (
        b"access-control-allow-headers",
        b"authorization, content-encoding, content-type, x-request-id",
    ),
    (b"access-control-max-age", b"600"),
]


class Gate:
    """Checks the head of a request."""

    def __init__(self, settings: Settings) -> None:
        token = settings.token
        self._expected = None if token is None else f"Bearer {token}".encode()
        self._hosts = frozenset(map(str.lower, settings.allowed_host))
        self._checks_host = "*" not in self._hosts and (
            bool(self._hosts) or is_loopback(settings.host)
        )
        self._origins = frozenset(origin.lower().rstrip("/") for origin in settings.cors_origin)
        self._proxy_headers = settings.proxy_headers

    def check(self, scope: Scope) -> None:
        """Raises Refusal if the request is not allowed."""
        host = self._host(scope)
        self._check_host(host)
        self._check_origin(scope, host)
        path = scope["path"]
        if path == "/" or path.startswith(_OPEN) or self._is_preflight(scope):
            return
        if not self.has_token(scope):
            raise Refusal(401, "a bearer token is needed", {"www-authenticate": "Bearer"})

    def has_token(self, scope: Scope) -> bool:
        """Whether a request brings the token, if one is needed."""
        given = header(scope, b"authorization") or b""
        return self._expected is None or hmac.compare_digest(given, self._expected)

    def preflight(self, scope: Scope) -> Headers | None:
        """The headers of the answer to a CORS preflight request; None for any other request."""
        return list(_PREFLIGHT) if self._is_preflight(scope) else None

    def cors_headers(self, scope: Scope) -> Headers:
        """The headers that allow the page that sent the request to read the answer."""
        origin = header(scope, b"origin")
        if not self._origins:
            return []
        vary = [(b"vary", b"Origin")]
        if origin is None or not self._allows(origin):
            return vary
        return [
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", b"retry-after, x-request-id, server-timing"),
            *vary,
        ]

    def client(self, scope: Scope) -> str | None:
        """The address of the client; behind a proxy, the one that the proxy reports."""
        if self._proxy_headers:
            forwarded = b",".join(_all(scope, b"x-forwarded-for")).decode("latin-1")
            last = forwarded.rpartition(",")[2].strip()
            if is_address(last):
                return last
        client = scope.get("client")
        return client[0] if client else None

    def _host(self, scope: Scope) -> str:
        hosts = _all(scope, b"host")
        if len(hosts) > 1 or (not hosts and scope.get("http_version") == "1.1"):
            raise Refusal(400, f"the request has {len(hosts) or 'no'} Host headers", CLOSE)
        forwarded = header(scope, b"x-forwarded-host") if self._proxy_headers else None
        host = forwarded or (hosts[0] if hosts else b"")
        return host.decode("latin-1").strip().lower()

    def _check_host(self, host: str) -> None:
        name = _without_port(host)
        if self._checks_host and host and name not in self._hosts and not is_loopback(name):
            raise Refusal(
                403,
                f"the host name '{name[:200]}' is not allowed: use localhost, or allow the name by "
                "--allowed-host",
            )

    def _check_origin(self, scope: Scope, host: str) -> None:
        origin = header(scope, b"origin")
        if origin is None or self._allows(origin):
            return
        site = origin.decode("latin-1").lower().partition("://")[2]
        if not host or site != host:
            raise Refusal(
                403, "requests from pages of other sites are not allowed: see --cors-origin"
            )

    def _allows(self, origin: bytes) -> bool:
        return "*" in self._origins or origin.decode("latin-1").lower() in self._origins

    def _is_preflight(self, scope: Scope) -> bool:
        origin = header(scope, b"origin")
        return (
            scope["method"] == "OPTIONS"
            and origin is not None
            and self._allows(origin)
            and header(scope, b"access-control-request-method") is not None
        )


def is_loopback(host: str) -> bool:
    """Whether a name or an address is one of the local machine.

    >>> [is_loopback(name) for name in ("localhost", "127.0.0.3", "[::1]", "x.localhost")]
    [True, True, True, True]
    >>> [is_loopback(name) for name in ("localhost.example.org", "10.0.0.1", "127.0.0.1.nip.io")]
    [False, False, False]
    """
    name = host.strip("[]").rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    return is_address(name) and ip_address(name).is_loopback


def is_address(text: str) -> bool:
    """Whether a text is an IP address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _without_port(host: str) -> str:
    """
    >>> _without_port("a.b:80"), _without_port("[::1]:80"), _without_port("[::1]")
    ('a.b', '[::1]', '[::1]')
    """
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


def _all(scope: Scope, name: bytes) -> list[bytes]:
    found: Iterable[bytes] = (value for key, value in scope["headers"] if key == name)
    return list(found)
