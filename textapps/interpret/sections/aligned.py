"""The section on where a translator looks in the source."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from textapps.interpret.section import Links, Section

TITLE = "Which source words each word of the translation comes from"
TEXT = (
    "Point at a word of the translation: the source is coloured by the attention of the decoder, "
    "and below by how strongly the probability of the word changes with each source word. "
    "Attention says where the model looks, the gradient what the word hangs on; they need not "
    "agree."
)
SOURCE = (
    "Bahdanau, Cho and Bengio 2015, Neural machine translation by jointly learning to align and "
    "translate; Jain and Wallace 2019, Attention is not explanation"
)


def aligned_section(
    sources: Sequence[str],
    targets: Sequence[str],
    attention: NDArray[np.float32] | None,
    gradients: NDArray[np.float64],
) -> Section:
    """Attention and gradients between the pieces of a sentence and of its translation.

    Args:
        attention: float32[targets, sources]; None for a decoder without attention.
        gradients: float64[targets, sources].
    """
    by_gradient = "The norm of the gradient of each piece's log-probability by each source piece."
    parts = [Links(sources, gradients, targets, by_gradient, shown=0)]
    note = "This decoder has no attention."
    data: dict[str, object] = {}
    if attention is not None:
        caption = "Attention of the decoder's last block, the mean of its heads."
        parts.insert(0, Links(sources, attention, targets, caption, shown=0))
        agree = float(np.mean(attention.argmax(axis=1) == gradients.argmax(axis=1)))
        note = (
            f"For {100 * agree:.0f} % of the pieces the source piece with the most attention is "
            "also the one with the largest gradient."
        )
        data["agreement"] = agree
    return Section(
        key="aligned",
        title=TITLE,
        text=TEXT,
        source=SOURCE,
        parts=tuple(parts),
        note=note,
        data=data,
    )
