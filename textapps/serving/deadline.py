"""The time limit of a whole answer: reading, waiting, the model, and writing."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from textapps.serving.errors import DeadlineExceeded

T = TypeVar("T")


async def within(deadline_ms: float, answer: Awaitable[T]) -> T:
    """The answer, if it is there in time. Raises DeadlineExceeded, and what `answer` raises."""
    try:
        async with asyncio.timeout(deadline_ms / 1000):
            return await answer
    except TimeoutError:
        raise DeadlineExceeded(f"no answer within {deadline_ms:g} ms") from None
