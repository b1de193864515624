"""Which cases of a test are quick, and which only `make test-all` runs."""

from collections.abc import Iterable
from typing import Any

import pytest


def quick(cases: Iterable[Any], *chosen: Any) -> list[Any]:
    """The cases as parameters of a test, slow unless they are chosen.

    >>> [(case.values, len(case.marks)) for case in quick(["lstm", "gru"], "gru")]
    [(('lstm',), 1), (('gru',), 0)]
    """
    return [pytest.param(case, marks=[pytest.mark.slow] * (case not in chosen)) for case in cases]
