"""Requests that share calls, made to meet by events, not by waiting."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textapps.savedmodel.errors import BadInput, ModelFailed
from textapps.savedmodel.limits import CallLimits
from textapps.savedmodel.manifest import TensorInfo
from textapps.serving.batcher import Batcher
from textapps.serving.batching import Batching
from textapps.serving.budget import Budget
from textapps.serving.errors import DeadlineExceeded, QueueFull

BAD = 666
NO_LIMITS = CallLimits()


class Doubler:
    """A signature in all but TensorFlow: `x` int64[batch, time] → `twice`.

    It refuses `BAD`. Each call that `hold` says waits for `go`.
    """

    joinable = True
    inputs: ClassVar[dict[str, TensorInfo]] = {}
    outputs: ClassVar[dict[str, TensorInfo]] = {}

    def __init__(self, hold: bool = False) -> None:
        self.go = threading.Event()
        self.calls: list[np.ndarray] = []
        if not hold:
            self.go.set()

    def check(self, inputs):
        return inputs

    def call(self, inputs):
        self.calls.append(inputs["x"])
        assert self.go.wait(60)
        if (inputs["x"] == BAD).any():
            raise BadInput(f"a bad row among {len(inputs['x'])}")
        return {"twice": 2 * inputs["x"], "first": inputs["x"][:, 0]}

    @property
    def sizes(self) -> list[int]:
        return [len(x) for x in self.calls]


def run(
    test: Callable[..., object],
    signature: Doubler,
    limits: CallLimits = NO_LIMITS,
    shared: bool = True,
    **options: float,
) -> list[int]:
    """Run `test(batcher)` to its end; gives the sizes that the batcher told."""
    batching = Batching(**options)
    budget = Budget(signature, limits, batching.max_call_bytes)
    told: list[int] = []

    async def main():
        with ThreadPoolExecutor(1) as executor:
            try:
                await test(
                    Batcher(signature, executor, batching, budget, told.append, shared=shared)
                )
            finally:
                signature.go.set()

    asyncio.run(asyncio.wait_for(main(), 60))
    return told


def rows(*values: int, time: int = 2) -> dict[str, np.ndarray]:
    return {"x": np.array([[value] * time for value in values])}


def ask(batcher: Batcher, *values: int, time: int = 2) -> asyncio.Task:
    return asyncio.create_task(submit(batcher, rows(*values, time=time)))


async def submit(batcher: Batcher, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return await batcher.submit(batcher.prepare(inputs))


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0)


async def running(batcher: Batcher, signature: Doubler, *values: int) -> asyncio.Task:
    """A request whose call has begun and is held."""
    task = ask(batcher, *values)
    await until(lambda: len(signature.calls) == 1)
    return task


def ask_size(batcher: Batcher, *, rows: int, time: int) -> None:
    batcher.prepare({"x": np.ones([rows, time], np.int64)})


def firsts(answers: list[dict[str, np.ndarray]]) -> list[list[int]]:
    return [answer["first"].tolist() for answer in answers]


def test_what_comes_during_a_call_shares_the_next() -> None:
    signature = Doubler(hold=True)

    async def test(batcher):
        tasks = [await running(batcher, signature, 1)]
        tasks += [ask(batcher, value) for value in (2, 3, 4)]
        await until(lambda: batcher.waiting == 3)
        signature.go.set()
        answers = await asyncio.gather(*tasks)
        assert firsts(answers) == [[1], [2], [3], [4]]
        assert answers[3]["twice"].tolist() == [[8, 8]]
        assert batcher.waiting == 0

    assert run(test, signature) == signature.sizes == [1, 3]


def test_only_equal_shapes_share_and_the_oldest_goes_first() -> None:
    signature = Doubler(hold=True)

    async def test(batcher):
        tasks = [await running(batcher, signature, 1)]
        tasks += [ask(batcher, value, time=2 + value % 2) for value in (2, 3, 4, 5)]
        await until(lambda: batcher.waiting == 4)
        signature.go.set()
        assert firsts(await asyncio.gather(*tasks)) == [[1], [2], [3], [4], [5]]

    run(test, signature)
    assert [call[:, 0].tolist() for call in signature.calls] == [[1], [2, 4], [3, 5]]


def test_short_texts_do_not_share_with_long_ones() -> None:
    signature = Doubler(hold=True)

    async def test(batcher):
        def texts(*sizes):
            items = [b"x" * size for size in sizes]
            return asyncio.create_task(submit(batcher, {"x": np.array([items], dtype=object)}))

        tasks = [await running(batcher, signature, 1)]
        tasks += [texts(*sizes) for sizes in [(2, 0), (3, 90), (0, 3), (64, 1), (255, 0), (0, 0)]]
        await until(lambda: batcher.waiting == 6)
        signature.go.set()
        await asyncio.gather(*tasks)

    run(test, signature)
    longest = [[max(map(len, row)) for row in call.tolist()] for call in signature.calls[1:]]
    assert longest == [[2, 3], [90, 64, 255], [0]]


def test_a_call_takes_no_more_rows_than_allowed_and_keeps_a_request_whole() -> None:
    signature = Doubler(hold=True)

    async def test(batcher):
        tasks = [await running(batcher, signature, 1)]
        tasks += [ask(batcher, 2, 3), ask(batcher, 4, 5), ask(batcher, 6)]
        await until(lambda: batcher.waiting == 3)
        signature.go.set()
        assert firsts(await asyncio.gather(*tasks)) == [[1], [2, 3], [4, 5], [6]]

    run(test, signature, max_batch_size=3)
    assert [call[:, 0].tolist() for call in signature.calls] == [[1], [2, 3, 6], [4, 5]]


def test_a_large_request_is_never_cut() -> None:
    signature = Doubler(hold=True)

    async def test(batcher):
        tasks = [await running(batcher, signature, 1), ask(batcher, *range(2, 9)), ask(batcher, 9)]
        await until(lambda: batcher.waiting == 2)
        signature.go.set()
        assert firsts(await asyncio.gather(*tasks)) == [[1], [2, 3, 4, 5, 6, 7, 8], [9]]

    assert run(test, signature, max_batch_size=2) == signature.sizes == [1, 7, 1]


def test_requests_share_no_call_that_would_be_too_large() -> None:
    signature = Doubler(hold=True)
    limits = CallLimits(longest={"x": 5}, cells=14)  # x is [rows, 2] or [rows, 5]

    async def test(batcher):
        tasks = [await running(batcher, signature, 1)]
        tasks += [ask(batcher, 2, 3, 4), ask(batcher, 5, 6), ask(batcher, 7, 8, 9, 10)]
        await until(lambda: batcher.waiting == 3)
        with pytest.raises(BadInput, match="input 'x' has a row of length 6; the limit is 5"):
            ask_size(batcher, rows=1, time=6)
        with pytest.raises(BadInput, match="3 rows of length 5 are 15 in total; the limit is 14"):
            ask_size(batcher, rows=3, time=5)
        signature.go.set()
        assert firsts(await asyncio.gather(*tasks)) == [[1], [2, 3, 4], [5, 6], [7, 8, 9, 10]]

    run(test, signature, limits)
    calls = [call[:, 0].tolist() for call in signature.calls]
    assert calls == [[1], [2, 3, 4, 5, 6], [7, 8, 9, 10]]


def test_what_needs_too_much_memory_is_refused_before_its_call() -> None:
    signature = Doubler()
    limits = CallLimits(longest={"x": 9}, row_bytes=3 * 2**20, cell_bytes=2**20)

    async def test(batcher):
        await submit(batcher, rows(1, 2))  # 2 rows of 2: 10 MB
        with pytest.raises(BadInput, match="needs about 15 MB of memory; the limit is 11 MB"):
            batcher.prepare(rows(1, 2, 3))

    run(test, signature, limits, max_call_bytes=11 * 2**20)
    assert signature.sizes == [2]


def test_waiting_inputs_take_no_more_memory_than_a_call() -> None:
    signature = Doubler(hold=True)

    async def test(batcher):
        tasks = [await running(batcher, signature, 1), ask(batcher, 2, 3)]
        await until(lambda: batcher.waiting == 1)
        with pytest.raises(QueueFull):
            await submit(batcher, rows(4, 5))
        signature.go.set()
        await asyncio.gather(*tasks)
        await submit(batcher, rows(4, 5))  # there is room again

    run(test, signature, max_call_bytes=60)  # a row of two int64 takes 16


@pytest.mark.parametrize(("shared", "joinable"), [(False, True), (True, False)])
def test_every_request_is_a_call_if_they_may_not_share(shared: bool, joinable: bool) -> None:
    signature = Doubler(hold=True)
    signature.joinable = joinable

    async def test(batcher):
        tasks = [await running(batcher, signature, 1, 2, 3)]
        tasks += [ask(batcher, 4), ask(batcher, 5)]
        await until(lambda: batcher.waiting == 2)
        signature.go.set()
        assert firsts(await asyncio.gather(*tasks)) == [[1, 2, 3], [4], [5]]

    # A timeout would have every one of them wait for company that cannot come.
    told = run(test, signature, shared=shared, max_batch_size=2, batch_timeout_ms=1e9)
    assert told == signature.sizes == [3, 1, 1]


def test_a_bad_request_fails_alone() -> None:
    signature = Doubler(hold=True)

    async def test(batcher):
        tasks = [await running(batcher, signature, 1)]
        tasks += [ask(batcher, value) for value in (2, 3, BAD, 5, 6, BAD)]
        await until(lambda: batcher.waiting == 6)
        signature.go.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        bad = [str(answers.pop(index)) for index in (6, 3)]
        assert bad == ["a bad row among 1"] * 2  # what it hears is of itself
        assert firsts(answers) == [[1], [2], [3], [5], [6]]

    assert run(test, signature) == [1, 6]


def test_a_model_that_mixes_up_rows_is_asked_for_one_request_at_a_time() -> None:
    signature = Doubler(hold=True)
    double = signature.call
    signature.call = lambda inputs: {k: array[:1] for k, array in double(inputs).items()}

    async def test(batcher):
        tasks = [await running(batcher, signature, 1, 2)]
        tasks += [ask(batcher, 3), ask(batcher, 4, 5)]
        await until(lambda: batcher.waiting == 2)
        signature.go.set()
        assert firsts(await asyncio.gather(*tasks)) == [[1], [3], [4]]

    run(test, signature)


def test_any_failure_of_the_model_is_an_answer_and_the_queue_goes_on() -> None:
    signature = Doubler()
    double = signature.call

    def fail(inputs):
        raise ModelFailed("out of memory")

    async def test(batcher):
        signature.call = fail
        with pytest.raises(ModelFailed, match="out of memory"):
            await submit(batcher, rows(1))
        signature.call = double
        assert (await submit(batcher, rows(2)))["first"] == [2]

    run(test, signature)


def test_a_full_queue_refuses_at_once_and_has_room_again() -> None:
    signature = Doubler(hold=True)

    async def test(batcher):
        tasks = [await running(batcher, signature, 1), ask(batcher, 2), ask(batcher, 3)]
        await until(lambda: batcher.waiting == 2)
        with pytest.raises(QueueFull, match="2 requests wait already"):
            await submit(batcher, rows(4))
        tasks[2].cancel()  # a client that goes away frees its place
        await until(lambda: batcher.waiting == 1)
        tasks.append(ask(batcher, 5))
        await until(lambda: batcher.waiting == 2)
        signature.go.set()
        assert firsts(await asyncio.gather(tasks[0], tasks[1], tasks[3])) == [[1], [2], [5]]

    run(test, signature, max_queue=2)
    assert [call[:, 0].tolist() for call in signature.calls] == [[1], [2, 5]]


def test_late_requests_are_told_so_and_never_called() -> None:
    signature = Doubler(hold=True)

    async def test(batcher):
        tasks = [await running(batcher, signature, 1), ask(batcher, 2)]
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert [str(answer) for answer in answers] == ["no answer within 20 ms"] * 2
        assert all(isinstance(answer, DeadlineExceeded) for answer in answers)
        assert batcher.waiting == 0
        signature.go.set()

    run(test, signature, deadline_ms=20)
    assert signature.sizes == [1]
    # The call that came to nothing leaves the queue as it should be.
    assert run(lambda batcher: submit(batcher, rows(3)), signature) == [1]


def test_requests_that_went_away_during_a_failing_call_are_not_asked_again() -> None:
    signature = Doubler(hold=True)

    async def test(batcher):
        first = await running(batcher, signature, 1)
        tasks = [ask(batcher, BAD), ask(batcher, 2), ask(batcher, 3)]
        await until(lambda: batcher.waiting == 3)
        held, signature.go = signature.go, threading.Event()
        held.set()
        await until(lambda: len(signature.calls) == 2)
        tasks[1].cancel()
        await until(tasks[1].done)
        signature.go.set()
        assert firsts(await asyncio.gather(first, tasks[2])) == [[1], [3]]
        with pytest.raises(BadInput):
            await tasks[0]

    run(test, signature)
    assert [call[:, 0].tolist() for call in signature.calls] == [[1], [BAD, 2, 3], [BAD], [3]]


def test_a_full_call_does_not_wait_for_the_timeout() -> None:
    signature = Doubler()

    async def test(batcher):
        tasks = [ask(batcher, 1), ask(batcher, 2, 3), ask(batcher, 4)]
        await asyncio.gather(*tasks[:2])
        await until(lambda: batcher.waiting == 1)
        tasks[2].cancel()

    assert run(test, signature, max_batch_size=3, batch_timeout_ms=1e7) == [3]


def test_the_timeout_ends_the_wait_for_company() -> None:
    signature = Doubler()

    async def test(batcher):
        assert firsts(await asyncio.gather(ask(batcher, 1), ask(batcher, 2))) == [[1], [2]]

    assert run(test, signature, batch_timeout_ms=5) == [2]


@given(
    requests=st.lists(
        st.tuples(
            st.lists(st.sampled_from([*range(1, 9), BAD]), min_size=1, max_size=5),  # its rows
            st.integers(0, 3),  # how many steps of the loop it comes after the one before
            st.integers(1, 2),  # the other dimension
            st.booleans() | st.none(),  # None: it goes away
        ),
        max_size=12,
    ),
    max_batch_size=st.integers(1, 6),
    batch_timeout_ms=st.sampled_from([0, 1]),
    shared=st.booleans(),
)
def test_everyone_gets_their_own_answer(requests, max_batch_size, batch_timeout_ms, shared) -> None:
    signature = Doubler()

    async def test(batcher):
        tasks = []
        for values, steps, time, stays in requests:
            for _ in range(steps):
                await asyncio.sleep(0)
            tasks.append(ask(batcher, *values, time=time))
            if stays is None:
                await asyncio.sleep(0)
                tasks[-1].cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        for (values, _, time, stays), answer in zip(requests, answers, strict=True):
            if isinstance(answer, asyncio.CancelledError):
                assert stays is None
            elif BAD in values:
                assert isinstance(answer, BadInput)
            else:
                assert answer["first"].tolist() == values
                assert (answer["twice"] == 2 * rows(*values, time=time)["x"]).all()
        assert batcher.waiting == 0

    options = {"max_batch_size": max_batch_size, "batch_timeout_ms": batch_timeout_ms}
    run(test, signature, shared=shared, **options)
    largest = max((len(values) for values, *_ in requests), default=0)
    assert all(size <= max(max_batch_size, largest) for size in signature.sizes)
