"""Sends requests that nobody would send to `textapps serve`, over the network."""

import asyncio
import json
import re
import socket
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import uvloop
from pydantic import Field

from benchmarks.benchmark import Benchmark, Context
from benchmarks.results import Figures
from benchmarks.suites import served
from benchmarks.suites.load import LENGTH
from benchmarks.suites.mutations import Case, Mutations

ANSWERED_WITHIN_SECONDS = 60.0  # longer than the deadline of the server
# So long is waited for the answer to what may not be a whole request.
PATIENCE_SECONDS = 0.3
# 503 and 504 say that the server had too much to do.
EXPECTED = {200, 204, 400, 401, 403, 404, 405, 408, 413, 415, 501, 503, 504}


@dataclass
class Outcome:
    """What came of the cases; the first of those that went wrong in words."""

    statuses: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)  # request ids of answers with status 500
    wrong: list[str] = field(default_factory=list)

    def add(self, case: Case, answer: bytes | None) -> None:
        """Judges an answer; None if there was none in time."""
        if not answer:
            self.statuses["closed" if answer == b"" else "no answer"] += 1
            if case.whole:
                self.wrong.append(f"no answer to {_shown(case.message)}")
            return
        head, _, body = answer.partition(b"\r\n\r\n")
        status = int(head[9:12])
        self.statuses[str(status)] += 1
        identity = re.search(rb"x-request-id: ([\w.-]+)", head)
        if status == 500 and identity:
            self.failed.append(identity[1].decode())
        elif status not in EXPECTED or identity is None or b"Traceback" in body:
            self.wrong.append(f"{_shown(case.message)}: {_shown(answer)}")
        elif status >= 400 and body and not _is_error(body):
            self.wrong.append(f"{_shown(case.message)}: {_shown(body)}")


class Fuzz(Benchmark):
    """Bodies, paths and headers around good requests, each on a connection of its own."""

    cases: int = Field(description="how many")
    connections: int = Field(description="at the same time")
    seed: int = Field(description="of the random numbers")

    def measure(self, context: Context) -> Figures:
        exports = served.prepare(context.work)
        log = context.work / "serving" / "fuzz.log"
        cases = Mutations(good(exports), self.seed)
        with served.textapps_server(exports, log=log) as server:
            outcome = uvloop.run(self._send(server.port, cases))
            alive = server.post("/v1/models/gru:predict", b'{"instances": ["a fine film"]}')
            waiting = server.get("/monitoring/prometheus/metrics")
            memory = server.memory_mb()
            code = server.stop()
        said = log.read_text(encoding="utf-8", errors="replace")
        return {
            **self.model_dump(include={"cases", "connections", "seed"}),
            "statuses": dict(sorted(outcome.statuses.items())),
            "wrong": len(outcome.wrong),
            "first_wrong": outcome.wrong[:5],
            "answers_500": len(outcome.failed),
            "answers_500_without_traceback": sum(not explained(said, i) for i in outcome.failed),
            "answers_afterwards": len(json.loads(alive)["predictions"]),
            "left_waiting": sum(map(float, re.findall(rb"_queue_length{.*} (\S+)", waiting))),
            "memory_mb": memory,
            "exit_code": code,
        }

    async def _send(self, port: int, cases: Mutations) -> Outcome:
        outcome = Outcome()
        left = islice(iter(cases.draw, None), self.cases)

        async def client() -> None:
            for case in left:
                outcome.add(case, await ask(port, case))

        await asyncio.gather(*(client() for _ in range(self.connections)))
        return outcome


def good(exports: Path) -> list[tuple[str, dict[str, Any]]]:
    """Requests that are right, to each of the models."""
    options = {"length": 20, "temperature": 0.5, "random_seed": 3}
    found: list[tuple[str, dict[str, Any]]] = []
    for name in sorted(path.name for path in exports.iterdir()):
        path = f"/v1/models/{name}"
        if name in served.SIGNATURES:
            found += [
                (f"{path}:predict", {"signature_name": "score", "instances": ["A film", ""]}),
                (f"{path}:predict", {"signature_name": "start", "inputs": {"seed": ["The "]}}),
                (f"{path}:stream", {"seed": "The ", **options}),
            ]
        else:
            found += [
                (f"{path}:predict", {"instances": ["A film", "x"]}),
                (f"{path}/versions/1:predict", {"inputs": {"text": ["A film"]}}),
            ]
    return [*found, ("/v1/models", {}), ("/health/ready", {}), ("/page/main.js", {}), ("/", {})]


async def ask(port: int, case: Case) -> bytes | None:
    """The first answer, b"" if the connection was closed without any, None if nothing came."""
    patience = ANSWERED_WITHIN_SECONDS if case.whole else PATIENCE_SECONDS
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**26)
    connection: socket.socket = writer.get_extra_info("socket")
    answer = b""
    try:
        # Without waiting, after the end, for what may still come: ports would run out.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        async with asyncio.timeout(patience):
            writer.write(case.message)
            while not (head := answer.partition(b"\r\n\r\n"))[1] or answer.startswith(
                b"HTTP/1.1 1"
            ):
                if not (more := await reader.read(2**16)):
                    return answer
                answer = (answer + more).removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
            if case.message.startswith(b"HEAD "):
                return answer
            if length := LENGTH.search(head[0]):
                left = int(length[1]) - len(head[2])
                return answer + (await reader.readexactly(left) if left > 0 else b"")
            while not answer.endswith(b"0\r\n\r\n") and (more := await reader.read(2**16)):
                answer += more
            return answer
    except TimeoutError:
        return None
    except (OSError, asyncio.IncompleteReadError):
        return answer  # closed in the middle of what the client was still sending
    finally:
        writer.transport.abort()


def explained(log: str, identity: str) -> bool:
    """Whether the log has the traceback of a failed request."""
    _, found, after = log.partition(f"request {identity} ")
    return bool(found) and "\n  File " in after.partition('\n{"time"')[0]


def _is_error(body: bytes) -> bool:
    try:
        return list(json.loads(body)) == ["error"]
    except ValueError:
        return False


def _shown(message: bytes) -> str:
    return repr(message if len(message) <= 400 else message[:300] + b" ... " + message[-60:])
