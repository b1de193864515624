"""HTTP requests that nobody would send, drawn at random: each begins as a good one."""

import gzip
import json
from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple

# Spellings of JSON values that Python would not write.
RAW = ("NaN", "-Infinity", "1e400", "1.8e308", "-0", "9" * 400, '"\\ud800"', '"\x7f"', "1e-400")
VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 2**31, 2**63, 2**64, 0.5, "", "a", "\0", "漢字 🎬", "x" * 3000),
    *([], [[]], [1, "a"], {}, {"b64": "AAAA"}, {"b64": "?"}, {"b64": 1}, {"a": {"b": []}}),
)
SEGMENTS = (
    *("..", "%2e%2e", "%00", "%", "%zz", "%ff", "versions", "labels", "metadata", "manifest"),
    *("9" * 30, "0", "-1", "1", "none", "", "a" * 5000, "\xe9", "?a=b", "#f", "//", "\\", " "),
)
ENDS = (":predict", ":stream", ":classify", ":regress", "/metadata", "/manifest", "", ":", ":none")
METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "get", "FOO", "")
HEADERS = (
    *("Host: localhost", "Host:", "Host: evil.example", "Host: [::1]:1", "Host: \xff"),
    *("Origin: http://evil.example", "Origin: null", "Origin: http://localhost"),
    *(
        "Content-Type: text/plain",
        "Content-Type:",
        "Content-Encoding: gzip",
        "Expect: 100-continue",
    ),
    *("Connection: close", "Connection: Upgrade\r\nUpgrade: websocket", "Upgrade: h2c"),
    *(
        "Authorization: Bearer x",
        "Authorization: Basic \xe9",
        "X-Request-ID: mine",
        "X-Request-ID: a b",
    ),
    *(
        "X-Forwarded-For: 1.2.3.4",
        "X-Forwarded-Host: evil.example",
        "Access-Control-Request-Method: X",
    ),
    *("Range: bytes=0-1", "If-None-Match: *", "Accept: nothing", "Cookie: " + "c" * 9000),
)
# These change where the request ends, or that it is one: there may be no answer.
UNFRAMED = (
    *("Content-Length: 5", "Content-Length: -1", "Content-Length: +9", "Content-Length: 1e3"),
    *("Content-Length: " + "9" * 25, "Transfer-Encoding: chunked", "Transfer-Encoding: x, chunked"),
    *("no colon", ": nameless", "Na me: x", "X-NUL: a\0b", " folded: x", "X-Long: " + "y" * 80_000),
)


class Case(NamedTuple):
    """A request, and whether it is whole: then it must be answered."""

    message: bytes
    whole: bool


class Mutations:
    """Draws cases around good requests, each a path and a JSON object."""

    def __init__(self, good: Sequence[tuple[str, dict[str, Any]]], seed: int) -> None:
        self._good = good
        self._random = Random(seed)

    def draw(self) -> Case:
        """The next case: one to three things are wrong with it, or nothing."""
        path, body = self._random.choice(self._good)
        method, headers, whole = "POST", ["Host: localhost"], True
        content = json.dumps(body).encode()
        for _ in range(self._random.randint(0, 3)):
            kind = self._random.choice(
                ("body", "body", "bytes", "path", "method", "headers", "frame")
            )
            if kind == "body":
                content = self._changed(body)
            elif kind == "bytes":
                content = self._spoiled(content)
            elif kind == "path":
                path = self._path(path)
            elif kind == "method":
                method = self._random.choice(METHODS)
                whole = whole and bool(method)
            elif kind == "headers":
                headers.append(self._random.choice(HEADERS))
            else:
                headers.append(self._random.choice(UNFRAMED))
                whole = False
        whole = whole and not set(path) & set(" \r\n")
        version = self._random.choice(["HTTP/1.1"] * 30 + ["HTTP/1.0", "HTTP/2.0", "HTTP/0.9", ""])
        headers.append(f"Content-Length: {len(content)}")
        if self._random.random() < 0.1:
            self._random.shuffle(headers)
        head = "\r\n".join([f"{method} {path} {version}", *headers, "", ""])
        return Case(head.encode("latin-1") + content, whole and version.startswith("HTTP/1"))

    def _changed(self, body: dict[str, Any]) -> bytes:
        """The object with other values in it, some of them not of JSON."""
        changed = json.dumps(self._value(body))
        if self._random.random() < 0.2:
            changed = changed.replace("null", self._random.choice(RAW))
        if self._random.random() < 0.1:
            changed = changed[:-1] + "," + changed[1:]  # duplicate keys
        return changed.encode(errors="surrogatepass")

    def _value(self, value: Any) -> Any:
        choice = self._random.random()
        if choice < 0.12:
            return self._random.choice(VALUES)
        if choice < 0.16:
            return [value] * self._random.randint(0, 40)
        if isinstance(value, dict):
            kept = {k: self._value(v) for k, v in value.items() if self._random.random() > 0.05}
            if self._random.random() < 0.05:
                kept[self._random.choice(("inputs", "instances", "examples", "a", ""))] = value
            return kept
        if isinstance(value, list):
            return [self._value(item) for item in value]
        return value

    def _spoiled(self, content: bytes) -> bytes:
        place = self._random.randint(0, len(content))
        kind = self._random.randint(0, 4)
        if kind == 0:
            return content[:place]
        if kind == 1:
            return content[:place] + self._random.randbytes(3) + content[place:]
        if kind == 2:
            piece = self._random.choice([b"[", b"{", b'{"a":', b'["', b"\\", b"1", b"[1,", b"\xff"])
            return piece * self._random.choice([1, 40, 4000, 50_000])
        if kind == 3:
            return gzip.compress(content, 1)
        return content[:place] + content[place + 1 :]

    def _path(self, path: str) -> str:
        kind = self._random.randint(0, 3)
        if kind == 0:
            return path.partition(":")[0] + self._random.choice(ENDS)
        if kind == 1:
            return f"/v1/models/{self._random.choice(SEGMENTS)}{self._random.choice(ENDS)}"
        parts = path.split("/")
        place = self._random.randint(1, len(parts))
        return "/".join([*parts[:place], self._random.choice(SEGMENTS), *parts[place:]])
