"""Cases of a test that are for `make test`, for `make check`, and for `make test-all` alone."""

from collections.abc import Iterable
from typing import Any

import pytest


def quick(cases: Iterable[Any], chosen: Any, *slow: Any) -> list[Any]:
    """The cases as parameters of a test: one is quick, some are slow, the others exhaustive.

    >>> cases = quick(["jordan", "lstm", "gru"], "gru", "lstm")
    >>> [(*case.values, *(mark.name for mark in case.marks)) for case in cases]
    [('jordan', 'exhaustive'), ('lstm', 'slow'), ('gru',)]
    """
    return [pytest.param(case, marks=marks(case, chosen, *slow)) for case in cases]


def marks(case: Any, chosen: Any, *slow: Any) -> list[pytest.MarkDecorator]:
    """Those of one case of `quick`."""
    if case == chosen:
        return []
    return [pytest.mark.slow if case in slow else pytest.mark.exhaustive]
