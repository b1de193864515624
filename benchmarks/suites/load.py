"""HTTP clients that load a server and check every answer, bounded in number and in time."""

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from benchmarks.results import Figures

LENGTH = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)
NO_ANSWER = 0  # in the place of a status


@dataclass(frozen=True)
class Question:
    """A request to post, and what is a right answer to it by status and body."""

    path: str
    body: bytes
    right: Callable[[int, bytes], bool]
    headers: str = "host: localhost"

    @property
    def message(self) -> bytes:
        head = f"POST {self.path} HTTP/1.1\r\n{self.headers}\r\ncontent-length: {len(self.body)}"
        return f"{head}\r\ncontent-type: application/json\r\n\r\n".encode() + self.body


@dataclass
class Tally:
    """What came of the questions; seconds that an answer took in `taken`."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0  # of the server
    taken: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def add(self, question: Question, status: int, body: bytes, taken: float) -> None:
        self.taken.append(taken)
        self.statuses[status] += 1
        if not question.right(status, body):
            asked = f"{question.path} {question.body[:80]!r}"
            self.wrong.append(f"{asked}: {status} {body[:80]!r}")

    @property
    def per_second(self) -> float:
        return len(self.taken) / self.seconds

    def percentile_ms(self, share: float) -> float:
        """The time within which this share of the answers came."""
        ordered = sorted(self.taken)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def figures(self) -> Figures:
        return {
            "requests": len(self.taken),
            "per_second": round(self.per_second, 1),
            "p50_ms": round(self.percentile_ms(0.5), 2),
            "p99_ms": round(self.percentile_ms(0.99), 2),
            "wrong": len(self.wrong),
        }


class Asking(Protocol):
    """A connection that takes one question at a time."""

    async def ask(self, question: Question) -> tuple[int, bytes]:
        """Status and body of the answer."""

    def close(self) -> None:
        """It opens again when it is needed."""


class Connection:
    """One kept-alive connection, opened when it is needed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, question: Question) -> tuple[int, bytes]:
        """Status and body of the answer; without one, `NO_ANSWER` and what went wrong."""
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._streams
            writer.write(question.message)
            head = await reader.readuntil(b"\r\n\r\n")
            length = LENGTH.search(head)
            assert length is not None, head
            body = await reader.readexactly(int(length[1]))
            if b"connection: close" in head.lower():
                self.close()
            return int(head[9:12]), body
        except (OSError, asyncio.IncompleteReadError) as error:
            self.close()
            return NO_ANSWER, repr(error).encode()

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def saturate(
    port: int,
    questions: Sequence[Question],
    connections: int,
    seconds: float,
    connect: Callable[[int], Asking] = Connection,
) -> Tally:
    """Closed loop: every connection asks again as soon as it has its answer."""
    tally = Tally()
    begin = time.perf_counter()

    async def client(number: int) -> None:
        choose = random.Random(number).choice
        connection = connect(port)
        while (start := time.perf_counter()) < begin + seconds:
            question = choose(questions)
            status, body = await connection.ask(question)
            tally.add(question, status, body, time.perf_counter() - start)
        connection.close()

    await asyncio.gather(*(client(number) for number in range(connections)))
    tally.seconds = time.perf_counter() - begin
    return tally


async def ask_all(port: int, questions: Iterable[Question], connections: int) -> Tally:
    """Closed loop over all questions, each asked once."""
    tally = Tally()
    begin = time.perf_counter()
    left = iter(questions)

    async def client() -> None:
        connection = Connection(port)
        for question in left:
            start = time.perf_counter()
            status, body = await connection.ask(question)
            tally.add(question, status, body, time.perf_counter() - start)
        connection.close()

    await asyncio.gather(*(client() for _ in range(connections)))
    tally.seconds = time.perf_counter() - begin
    return tally


async def arrive(
    port: int,
    questions: Sequence[Question],
    connections: int,
    per_second: float,
    seconds: float,
    seed: int = 0,
) -> Tally:
    """Open loop: questions arrive at random, whether or not others have been answered.

    Their time counts from the arrival that was planned, the wait for a free connection and for
    a late client included.
    """
    tally = Tally()
    free = asyncio.Queue[Connection]()
    for _ in range(connections):
        free.put_nowait(Connection(port))
    draw = random.Random(seed)

    async def ask(question: Question, planned: float) -> None:
        connection = await free.get()
        status, body = await connection.ask(question)
        free.put_nowait(connection)
        tally.add(question, status, body, time.perf_counter() - planned)

    planned = begin = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        while (planned := planned + draw.expovariate(per_second)) < begin + seconds:
            await asyncio.sleep(max(0.0, planned - time.perf_counter()))
            group.create_task(ask(draw.choice(questions), planned))
    tally.seconds = time.perf_counter() - begin
    while not free.empty():
        free.get_nowait().close()
    return tally


async def beside(
    work: Coroutine[Any, Any, Tally], act: Callable[[], object], seconds: float
) -> Tally:
    """The tally of `work`; meanwhile `act` is called every few seconds, in a thread."""
    task = asyncio.ensure_future(work)
    while not task.done():
        await asyncio.wait([task], timeout=seconds)
        if not task.done():
            await asyncio.to_thread(act)
    return task.result()
