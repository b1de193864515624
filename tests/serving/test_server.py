"""Tests of a real server: raw sockets, signals, how it ends."""

import json
import re
import resource
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.serving import models
from tests.serving.asking import Built
from tests.serving.process import PATIENCE_SECONDS, ServerProcess
from textapps.serving import server as server_module

LIMIT = 20_000
POST = b"POST /v1/models/lengths:predict HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture(scope="module")
def server(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    directory = tmp_path_factory.mktemp("served") / "models"
    models.copy(built("lengths"), directory / "lengths" / "1")
    models.copy(built("generator"), directory / "writer" / "3")
    models.copy(built("zeros"), directory / "zeros" / "1")
    options = ("--max-body-mb", str(LIMIT / 2**20), "--write-timeout", "1")
    with ServerProcess(directory, *options) as server:
        yield server


def post(path: str, body: bytes, *headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def status_of(answer: bytes) -> int:
    assert answer.startswith(b"HTTP/1.1 "), answer[:100]
    return int(answer[9:12])


def test_it_says_where_it_listens_and_what_it_serves(server: ServerProcess) -> None:
    first, *rest = server.log.splitlines()
    assert first == f"listening on {server.url}"
    assert "ready, serving lengths 1, writer 3, zeros 1" in rest
    assert all(json.loads(line)["status"] for line in rest if line.startswith("{"))


def test_as_many_connections_as_the_system_allows() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, hard - 1), hard))
    server_module._raise_file_limit()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_several_requests_on_a_connection(server: ServerProcess) -> None:
    good = post("/v1/models/lengths:predict", b'{"instances": ["ab"]}')
    bad = post("/v1/models/lengths:predict", b'{"instances": [')
    last = post("/v1/models/lengths:predict", b'{"instances": ["abc"]}', "Connection: close")
    answer = server.send(good + bad + last)
    assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [b"200", b"400", b"200"]
    assert answer.count(b'{"predictions":[2]}') == 1
    assert answer.endswith(b'{"predictions":[3]}')
    assert b"server:" not in answer.lower()


@pytest.mark.parametrize(
    "target",
    [
        "/../../../../../../etc/passwd",
        "//etc/passwd",
        "/page/../../../../../../etc/passwd",
        "/page/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/page/..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/page/..%5c..%5c..%5cetc%5cpasswd",
        "/page/..\\..\\..\\etc\\passwd",
        "/page//etc/passwd",
        "/page/%00/etc/passwd",
        "/page/....//....//etc/passwd",
        "/page/../app.py",
        "/v1/models/../../../../etc/passwd",
        "/v1/models/..%2f..%2f..%2fetc%2fpasswd",
        "/v1/models/lengths/versions/1/../../../../etc/passwd",
        "/v1/models/lengths%2f1/metadata",
        "/v1/models/%2e%2e/manifest",
        "/v1/models/lengths/versions/1%2f..%2f1/manifest",
        "/v1/models/%00/manifest",
        "/v1/models/lengths%00/manifest",
        "http://elsewhere/page/../app.py",
        "file:///etc/passwd",
        "*",
        "/\xff\xfe",
        "/" + "a" * 60_000,
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_path_leads_out(server: ServerProcess, method: str, target: str) -> None:
    request = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answer = server.send(request.encode("latin-1"))
    assert 400 <= status_of(answer) < 500
    assert b"root:" not in answer
    assert b"import" not in answer


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\r\n\r\n\r\n\r\nnonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nbroken\r\n\r\n",
        POST + b"Content-Length: -1\r\n\r\n",
        POST + b"Content-Length: 1_0\r\n\r\n",
        POST + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"a" * 3_000_000 + b"\r\n\r\n",
    ],
    ids=range(10),
)
def test_what_is_no_http_is_refused(server: ServerProcess, request_bytes: bytes) -> None:
    answer = server.send(request_bytes)
    if answer:  # what comes after its end may have closed the connection before it was read
        assert status_of(answer) == 400
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b"content-type: application/json" in head
        assert list(json.loads(body)) == ["error"]
        identity = re.search(rb"x-request-id: (\w+)", head)
        assert identity is not None
        (line,) = [line for line in server.log.splitlines() if identity[1].decode() in line]
        assert json.loads(line)["status"] == 400
        assert json.loads(line)["client"] == "127.0.0.1"
    good = post("/v1/models/lengths:predict", b'{"instances": ["ab"]}', "Connection: close")
    assert status_of(server.send(good)) == 200


