"""What hostile and heavy requests may not do to others; each test takes about a minute."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import grpc
import numpy as np
import pytest

from tests.serving import models
from tests.serving.grpc.asking import PREDICT, predict_request
from tests.serving.process import ServerProcess
from textapps.cli.commands.launch import free_ports

pytestmark = pytest.mark.acceptance

REQUESTS = 2_000  # to each model whose rows depend on each other
CONNECTIONS = 32
AT_ONCE = 10


@pytest.fixture(scope="module")
def grpc_port() -> int:
    (port,) = free_ports(1)
    return port


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, grpc_port: int) -> Iterator[ServerProcess]:
    directory = tmp_path_factory.mktemp("served") / "models"
    for kind in models.DEPENDENT:
        models.publish(
            lambda path, kind=kind: models.dependent(path, kind), version(directory, kind)
        )
    for name in ("lengths", "zeros", "sums"):
        models.publish(getattr(models, name), version(directory, name))
    with ServerProcess(directory, "--grpc-port", str(grpc_port)) as server:
        yield server


def version(directory: Path, name: str) -> Path:
    path = directory / name / "1"
    path.parent.mkdir(parents=True)
    return path


def post(connection: HTTPConnection, path: str, body: bytes) -> tuple[int, bytes]:
    connection.request("POST", f"/v1/models/{path}", body)
    answer = connection.getresponse()
    return answer.status, answer.read()


def ask(server: ServerProcess, path: str, body: bytes) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=120)
    try:
        return post(connection, path, body)
    finally:
        connection.close()


# In a process of its own: threads of this one would wait for each other.
WATCH = """
import sys, threading, time
from http.client import HTTPConnection
connection = HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=60)
done = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), done.set())).start()
while not done.wait(0.01):
    begin = time.perf_counter()
    connection.request("GET", "/health/live")
    assert connection.getresponse().read() == b'{"status":"live"}'
    print(time.perf_counter() - begin)
"""


def health_while(server: ServerProcess, work: Callable[[], None]) -> list[float]:
    """Seconds to each answer of /health/live while `work` runs, in order of size."""
    command = [sys.executable, "-c", WATCH, str(server.port)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as watcher:
        try:
            work()
        finally:
            said, _ = watcher.communicate()
    assert watcher.returncode == 0
    return sorted(map(float, said.split()))


NUMBERS = b'{"inputs": {"ids": [[1]], "weights": [' + b"[0.5,1,2]," * 1_600_000 + b"[1,2,3]]}}"
BRACKETS = b'{"instances": [' + b"[]," * 5_500_000 + b"[]]}"
NESTED = b"[" * 16_000_000
TEXTS = b'{"instances": [' + b'"a",' * 4_000_000 + b'"a"]}'
LARGE = {
    "numbers": ("sums:predict", NUMBERS, {400}, 1),
    "brackets": ("lengths:predict", BRACKETS, {400}, 1),
    "nested": ("lengths:predict", NESTED, {400}, 5),
    "texts": ("lengths:predict", TEXTS, {200, 503}, 1),
    "answers": ("zeros:predict", b'{"instances": [8000000]}', {200}, 3),
    "stream": ("lengths:stream", BRACKETS, {400}, 1),
}


@pytest.mark.parametrize("kind", LARGE)
def test_health_is_answered_under_large_bodies_and_answers(
    server: ServerProcess, kind: str
) -> None:
    path, body, expected, times = LARGE[kind]

    def load() -> None:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(lambda _: ask(server, path, body)[0], range(times * AT_ONCE)))
        assert set(answers) <= expected

    check_health(kind, health_while(server, load))


def check_health(kind: str, seconds: list[float]) -> None:
    p99 = seconds[int(0.99 * len(seconds))]
    print(
        f"\n{kind}: {len(seconds)} answers, p99 {1e3 * p99:.0f} ms, max {1e3 * seconds[-1]:.0f} ms"
    )
    assert p99 <= 0.1


MESSAGES = {
    "empty entries": (lambda: b"\x12\x00" * (8 << 20), "INVALID_ARGUMENT", 1),
    "empty texts": (lambda: texts_message(b"", 7_000_000), "OK", 1),
    "texts": (lambda: texts_message(b"ab", 3_000_000), "OK", 1),
    "answers": (lambda: zeros_message(8_000_000), "OK", 3),
}


def zeros_message(count: int) -> bytes:
    return bytes(predict_request("zeros", {"count": [count]}).SerializeToString())


def texts_message(text: bytes, rows: int) -> bytes:
    request = predict_request("lengths", {"text": [text]})
    del request.inputs["text"].string_val[:]
    request.inputs["text"].tensor_shape.dim[0].size = rows
    request.inputs["text"].string_val.extend([text] * rows)
    return bytes(request.SerializeToString())


@pytest.mark.parametrize("kind", MESSAGES)
def test_health_is_answered_under_large_messages(
    server: ServerProcess, grpc_port: int, kind: str
) -> None:
    made, expected, times = MESSAGES[kind]
    body = made()

    def code(_: int) -> str:
        options = [("grpc.max_receive_message_length", -1)]
        with grpc.insecure_channel(f"127.0.0.1:{grpc_port}", options) as channel:
            try:
                channel.unary_unary(PREDICT)(body, timeout=120)
            except grpc.RpcError as error:
                return str(error.code().name)
        return "OK"

    def load() -> None:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            assert set(pool.map(code, range(times * AT_ONCE))) <= {expected, "UNAVAILABLE"}

    check_health(kind, health_while(server, load))


@pytest.mark.parametrize("kind", models.DEPENDENT)
def test_models_whose_rows_depend_on_each_other(server: ServerProcess, kind: str) -> None:
    random = np.random.default_rng(5)
    questions = [random.integers(-99, 99, size) / 4 for size in random.integers(1, 120, REQUESTS)]

    def ask_some(some: list[np.ndarray]) -> int:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
        wrong = 0
        for question in some:
            body = json.dumps({"instances": question.tolist()}).encode()
            status, answer = post(connection, f"{kind}:predict", body)
            assert status == 200, answer
            expected = models.DEPENDENT[kind](question.astype(np.float32))
            wrong += not np.allclose(json.loads(answer)["predictions"], expected, atol=1e-3)
        return wrong

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        parts = [questions[start::CONNECTIONS] for start in range(CONNECTIONS)]
        assert sum(pool.map(ask_some, parts)) == 0
