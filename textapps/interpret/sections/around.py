"""Sections on a backbone that reads whole sequences: its reach, its states or its attention."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textapps.backbones.backbone import Backbone
from textapps.core.counted import counted
from textapps.core.errors import DataError
from textapps.evaluation.reports.plots import FIRST, SECOND
from textapps.interpret.activations import traces
from textapps.interpret.gradients import Norms, falls_to, half_life
from textapps.interpret.heads import self_attention
from textapps.interpret.pictures import by_distance, curve_of
from textapps.interpret.reach import Reach, reach
from textapps.interpret.section import Picture, Section, Table
from textapps.interpret.sections import states
from textapps.interpret.sections.gradient import KEY, SOURCE, TITLE, told
from textapps.interpret.stages import is_recurrent

TEXT = (
    "Each line is how strongly an output of the backbone depends on what it read some positions "
    "away: the median over examples, with the range of 10 to 90 % shaded. What lies beyond the "
    "point where the line has fallen to nothing cannot change this output, and training learns "
    "nothing from it."
)


class Read(NamedTuple):
    """What a backbone reads: float32[sequences, time, units] and int32[sequences] lengths."""

    inputs: Any
    lengths: NDArray[np.int32]


def around(
    backbone: Backbone,
    read: Read,
    pieces: Sequence[str],
    *,
    unit: str,
    first: tuple[Backbone, Read] | None,
    begun: str,
) -> Iterator[Section]:
    """The sections on reach, on states and gates, and on attention.

    Args:
        read: what it reads; the states shown are those over the first sequence.
        pieces: of the first sequence, by position.
        unit: what a position is, such as "token".
        first: backbone and inputs of the model before training; None if it cannot be had.
        begun: what the first weights were, or why they are not there.
    """
    try:
        after = reach(backbone, *read)
    except DataError as error:  # too short; what follows is of any length
        yield _no_reach(str(error))
    else:
        before = None if first is None else reach(first[0], *first[1])
        yield _reach_section(after, before, unit, begun)
    shown = read.inputs[:1, : int(read.lengths[0])]
    if is_recurrent(backbone):
        yield states.state_section(traces(backbone, shown), pieces, unit)
        return
    yield states.no_state_section()
    short = shown[:, : states.ATTENTION_CHARACTERS]
    found = self_attention(backbone, short)
    yield states.attention_section(found, pieces[: states.ATTENTION_CHARACTERS], unit)


def _no_reach(why: str) -> Section:
    return Section(key=KEY, title=TITLE, text=TEXT, source=SOURCE, note=f"Not shown: {why}.")


def _reach_section(after: Reach, before: Reach | None, unit: str, begun: str) -> Section:
    curves, rows, data = [], [], {}
    for when, found in (("after", after), ("before", before)):
        if found is None:
            continue
        sides: list[tuple[str, Norms | None, str]] = [
            ("past", found.past, FIRST),
            ("future", found.future, SECOND),
        ]
        for side, norms, colour in sides:
            if norms is None:
                continue
            label = f"{side}, {when} training"
            curve = curve_of(label, norms, dashed=when == "before")
            curves.append((curve, colour))
            rows.append((label, *(told(curve.median, share, unit) for share in (0.5, 0.01))))
            data[f"{side}_{when}"] = {
                "median": curve.median,
                "low": curve.low,
                "high": curve.high,
                "half_life_positions": half_life(curve.median),
                "one_percent_positions": falls_to(curve.median, 0.01),
            }
    steps = len(after.past[0]) - 1
    caption = (
        f"{counted(len(after.past), 'example')}, up to {counted(steps, unit)} away, counted from "
        f"distance 1. Before training: {begun}."
    )
    columns = ("dependence on the", "halves in", "falls to 1 % in")
    picture = by_distance(curves, None, f"{unit}s away")
    return Section(
        key=KEY,
        title=TITLE,
        text=TEXT,
        source=SOURCE,
        parts=(
            Picture(picture, "Dependence by distance, on a logarithmic scale."),
            Table(columns, rows, caption),
        ),
        data={"distances": steps, "begun": begun, **data},
    )
