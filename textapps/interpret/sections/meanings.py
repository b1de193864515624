"""The section on units that mean something."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from textapps.interpret.section import Coloured, Part, Section, Table
from textapps.interpret.units import ALPHA, FEWEST, STRONG, Values, find_units

EXCERPT = 400  # characters that are shown coloured
COLOURED = 3  # texts at most
TITLE = "Units that mean something"
TEXT = (
    "For each property of the text, the unit whose value follows it best: chosen on the first half "
    "of the text, and tested on the second, which it has not seen. The control is how well the "
    "same unit follows the property when both are shifted against each other, which is chance."
)
SOURCE = (
    "Karpathy, Johnson and Fei-Fei 2015, Visualizing and understanding recurrent networks; the "
    "test: Westfall and Young 1993, Resampling-based multiple testing"
)


def units_section(
    names: Sequence[str],
    units: NDArray[np.float32],
    properties: Mapping[str, Values],
    pieces: Sequence[str],
) -> Section:
    """What `find_units` finds.

    Args:
        names: of the units, such as "h17".
        units: float32[characters, units], after each character.
        pieces: the characters.
    """
    if len(units) < FEWEST:
        note = (
            f"{len(units)} characters are too few to tell what units mean: give {FEWEST} or more."
        )
        return Section(key="units", title=TITLE, text=TEXT, source=SOURCE, note=note)
    findings = find_units(units, properties)
    rows: list[tuple[str, ...]] = []
    for each in findings:
        if each.unit is None:
            rows.append((each.property, "too rare here", "", "", "", ""))
            continue
        rows.append(
            (
                each.property,
                names[each.unit],
                f"{each.found:+.2f}",
                f"{each.confirmed:+.2f}",
                f"{each.control:.2f}",
                "yes" if each.holds else "no",
            )
        )
    columns = ("property", "unit", "first half", "second half", "control", "confirmed")
    caption = (
        f"Correlations over {len(units):,} characters and {units.shape[1]:,} units. Confirmed: at "
        f"least {STRONG:g} with the same sign on the second half, and better than all properties "
        f"do when shifted in {100 * (1 - ALPHA):.0f} % of cases."
    )
    held = sorted((f for f in findings if f.holds), key=lambda f: -abs(f.confirmed))
    parts: list[Part] = [Table(columns, rows, caption)]
    start = len(units) // 2  # of what the choice has not seen
    for each in held[:COLOURED]:
        assert each.unit is not None
        values = units[start : start + EXCERPT, each.unit]
        largest = max(float(np.abs(values).max()), 1e-9)
        shown = f"The text coloured by unit {names[each.unit]}: {each.property}"
        parts.append(Coloured(pieces[start : start + EXCERPT], values / largest, shown))
    return Section(
        key="units",
        title=TITLE,
        text=TEXT,
        source=SOURCE,
        parts=parts,
        note="" if held else "No unit tells any of these properties on both halves.",
        data={
            "characters": len(units),
            "findings": [
                {**f._asdict(), "unit": None if f.unit is None else names[f.unit]} for f in findings
            ],
        },
    )
