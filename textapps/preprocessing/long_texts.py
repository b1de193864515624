"""Texts of more tokens than a model reads, or of none: counted, and said once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from textapps.core.notices import notice
from textapps.preprocessing.config import TextConfig

_READ = {"head": "beginning", "tail": "end", "both": "beginning and the end"}


class LongTexts:
    """Counts texts, and those of them that are cut or, where a task counts these, have no token.

    >>> long = LongTexts(TextConfig(max_tokens=3))
    >>> long.add([2, 3, 4])
    >>> long.add([7, 0], of=5, empty=1)
    >>> long.count, long.empty, long.total
    (2, 1, 8)
    """

    def __init__(self, limit: TextConfig) -> None:
        self.count = self.empty = self.total = 0
        self._limit = limit
        self._waiting = False

    def add(self, lengths: Any, of: int | None = None, empty: int = 0) -> None:
        """Counts texts by their tokens, int[texts]; there are `of` texts, if not all are given."""
        self.empty += empty
        self.count += int(np.count_nonzero(np.asarray(lengths) > self._limit.max_tokens))
        self.total += len(lengths) if of is None else of

    @contextmanager
    def said(self, what: str = "texts") -> Iterator[None]:
        """Says at its end how many texts were cut within it; one within another says nothing."""
        if self._waiting:
            yield
            return
        self._waiting = True
        try:
            yield
        finally:
            count, empty, total = self.count, self.empty, self.total
            self.count = self.empty = self.total = 0
            self._waiting = False
            if empty:
                notice(
                    "%s without a token that could be read: %s of %s; all get the same answer",
                    what,
                    f"{empty:,}",
                    f"{total:,}",
                )
            if count:
                notice(
                    "%s of more than %s tokens (preprocessor.max_tokens): %s of %s; only the %s of "
                    "each is read",
                    what,
                    f"{self._limit.max_tokens:,}",
                    f"{count:,}",
                    f"{total:,}",
                    _READ[self._limit.truncate],
                )