def test_bodies_that_are_too_large(server: ServerProcess) -> None:
    head = "POST /v1/models/lengths:predict HTTP/1.1\r\nHost: localhost\r\n"
    piece = b"%x\r\n" % 1000 + b"a" * 1000 + b"\r\n"
    chunked = head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + piece * 30 + b"0\r\n\r\n"
    expecting = post("/v1/models/lengths:predict", b"", "Expect: 100-continue")
    expecting = expecting.replace(b"Content-Length: 0", b"Content-Length: %d" % (LIMIT + 1))
    for request in (post("/v1/models/lengths:predict", b"a" * (LIMIT + 1)), chunked, expecting):
        answer = server.send(request)
        assert status_of(answer) == 413
        assert b'{"error": "the body has more than 20,000 bytes"}' in answer
        assert b"connection: close" in answer.lower()


@pytest.mark.parametrize(
    "upgrade",
    [
        ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoA"),
        ("Upgrade: websocket", "Connection: keep-alive, upgrade"),
        ("Connection: Upgrade", "Upgrade: h2c", "Upgrade: websocket", "Expect: 100-continue"),
    ],
)
@pytest.mark.parametrize("size", [3, 15_000])
@pytest.mark.parametrize("piece", [None, 700])
def test_an_offer_to_upgrade_is_ignored(
    server: ServerProcess, upgrade: tuple[str, ...], size: int, piece: int | None
) -> None:
    body = json.dumps({"instances": ["a" * size]}).encode()
    first = post("/v1/models/lengths:predict", body, *upgrade)
    hidden = b"GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"  # in a body it is no request
    second = post("/v1/models/lengths:predict", hidden, *upgrade)
    last = post("/v1/models/lengths:predict", b'{"instances": ["ab"]}', "Connection: close")
    answer = server.send(first + second + last, piece)
    statuses = re.findall(rb"HTTP/1\.1 (?!100)(\d+)", answer)
    assert statuses == [b"200", b"400", b"200"]
    assert b'{"predictions":[%d]}' % size in answer
    assert answer.endswith(b'{"predictions":[2]}')
    assert b"hidden" not in answer


def test_an_upgrade_of_a_connection_that_is_to_be_closed(server: ServerProcess) -> None:
    lines = "GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close, Upgrade\r\n"
    answer = server.send(f"{lines}Upgrade: websocket\r\n\r\n".encode())
    assert status_of(answer) == 200
    assert b"connection: close" in answer


def test_many_offers_to_upgrade_at_once(server: ServerProcess) -> None:
    lines = ("GET /health/live HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: h2c")
    one = "\r\n".join([*lines, "", ""]).encode()
    server.send(one * 3_000)
    last = post("/v1/models/lengths:predict", b'{"instances": ["ab"]}', "Connection: close")
    assert status_of(server.send(one * 20 + last)) == 200
    assert "Traceback" not in server.log


@pytest.mark.parametrize("trailer", [b"x: y\r\n" * 30_000, b"x: " + b"y" * 200_000], ids=len)
def test_trailers_that_do_not_end(server: ServerProcess, trailer: bytes) -> None:
    head = "POST /v1/models/lengths:predict HTTP/1.1\r\nHost: localhost\r\n"
    body = b'{"instances": ["ab"]}'
    chunks = b"%x\r\n" % len(body) + body + b"\r\n0\r\n"
    begin = f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunks
    answer = server.send(begin + trailer, 20_000)
    if answer:  # what comes after its end may have closed the connection before it was read
        assert b"Request trailers are too large." in answer
    few = server.send(
        begin.replace(b"localhost", b"localhost\r\nConnection: close") + b"x: y\r\n\r\n"
    )
    assert few.endswith(b'{"predictions":[2]}')


