"""Requests that wait for the same signature are gathered into one call."""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from textapps.savedmodel.errors import ModelFailed
from textapps.savedmodel.signature import Arrays, Signature
from textapps.serving.errors import DeadlineExceeded, QueueFull

Outputs = dict[str, np.ndarray]


@dataclass(frozen=True)
class Batching:
    """How requests share calls.

    A call takes at most `max_batch_size` rows. It begins as soon as the one before has ended and
    either it is full or its oldest request has waited `batch_timeout_ms`. At most `max_queue`
    requests wait for a signature, and each is answered within `deadline_ms` or not at all.
    """

    max_batch_size: int = 64
    batch_timeout_ms: float = 0.0
    max_queue: int = 1000
    deadline_ms: float = 30_000.0


class _Request:
    """Inputs that wait for their call; `key` is equal where they can share one."""

    def __init__(self, inputs: Arrays, rows: int, key: Hashable) -> None:
        loop = asyncio.get_running_loop()
        self.inputs = inputs
        self.rows = rows
        self.key = key
        self.since = loop.time()
        self.answer: asyncio.Future[Outputs] = loop.create_future()


class Batcher:
    """The queue of one signature, of one event loop.

    One call runs at a time, while the next one gathers.
    """

    def __init__(
        self,
        signature: Signature,
        executor: Executor,
        batching: Batching,
        on_batch: Callable[[int], None],
    ) -> None:
        """Calls run in `executor`; `on_batch` is told of each how many rows it has."""
        self._signature = signature
        self._executor = executor
        self._batching = batching
        self._on_batch = on_batch
        self._waiting: dict[_Request, None] = {}  # in the order of arrival
        self._arrival = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many requests wait for their call to begin."""
        return len(self._waiting)

    async def submit(self, inputs: Arrays) -> Outputs:
        """The outputs for checked inputs, whoever shares their call.

        A request of more than `max_batch_size` rows is answered by several calls where its
        outputs can be put together again. Cancelling frees the place in the queue.

        Raises:
            QueueFull: at once.
            DeadlineExceeded: in time.
            BadInput, ModelFailed: as `Signature.call`, and not because of a neighbour.
        """
        if self.waiting >= self._batching.max_queue:
            raise QueueFull(f"{self.waiting} requests wait already: try again later")
        try:
            async with asyncio.timeout(self._batching.deadline_ms / 1000):
                parts = [await self._wait_for(part) for part in self._split(inputs)]
        except TimeoutError:
            raise DeadlineExceeded(f"no answer within {self._batching.deadline_ms:g} ms") from None
        return _join(parts)

    def _split(self, inputs: Arrays) -> list[Arrays]:
        if not self._signature.splittable:
            return [inputs]
        rows, step = _rows(inputs), self._batching.max_batch_size
        starts = range(0, rows, step)
        return [{k: array[i : i + step] for k, array in inputs.items()} for i in starts]

    async def _wait_for(self, inputs: Arrays) -> Outputs:
        request = self._request(inputs)
        self._waiting[request] = None
        self._arrival.set()
        if self._worker is None:
            self._worker = asyncio.get_running_loop().create_task(self._work())
        try:
            return await request.answer
        finally:
            self._waiting.pop(request, None)
            del request  # else a failed request and its traceback would keep each other alive

    def _request(self, inputs: Arrays) -> _Request:
        if not self._signature.batched:
            return _Request(inputs, 1, object())
        shapes = tuple(array.shape[1:] for array in inputs.values())
        return _Request(inputs, _rows(inputs), (shapes, _length_class(inputs)))

    async def _work(self) -> None:
        try:
            while self._waiting:
                if self._signature.batched:
                    await self._gather()
                batch = self._take()
                if batch:
                    self._on_batch(sum(request.rows for request in batch))
                    await self._answer(batch)
        finally:
            self._worker = None

    async def _gather(self) -> None:
        """Wait until the oldest request has company enough, or has waited long enough."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            oldest = next(iter(self._waiting))
            until = oldest.since + self._batching.batch_timeout_ms / 1000
            rows = sum(request.rows for request in self._waiting if request.key == oldest.key)
            if rows >= self._batching.max_batch_size or loop.time() >= until:
                return
            self._arrival.clear()
            try:
                async with asyncio.timeout_at(until):
                    await self._arrival.wait()
            except TimeoutError:
                pass

    def _take(self) -> list[_Request]:
        """The oldest request, and those after it that fit into its call."""
        batch: list[_Request] = []
        rows = 0
        for request in list(self._waiting):
            if not batch or (
                request.key == batch[0].key and rows + request.rows <= self._batching.max_batch_size
            ):
                del self._waiting[request]
                batch.append(request)
                rows += request.rows
        return batch

    async def _answer(self, batch: Sequence[_Request]) -> None:
        """Call once for all; if that fails, each half by itself, down to single requests."""
        batch = [request for request in batch if not request.answer.done()]  # not late, not gone
        if not batch:
            return
        loop = asyncio.get_running_loop()
        inputs = [request.inputs for request in batch]
        try:
            answers = await loop.run_in_executor(self._executor, self._call, inputs)
        except Exception as error:
            if len(batch) > 1:
                await self._answer(batch[: len(batch) // 2])
                await self._answer(batch[len(batch) // 2 :])
            elif not batch[0].answer.done():
                # Without its traceback, which leads back here, to the request and so to itself.
                batch[0].answer.set_exception(error.with_traceback(None))
        else:
            for request, answer in zip(batch, answers, strict=True):
                if not request.answer.done():
                    request.answer.set_result(answer)

    def _call(self, requests: Sequence[Arrays]) -> list[Outputs]:
        if len(requests) == 1:
            return [self._signature.call(requests[0])]
        together = {
            name: np.concatenate([inputs[name] for inputs in requests]) for name in requests[0]
        }
        outputs = self._signature.call(together)
        ends = np.cumsum([_rows(inputs) for inputs in requests])
        if any(len(array) != ends[-1] for array in outputs.values()):
            raise ModelFailed("the model does not give a row for each of the request")
        cut = {name: np.split(array, ends[:-1]) for name, array in outputs.items()}
        return [{name: cut[name][i] for name in cut} for i in range(len(requests))]


def _length_class(inputs: Arrays) -> int:
    """0 for texts of less than 1 byte, 1 for less than 4, 2 for less than 16, and so on.

    A model pads its texts to the longest: short ones do not wait for the work that long ones
    make, and yet each class gathers many.
    """
    texts = (text for array in inputs.values() if array.dtype == object for text in array.flat)
    return (max(map(len, texts), default=0).bit_length() + 1) // 2


def _rows(inputs: Arrays) -> int:
    return len(next(iter(inputs.values())))


def _join(parts: Sequence[Outputs]) -> Outputs:
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
