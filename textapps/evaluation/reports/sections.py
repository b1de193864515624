"""The parts of a report: facts, then sections of seven kinds.

Texts in them may come from users; the template escapes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.figure import Figure


TOO_FEW = "which may be chance: there are too few examples to tell."
NOT_TOLD = "cannot be told"  # of an interval: all resamples are alike

# The metrics that reports show, in this order, with their names.
NAMES = {
    "accuracy": "Accuracy",
    "macro_f1": "Macro F1",
    "auc": "AUC",
    "log_loss": "Log-loss",
    "calibration_error": "Calibration error",
    "nats_per_character": "Nats per character",
    "nats_per_token": "Nats per token",
    "bits_per_character": "Bits per character",
    "perplexity": "Perplexity per character",
    "bleu": "BLEU",
    "chrf": "chrF",
    "false_accept_rate": "False accepts",
    "false_reject_rate": "False rejects",
    "miss_rate": "Missed in a stream",
    "false_alarms_per_hour": "False alarms per hour",
}
PERCENTAGES = {
    "accuracy",
    "macro_f1",
    "calibration_error",
    "false_accept_rate",
    "false_reject_rate",
    "miss_rate",
}
POINTS = {"bleu", "chrf"}  # out of 100, not written as a percentage
RATES = {"false_alarms_per_hour"}


@dataclass(frozen=True)
class Paragraph:
    """A heading and one paragraph."""

    heading: str
    text: str


@dataclass(frozen=True)
class Headline:
    """The main metrics, each (name, value, detail) as text."""

    heading: str
    figures: Sequence[tuple[str, str, str]]
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of cells: the first column is left-aligned, the others right-aligned."""

    heading: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | float]]
    note: str = ""


@dataclass(frozen=True)
class Plot:
    """A matplotlib Figure with an alternative text of one sentence."""

    heading: str
    figure: Figure
    alt: str
    note: str = ""


@dataclass(frozen=True)
class Texts:
    """Examples, each (caption, text), or (caption, texts by name) with a line for each text.

    `typed` ones keep their spaces, in a monospaced font. Every line has its own direction.
    """

    heading: str
    items: Sequence[tuple[str, str | Mapping[str, str]]]
    note: str = ""
    typed: bool = False


@dataclass(frozen=True)
class Surprise:
    """A text with each character coloured by its nats, float[characters]."""

    heading: str
    text: str
    nats: Sequence[float]
    note: str = ""


@dataclass(frozen=True)
class Spectrograms:
    """Clips, each (caption, features float[time, features] from low to high pitch, seconds)."""

    heading: str
    items: Sequence[tuple[str, npt.ArrayLike, float]]
    note: str = ""


Section = Paragraph | Headline | Table | Plot | Texts | Surprise | Spectrograms


@dataclass(frozen=True)
class Report:
    """A title, facts about the run by name, and the sections in order."""

    title: str
    facts: Mapping[str, str]
    sections: Sequence[Section] = field(default_factory=tuple)


def cell(value: str | float) -> str:
    """A table cell as text: integers in groups of three digits, others with four decimals.

    >>> cell(25000), cell(0.91544), cell("gru")
    ('25,000', '0.9154', 'gru')
    """
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def percent(share: float) -> str:
    """A share as a percentage.

    >>> percent(0.91544)
    '91.54 %'
    """
    return f"{100 * share:.2f} %"


def points(score: float) -> str:
    """A score out of 100.

    >>> points(36.118)
    '36.12'
    """
    return f"{score:.2f}"


def rate(value: float) -> str:
    """A rate, such as events per hour.

    >>> rate(1234.56)
    '1,234.6'
    """
    return f"{value:,.1f}"


def figure(metrics: Mapping[str, float], name: str) -> tuple[str, str]:
    """A metric and its interval as text; the interval is empty if there is none.

    >>> figure({"accuracy": 0.915, "accuracy_low": 0.91, "accuracy_high": 0.92}, "accuracy")
    ('91.50 %', '91.00 % to 92.00 %')
    """
    writers = ((percent, PERCENTAGES), (points, POINTS), (rate, RATES))
    write = next((each for each, names in writers if name in names), cell)
    bounds = [write(metrics[key]) for key in (f"{name}_low", f"{name}_high") if key in metrics]
    return write(metrics[name]), " to ".join(bounds)


def gap(name: str, difference: float) -> str:
    """A difference of two values of a metric.

    >>> gap("accuracy", 0.0123), gap("bleu", -1.5), gap("log_loss", 0.25)
    ('+1.23 points', '-1.50', '+0.2500')
    """
    if name in PERCENTAGES:
        return f"{100 * difference:+.2f} points"
    return f"{difference:+.2f}" if name in POINTS else f"{difference:+.4f}"
