"""The section on how far back the gradient reaches."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textapps.core.counted import counted
from textapps.evaluation.reports.plots import FIRST, SECOND
from textapps.interpret.gradients import Gradients, falls_to, half_life
from textapps.interpret.pictures import Curve, by_distance, curve_of
from textapps.interpret.section import Picture, Section, Table
from textapps.training.history import CLIPPED

KEY = "gradient"
TITLE = "How far back the gradient reaches"
TEXT = (
    "Each line is the size of the gradient of the loss at one position by what was read, and by "
    "the state, some steps before: the median over positions, with the range of 10 to 90 % "
    "shaded. Training can learn only from what lies within the reach of this gradient; where the "
    "line falls to nothing, the model cannot learn from that past; where it rises, the gradient "
    "explodes."
)
SOURCE = (
    "Bengio, Simard and Frasconi 1994, Learning long-term dependencies with gradient descent is "
    "difficult; Pascanu, Mikolov and Bengio 2013, On the difficulty of training recurrent neural "
    "networks"
)


def gradient_section(
    after: Gradients,
    before: Gradients | None,
    *,
    begun: str,
    clip_norm: float,
    history: Sequence[Mapping[str, str]],
) -> Section:
    """What `gradient_by_distance` found after training and before it.

    Args:
        before: None if the first weights cannot be had.
        begun: what these were, or why they are not there.
        clip_norm: the largest norm of the gradient in training; 0 for no limit.
        history: the rows of history.csv.
    """
    curves: list[tuple[Curve, str]] = []
    rows: list[tuple[str, ...]] = []
    data: dict[str, object] = {}
    for when, found in (("after", after), ("before", before)):
        if found is None:
            continue
        for name, norms, colour in (
            ("input", found.inputs, FIRST),
            ("state", found.state, SECOND),
        ):
            if norms is None:
                continue
            label = f"{name}, {when} training"
            curve = curve_of(label, norms, dashed=when == "before")
            curves.append((curve, colour))
            share = _above(norms, clip_norm)
            more = () if share is None else (f"{100 * share:.0f} %",)
            reached = (told(curve.median, part, "step") for part in (0.5, 0.01))
            rows.append((label, *reached, *more))
            data[f"{name}_{when}"] = {
                "median": curve.median,
                "low": curve.low,
                "high": curve.high,
                "half_life_steps": half_life(curve.median),
                "one_percent_steps": falls_to(curve.median, 0.01),
                "above_clip_norm": share,
            }
    clipping = _clipping(history, clip_norm)
    columns = ["gradient by the", "halves in", "falls to 1 % in"]
    if clip_norm:
        columns.append(f"above {clip_norm:g}")
    steps = len(after.inputs[0]) - 1
    caption = (
        f"{counted(len(after.positions), 'position')}, each with {counted(steps, 'step')} before "
        f"it. Steps are counted from distance 1, and the gradient stays below from there on. "
        f"Before training: {begun}."
    )
    return Section(
        key=KEY,
        title=TITLE,
        text=TEXT,
        source=SOURCE,
        parts=(
            Picture(
                by_distance(curves, clip_norm or None),
                "The norm of the gradient by distance, on a logarithmic scale.",
            ),
            Table(columns, rows, caption),
        ),
        note=clipping.pop("told"),
        data={"distances": steps, "clip_norm": clip_norm, "begun": begun, **data, **clipping},
    )


def told(medians: NDArray[np.float64], share: float, unit: str) -> str:
    """`falls_to` in words.

    >>> told(np.array([9.0, 1.0, 0.5, 0.25]), 0.5, "step"), told(np.arange(4.0), 0.5, "step")
    ('1.0 steps', 'explodes')
    """
    steps = falls_to(medians, share)
    if steps is not None:
        return f"{steps:.1f} {unit}s"
    return "explodes" if medians[-1] > medians[1] else "not reached"


def _above(norms: NDArray[np.float64], clip_norm: float) -> float | None:
    """The share of positions whose gradient is above the norm at some distance of 1 or more."""
    if not clip_norm:
        return None
    return float((norms[:, 1:] > clip_norm).any(axis=1).mean())


def _clipping(history: Sequence[Mapping[str, str]], clip_norm: float) -> dict[str, Any]:
    """How often training clipped, and a sentence on it."""
    if not clip_norm:
        return {"told": "This training did not clip gradients (training.clip_norm is 0)."}
    recorded = [bool(row.get(CLIPPED)) for row in history]
    if not any(recorded):
        return {"told": "This run did not record how often training clipped the gradient."}
    first = recorded.index(True)  # earlier rows are of a version that did not record it
    clipped = sum(int(float(row[CLIPPED])) for row in history[first:])
    steps = int(history[-1]["step"]) - (int(history[first - 1]["step"]) if first else 0)
    told = (
        f"Training clipped the gradient in {clipped:,} of {counted(steps, 'step')}, that is where "
        f"its norm over all weights, for a whole batch, was above {clip_norm:g}."
    )
    return {"told": told, "clipped_steps": clipped, "steps": steps}