def test_what_follows_a_request_that_closes_the_connection_is_not_looked_at(
    server: ServerProcess,
) -> None:
    good = post("/v1/models/lengths:predict", b'{"instances": ["ab"]}', "Connection: close")
    assert server.send(good + b"stray").endswith(b'{"predictions":[2]}')


def test_events_come_while_the_text_is_written(server: ServerProcess) -> None:
    answer = server.send(post("/v1/models/writer:stream", b'{"length": 640}', "Connection: close"))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"text/event-stream" in head
    assert b"content-length" not in head.lower()
    chunks = re.findall(rb"data: (\{\"text\".*?\})\n\n", body)
    assert "".join(json.loads(chunk)["text"] for chunk in chunks) == models.continued("", 640)


def test_a_client_that_does_not_read_is_dropped(server: ServerProcess) -> None:
    body = b'{"instances": [2000000]}'
    with server.connect() as idle, server.connect() as slow:
        idle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        begin = time.monotonic()
        for connection in (idle, slow):
            connection.sendall(post("/v1/models/zeros:predict", body, "Connection: close"))
        received = slow.recv(1)
        while chunk := slow.recv(2**16):
            received += chunk
            time.sleep(0.02)  # it takes more than the limit, but reads all the time
        assert received.count(b"0.0") == 2_000_000
        assert time.monotonic() - begin > 1.5
        with pytest.raises(ConnectionResetError):
            sum(map(len, iter(lambda: idle.recv(2**16), b"")))


def test_the_token_and_how_ctrl_c_ends_it(tmp_path: Path) -> None:
    directory = tmp_path / "models"
    directory.mkdir()
    (tmp_path / "token").write_text("secret\n")
    server = ServerProcess(directory, "--token-file", str(tmp_path / "token"))
    server.start()
    for given, status in (("secret", 200), ("wrong", 401)):
        request = f"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {given}\r\n"
        answer = server.send(f"{request}Connection: close\r\n\r\n".encode())
        assert status_of(answer) == status
    with server.connect():  # without a request: that does not hold it up
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(PATIENCE_SECONDS) == 130
    assert "secret" not in server.log


def test_it_drains(built: Built, tmp_path: Path) -> None:
    """Running requests finish, new ones are refused, and what takes too long is cut off."""
    directory = tmp_path / "models"
    models.copy(built("sleeper"), directory / "sleeper" / "1")

    with (
        ServerProcess(directory, "--drain-seconds", "3") as server,
        ThreadPoolExecutor(2) as pool,
        server.connect() as idle,
    ):

        def sleep(seconds: float) -> bytes:
            body = json.dumps({"instances": [seconds]}).encode()
            return server.send(post("/v1/models/sleeper:predict", body))

        short = pool.submit(sleep, 1.0)
        while b"textapps_batch_rows_count{" not in metrics(server):
            time.sleep(0.01)
        long = pool.submit(sleep, 60.0)
        while b'textapps_queue_length{model="sleeper",version="1"} 1.0' not in metrics(server):
            assert not short.done()
        server.process.send_signal(signal.SIGTERM)
        while not refused(server):
            assert not short.done()
        answer = short.result(PATIENCE_SECONDS)
        assert (status_of(answer), b'{"predictions":[1.0]}' in answer) == (200, True)
        assert server.process.wait(PATIENCE_SECONDS) == 0
        assert b"HTTP/1.1 200" not in long.result(PATIENCE_SECONDS)
        assert idle.recv(1) == b""
    *_, cut_off, stopped = server.log.splitlines()
    assert json.loads(cut_off)["status"] == 499
    assert stopped == "stopped"
    assert "Traceback" not in server.log


def metrics(server: ServerProcess) -> bytes:
    head = b"GET /monitoring/prometheus/metrics HTTP/1.1\r\nHost: localhost\r\n"
    return server.send(head + b"Connection: close\r\n\r\n")


def refused(server: ServerProcess) -> bool:
    try:
        server.connect().close()
    except (ConnectionRefusedError, ConnectionResetError):  # closed while it connected
        return True
    return False
