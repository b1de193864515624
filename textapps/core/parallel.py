"""Work that threads share."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_threads(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """The results of `work` in the order of the items, from as many threads as there are cores.

    They are only a few results ahead of the consumer. After an error, or if the consumer wants no
    more, nothing new is begun.

    >>> list(in_threads(lambda number: number**2, range(4)))
    [0, 1, 4, 9]
    """
    pending: deque[Future[R]] = deque()
    pool = ThreadPoolExecutor(cores())
    try:
        for item in items:
            pending.append(pool.submit(work, item))
            if len(pending) > 8 * cores():
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
