"""The section on which earlier characters a prediction hangs on."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from textapps.interpret.section import Links, Section

TITLE = "Which characters a prediction hangs on"
TEXT = (
    "Point at a character, or move with the arrow keys: the characters before it are coloured by "
    "how strongly the model's probability of this character changes with them. A model that "
    "remembers looks back to where a word, a line or a name began; one that does not looks at the "
    "last few characters."
)
SOURCE = "Madsen 2019, Visualizing memorization in RNNs, Distill (connectivity)"


def connectivity_section(norms: NDArray[np.float64], pieces: Sequence[str], reach: int) -> Section:
    """What `connectivity` found, where input 0 is the beginning and input i is piece i - 1.

    Args:
        norms: float64[pieces, pieces].
    """
    weights = np.zeros_like(norms)
    weights[:, :-1] = norms[:, 1:]
    places = np.arange(len(norms))
    totals = weights.sum(axis=1)
    back = places[:, None] - places[None, :]
    distance = np.divide(
        (weights * back).sum(axis=1), totals, out=np.zeros(len(norms)), where=totals > 0
    )
    # A text begins with characters that have little before them.
    late = distance[min(reach, len(norms) // 2) :]
    mean = float(late.mean()) if len(late) else 0.0
    caption = (
        f"The beginning of the text, {len(pieces):,} characters; each looks at most {reach} "
        f"characters back, and on average {mean:.1f}, weighted by the gradient."
    )
    return Section(
        key="connectivity",
        title=TITLE,
        text=TEXT,
        source=SOURCE,
        parts=(Links(pieces, weights, caption=caption, shown=_telling(totals)),),
        data={"mean_distance": mean, "reach": reach},
    )


def _telling(totals: NDArray[np.float64]) -> int:
    """A piece past the middle that hangs on the past more than most."""
    middle = len(totals) // 2
    return middle + int(np.argmax(totals[middle:]))
