"""Gathers requests that wait for the same signature into one call."""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Executor
from typing import NamedTuple

import numpy as np

from textapps.savedmodel.errors import ModelFailed
from textapps.savedmodel.limits import Size
from textapps.savedmodel.signature import Arrays, Signature
from textapps.serving.batching import Batching
from textapps.serving.budget import Budget
from textapps.serving.compiled import CompiledCalls
from textapps.serving.errors import DeadlineExceeded, QueueFull

Outputs = dict[str, np.ndarray]


class Call(NamedTuple):
    """Checked inputs and their size; calls with equal keys may be joined."""

    inputs: Arrays
    size: Size
    key: Hashable


class _Request:
    """A call that waits for its turn."""

    def __init__(self, call: Call) -> None:
        loop = asyncio.get_running_loop()
        self.call = call
        self.since = loop.time()
        self.answer: asyncio.Future[Outputs] = loop.create_future()


class Batcher:
    """The queue of one signature, of one event loop.

    One call runs at a time, while the next one gathers. A request is never cut into several calls.
    """

    def __init__(
        self,
        signature: Signature,
        executor: Executor,
        batching: Batching,
        budget: Budget,
        on_batch: Callable[[int], None],
        *,
        shared: bool,
        compiled: CompiledCalls | None = None,
    ) -> None:
        """Calls run in `executor`; `on_batch` is called with the number of rows of each.

        Args:
            shared: whether requests may share a call, if the signature allows it.
            compiled: calls the signature or its compiled form, if there is one.
        """
        self._called: Signature | CompiledCalls = compiled or signature
        self._signature = signature
        self._executor = executor
        self._batching = batching
        self._budget = budget
        self._on_batch = on_batch
        self._shared = shared and signature.joinable
        self._waiting: dict[_Request, None] = {}  # in the order of arrival
        self._waiting_bytes = 0
        self._arrival = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many requests wait for their call to begin."""
        return len(self._waiting)

    def prepare(self, inputs: Arrays) -> Call:
        """Checks named inputs for `submit`; slow for many rows, and may run in any thread.

        Raises BadInput for inputs that do not fit the signature or exceed a limit.
        """
        checked = self._signature.check(inputs)
        size = self._budget.size_of(checked)
        if not self._shared:
            return Call(checked, size, object())
        shapes = tuple(array.shape[1:] for array in checked.values())
        return Call(checked, size, (shapes, _length_class(checked, size.length + size.steps)))

    async def submit(self, call: Call) -> Outputs:
        """The outputs of a call, which may run together with others.

        Cancelling frees the place in the queue.

        Raises:
            QueueFull: at once, if too many requests wait.
            DeadlineExceeded: there is no answer in time.
            BadInput, ModelFailed: as `Signature.call`; never because of another request.
        """
        # Waiting inputs take memory too: together, at most as much as one call may need.
        held = self._waiting_bytes + call.size.tensor_bytes
        if self.waiting >= self._batching.max_queue or (
            self.waiting and held > self._batching.max_call_bytes
        ):
            raise QueueFull(f"{self.waiting} requests wait already: try again later")
        try:
            async with asyncio.timeout(self._batching.deadline_ms / 1000):
                return await self._wait_for(call)
        except TimeoutError:
            raise DeadlineExceeded(f"no answer within {self._batching.deadline_ms:g} ms") from None

    async def _wait_for(self, call: Call) -> Outputs:
        request = _Request(call)
        self._waiting[request] = None
        self._waiting_bytes += call.size.tensor_bytes
        self._arrival.set()
        if self._worker is None:
            self._worker = asyncio.get_running_loop().create_task(self._work())
        try:
            return await request.answer
        finally:
            self._forget(request)
            del request  # else a failed request and its traceback would keep each other alive

    def _forget(self, request: _Request) -> None:
        if request in self._waiting:
            del self._waiting[request]
            self._waiting_bytes -= request.call.size.tensor_bytes

    async def _work(self) -> None:
        try:
            while self._waiting:
                if self._shared:
                    await self._gather()
                batch = self._take()
                if batch:
                    self._on_batch(sum(request.call.size.rows for request in batch))
                    await self._answer(batch)
        finally:
            self._worker = None

    async def _gather(self) -> None:
        """Wait until a call is full, or its oldest request has waited long enough."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            oldest = next(iter(self._waiting))
            until = oldest.since + self._batching.batch_timeout_ms / 1000
            rows = sum(r.call.size.rows for r in self._waiting if r.call.key == oldest.call.key)
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
        size = Size(0)
        for request in list(self._waiting):
            joined = size.joined(request.call.size)
            if not batch or (
                request.call.key == batch[0].call.key
                and joined.rows <= self._batching.max_batch_size
                and self._budget.fits(joined)
            ):
                self._forget(request)
                batch.append(request)
                size = joined
        return batch

    async def _answer(self, batch: Sequence[_Request]) -> None:
        """Call once for all requests; if that fails, for each half, down to single requests."""
        batch = [request for request in batch if not request.answer.done()]  # not late, not gone
        if not batch:
            return
        loop = asyncio.get_running_loop()
        inputs = [request.call.inputs for request in batch]
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
            return [self._called.call(requests[0])]
        together = {
            name: np.concatenate([inputs[name] for inputs in requests]) for name in requests[0]
        }
        outputs = self._called.call(together)
        ends = np.cumsum([_rows(inputs) for inputs in requests])
        if any(len(array) != ends[-1] for array in outputs.values()):
            raise ModelFailed("the model does not give a row for each of the request")
        cut = {name: np.split(array, ends[:-1]) for name, array in outputs.items()}
        return [{name: cut[name][i] for name in cut} for i in range(len(requests))]


def _length_class(inputs: Arrays, length: int) -> int:
    """0 for rows of length 0, 1 for less than 4, 2 for less than 16, and so on.

    A model pads its rows to the longest one. With these classes a short row is not padded to many
    times its length, and yet each class gathers many requests.

    Args:
        length: of the longest row, as far as the limits of the signature measure it. The bytes of
            its texts count too.
    """
    texts = (text for array in inputs.values() if array.dtype == object for text in array.flat)
    longest = max((len(text) for text in texts), default=0)
    return (max(length, longest).bit_length() + 1) // 2


def _rows(inputs: Arrays) -> int:
    return len(next(iter(inputs.values())))
