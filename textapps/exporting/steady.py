"""Verification of answers that can jump where numbers are rounded in another way."""

from collections.abc import Mapping, Sequence
from typing import Any

from textapps.exporting.archive import Endpoint
from textapps.exporting.verification import Case, differs

TOLERANCE = 1e-6  # a tenth of that of the verification


def steady_case(signature: str, endpoint: Endpoint, inputs: Mapping[str, Sequence[Any]]) -> Case:
    """A case of the rows whose answers are the same alone and in a batch.

    Gradients jump where the largest of several numbers changes: two of them may be so near to each
    other that a batch of another size, which adds up in another order, has another largest one.
    One row stays in any case.
    """
    rows = list(range(len(next(iter(inputs.values())))))
    while True:
        kept = {name: [values[row] for row in rows] for name, values in inputs.items()}
        case = Case(signature, kept, endpoint.answer(kept))
        alone = [endpoint.answer(row) for row in case.rows()]
        steady = [
            row
            for place, (row, answer) in enumerate(zip(rows, alone, strict=True))
            if not differs(answer, case.outputs, place, TOLERANCE)
        ]
        if steady == rows or len(rows) == 1:
            return case
        rows = steady or rows[:1]
