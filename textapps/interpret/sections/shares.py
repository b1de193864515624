"""The section on which words a label comes from, and which method to believe."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from textapps.evaluation.reports.plots import FIRST, INK, MUTED, SECOND, WIDTH, dress
from textapps.interpret.deletion import area_under
from textapps.interpret.section import Coloured, Picture, Section, Table

SHOWN = 300  # words
SHOWN_LABELS = 5
TITLE = "Which words the label comes from"
TEXT = (
    "Integrated gradients share out among the words what sets the text apart from one of unknown "
    "words; occlusion says by how much the log-odds of the label fall when one word is unknown. "
    "The deletion curve makes the words unknown one after the other, in the order of either: "
    "believe the method whose curve falls sooner."
)
SOURCE = (
    "Sundararajan, Taly and Yan 2017, Axiomatic attribution for deep networks; Zeiler and Fergus "
    "2014, Visualizing and understanding convolutional networks (occlusion); Petsiuk, Das and "
    "Saenko 2018, RISE (deletion)"
)
_STYLES = ((FIRST, "-"), (SECOND, "--"), (MUTED, ":"))

Floats = NDArray[np.float64]


def shares_section(
    label: str,
    probabilities: Mapping[str, float],
    words: Sequence[str],
    values: Mapping[str, Floats],
    curves: Mapping[str, Floats],
    errors: Sequence[float],
) -> Section:
    """What integrated gradients and occlusion say of a text, and deletion curves of several.

    Args:
        label: the answer to the first text, which is explained.
        probabilities: of all labels for this text.
        words: of the first text.
        values: by method, float64[words].
        curves: by the same methods and by "random order", the mean deletion curve of all texts.
        errors: the completeness error of each text, in log-odds.
    """
    areas = {name: area_under(curve) for name, curve in curves.items()}
    best = min(values, key=lambda name: areas[name])
    pieces = [f"{word} " for word in words[:SHOWN]]
    first = "" if len(words) <= SHOWN else f", the first {SHOWN} words"
    texts = [
        Coloured(
            pieces,
            (value / max(float(np.abs(value).max(initial=0)), 1e-9))[:SHOWN],
            f"{name.capitalize()}: what speaks for {label} and what against it{first}.",
            [f"{each:+.3f}" for each in value[:SHOWN]],
        )
        for name, value in values.items()
    ]
    likely = sorted(probabilities.items(), key=lambda item: -item[1])[:SHOWN_LABELS]
    answer = Table(
        ("label", "probability"),
        [(name, f"{100 * share:.2f} %") for name, share in likely],
        f"The answer to the first text is {label}."
        + (f" The {SHOWN_LABELS} most likely labels." if len(likely) < len(probabilities) else ""),
    )
    plot = Picture(
        _plot(curves),
        f"Deletion curves of {', '.join(curves)}.",
        f"Mean of {len(errors)} texts: the log-odds of the label against the share of words that "
        "are unknown.",
    )
    table = Table(
        ("order", "area under the curve"),
        [(name, f"{area:.3f}") for name, area in areas.items()],
        f"Lower is better: here {best} knows better which words count. The shares of integrated "
        f"gradients miss the difference of log-odds by {float(np.median(errors)):.3f} in the "
        f"median, at most by {max(errors):.3f}.",
    )
    return Section(
        key="shares",
        title=TITLE,
        text=TEXT,
        source=SOURCE,
        parts=(answer, *texts, plot, table),
        data={
            "label": label,
            "probabilities": dict(probabilities),
            "words": list(words),
            "values": dict(values),
            "deletion_curves": dict(curves),
            "areas": areas,
            "completeness_errors": list(errors),
        },
    )


def _plot(curves: Mapping[str, Floats]) -> Figure:
    figure = Figure(figsize=(WIDTH, 3.0), layout="constrained")
    axes = figure.add_subplot()
    dress(axes)
    for (name, curve), (colour, line) in zip(curves.items(), _STYLES, strict=True):
        axes.plot(np.linspace(0, 100, len(curve)), curve, line, color=colour, label=name)
    axes.set_xlabel("unknown words, %", color=MUTED)
    axes.set_ylabel("log-odds", color=MUTED)
    axes.legend(frameon=False, labelcolor=INK, fontsize=8)
    return figure
