"""What the serving benchmarks serve, the processes that serve it, and what they are asked."""

import json
import os
import shutil
import socket
import sys
import time
import urllib.request
from collections.abc import Coroutine, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from functools import partial
from math import isclose
from pathlib import Path
from random import Random
from typing import Any

import uvloop

from benchmarks import processes
from benchmarks.suites.grpc_load import ANSWERED, GrpcConnection
from benchmarks.suites.load import Question, Tally, saturate
from benchmarks.trainings import exported, sample
from textapps.cli.commands.launch import free_ports

# Name → task and backbone of the exports, all trained briefly on the bundled samples.
EXPORTS = {
    "gru": ("sentiment", "gru"),
    "lstm": ("sentiment", "lstm"),
    "transformer": ("sentiment", "transformer"),
    "generator": ("generate", "gru"),
}
SIGNATURES = {"generator": "score"}  # text, too; the others' is the default
WORDS = "a the this that and but not so very film story plot cast acting good bad dull fine was is"
TOLERANCE = 1e-4  # of numbers: how many rows share a call changes their last bits
GRPC_PATH = "/tensorflow.serving.PredictionService/Predict"
STARTED_WITHIN_SECONDS = 600


def prepare(work: Path) -> Path:
    """Trains and exports what is missing of `EXPORTS`; gives the directory to serve."""
    for name, (task, backbone) in EXPORTS.items():
        if not (work / "serving" / "exported" / name).is_dir():
            exported(sample(task, backbone, work), work / "serving", "--name", name)
    return work / "serving" / "exported"


def publish(export: Path, directory: Path) -> None:
    """A copy of an export appears whole at `directory`, as `textapps <task> export` has it."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    aside = directory.with_name(f".aside-{directory.name}")
    shutil.copytree(export, aside)
    aside.rename(directory)


class Server(AbstractContextManager["Server"]):
    """A process that serves HTTP on `port`, from its start until it is stopped.

    `seconds_to_ready` is the time from the start of the process to the first answer 200 at
    `ready_path`. The command is given the port as its last words; `log` is the file for its stderr.
    """

    def __init__(self, command: Sequence[str], ready_path: str, log: Path | None = None) -> None:
        (self.port,) = free_ports(1)
        start = time.perf_counter()
        self._process = processes.start([*command, str(self.port)], quiet=True, log=log)
        while not self._answers(ready_path):
            self.seconds_to_ready = time.perf_counter() - start
            if self._process.poll() is not None or self.seconds_to_ready > STARTED_WITHIN_SECONDS:
                self._process.kill()
                raise RuntimeError(f"does not serve: {' '.join(command)}")
            time.sleep(0.02)
        self.seconds_to_ready = time.perf_counter() - start

    def _answers(self, path: str) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10):
                return True
        except OSError:
            return False

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:
            return bytes(answer.read())

    def post(self, path: str, body: bytes) -> bytes:
        url = f"http://127.0.0.1:{self.port}{path}"
        request = urllib.request.Request(url, body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return bytes(answer.read())

    def loaded(self, asking: Sequence[Question], connections: int, seconds: float) -> Tally:
        """A closed loop of some connections, and the processor time that it costs the server."""
        return self.costing(saturate(self.port, asking, connections, seconds))

    def costing(self, work: Coroutine[Any, Any, Tally]) -> Tally:
        """The tally of a load, with the processor time that it costs the server."""
        before = self.cpu_seconds()
        tally = uvloop.run(work)
        tally.cpu_seconds = self.cpu_seconds() - before
        return tally

    def memory_mb(self) -> float:
        """The resident sets of the process and of those that it has started, in 2^20 bytes."""
        pages = sum(map(_pages, _family(self._process.pid)))
        return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)

    def cpu_seconds(self) -> float:
        stat = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> int:
        """Asks it to end, waits, and gives its exit code."""
        self._process.terminate()
        return self._process.wait(60)

    def __exit__(self, *error: object) -> None:
        if self._process.poll() is None:
            self.stop()


def _family(pid: int) -> list[int]:
    """A process and those that it has started, with those of these."""
    try:
        lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:  # it has ended
        return []
    return [pid, *(one for text in lists for child in text.split() for one in _family(int(child)))]


def _pages(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0


def textapps_server(directory: Path, *options: str, log: Path | None = None) -> Server:
    """`textapps serve` with its default settings; its log goes to the file, if there is one."""
    quiet = [] if log else ["--quiet"]
    command = [processes.TEXTAPPS, "serve", str(directory), *quiet, *options, "--port"]
    return Server(command, "/health/ready", log)


def plain_server(export: Path) -> Server:
    """The same model behind benchmarks/counterparts/plain_endpoint.py."""
    module = "benchmarks.counterparts.plain_endpoint"
    return Server([sys.executable, "-m", module, str(export)], "/docs")


def texts(words: Sequence[int], number: int, seed: int = 0) -> list[str]:
    """Texts of so many words each, in turn."""
    draw = Random(seed)
    return [" ".join(draw.choices(WORDS.split(), k=words[i % len(words)])) for i in range(number)]


def questions(
    server: Server, path: str, asked: Sequence[str], rows: int = 1, signature: str | None = None
) -> list[Question]:
    """Requests of so many texts each; right is what the server answers to each text alone."""
    named = {"signature_name": signature} if signature else {}

    def body(chosen: list[str]) -> bytes:
        return json.dumps({**named, "instances": chosen}).encode()

    alone = {
        text: json.loads(server.post(path, body([text])))["predictions"][0] for text in set(asked)
    }
    found = []
    for start in range(len(asked)):
        chosen = [asked[(start + row) % len(asked)] for row in range(rows)]
        right = partial(_equals, [alone[text] for text in chosen])
        found.append(Question(path, body(chosen), right))
    return found


def grpc_questions(port: int, model: str, asked: Sequence[str]) -> list[Question]:
    """The same over gRPC, of one text each."""
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2

    def body(text: str) -> bytes:
        request = predict_pb2.PredictRequest()
        request.model_spec.name = model
        request.inputs["text"].CopyFrom(tf.make_tensor_proto([text]))
        return bytes(request.SerializeToString())

    def outputs(answer: bytes) -> dict[str, list[Any]]:
        found = predict_pb2.PredictResponse.FromString(answer).outputs
        return {
            name: list(proto.string_val or proto.float_val or proto.int_val)
            for name, proto in found.items()
        }

    def right(expected: Any, status: int, answer: bytes) -> bool:
        return status == ANSWERED and close(outputs(answer), expected)

    async def ask_alone() -> list[Question]:
        connection, found = GrpcConnection(port), []
        for text in asked:
            question = Question(GRPC_PATH, body(text), partial(right, None))
            status, answer = await connection.ask(question)
            assert status == ANSWERED, answer
            found.append(replace(question, right=partial(right, outputs(answer))))
        connection.close()
        return found

    return uvloop.run(ask_alone())


def _equals(expected: Any, status: int, body: bytes) -> bool:
    return status == 200 and close(json.loads(body)["predictions"], expected)


def close(found: Any, expected: Any) -> bool:
    """Whether two JSON values are the same but for the last digits of numbers.

    >>> close([{"a": 0.5, "b": "x"}], [{"a": 0.500001, "b": "x"}]), close([1, 2], [1])
    (True, False)
    """
    if isinstance(expected, dict):
        return isinstance(found, dict) and close(sorted(found.items()), sorted(expected.items()))
    if isinstance(expected, list | tuple):
        same = isinstance(found, list | tuple) and len(found) == len(expected)
        return same and all(map(close, found, expected))
    if isinstance(expected, float) and isinstance(found, float):
        return isclose(found, expected, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool(found == expected)


def refused(model_path: str) -> list[Question]:
    """Requests with something wrong, each with the status that it should get."""
    cases: list[tuple[str, bytes, int]] = [
        ("/v1/models/nobody:predict", b'{"instances": ["a"]}', 404),
        ("/v1/models/..%2F..%2Fetc:predict", b'{"instances": ["a"]}', 404),
        ("/v1/models", b"{}", 400),
        (model_path, b"", 400),
        (model_path, b'{"instances": ["a"', 400),
        (model_path, b'{"instances": []}', 400),
        (model_path, b'{"instances": [7]}', 400),
        (model_path, b'{"instances": ["a", {"b64": "?"}]}', 400),
        (model_path, b'{"instances": ["a"], "inputs": ["a"]}', 400),
        (model_path, b'{"instances": ["a"], "signature_name": "none"}', 400),
        (model_path, b"[" * 10_000, 400),
        (model_path, b"[" * 1_000_000, 400),
        (model_path, b'{"instances": [' + b"[]," * 100_000 + b"[]]}", 400),
        (model_path, b'{"instances": ["' + b"a" * 1_000_001 + b'"]}', 400),
        (model_path, b'{"instances": ["' + b"a" * (17 << 20) + b'"]}', 413),
    ]
    found = [Question(path, body, partial(_refuses, status)) for path, body, status in cases]
    good = b'{"instances": ["a"]}'
    return found + [
        Question(model_path, good, partial(_refuses, status), headers)
        for headers, status in (
            ("host: evil.example", 403),
            ("host: localhost\r\norigin: http://evil.example", 403),
            ("host: localhost\r\nhost: localhost", 400),
        )
    ]


def intrude(port: int, stream_path: str) -> None:
    """Opens connections that send no whole request, or go away before the answer."""
    predict = b"POST /v1/models/gru:predict HTTP/1.1\r\nhost: localhost\r\n"
    stream = f"POST {stream_path}:stream HTTP/1.1\r\nhost: localhost\r\n".encode()
    for message, bytes_read in (
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 20),
        (b"GET / HTTP/1.1\r\nhost: ", 0),
        (b"GET / HTTP/1.1\r\nx-long: " + b"a" * 100_000 + b"\r\n\r\n", 20),
        (predict + b'content-length: 1000\r\n\r\n{"instances": [', 0),
        (predict + b'content-length: 20\r\n\r\n{"instances": ["a"]}', 0),
        (stream + b'content-length: 18\r\n\r\n{"length": 100000}', 300),
    ):
        with (
            suppress(OSError),
            socket.create_connection(("127.0.0.1", port), timeout=10) as connection,
        ):
            connection.sendall(message)
            if bytes_read:
                connection.recv(bytes_read)


def _refuses(expected: int, status: int, body: bytes) -> bool:
    return status == expected and list(json.loads(body)) == ["error"]
