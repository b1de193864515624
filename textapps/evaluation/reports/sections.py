"""What a report is made of: facts, then sections of seven kinds.

Any text in them may come from users: the template escapes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.figure import Figure


# The figures that reports show, in their order, with the words for each.
NAMES = {
    "accuracy": "Accuracy",
    "macro_f1": "Macro F1",
    "auc": "AUC",
    "log_loss": "Log-loss",
    "calibration_error": "Calibration error",
    "nats_per_character": "Nats per character",
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
POINTS = {"bleu", "chrf"}  # of 100, and never written as a share
RATES = {"false_alarms_per_hour"}


@dataclass(frozen=True)
class Paragraph:
    """A heading and one paragraph."""

    heading: str
    text: str


@dataclass(frozen=True)
class Headline:
    """The figures to read first, each (name, value, detail), written out already."""

    heading: str
    figures: Sequence[tuple[str, str, str]]
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of cells: the first column stands left, the others, figures, right."""

    heading: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | float]]
    note: str = ""


@dataclass(frozen=True)
class Plot:
    """A matplotlib Figure and, for who cannot see it, what it shows in one sentence."""

    heading: str
    figure: Figure
    alt: str
    note: str = ""


@dataclass(frozen=True)
class Texts:
    """Examples: each (caption, text); `typed` ones keep their spaces and an even pitch."""

    heading: str
    items: Sequence[tuple[str, str]]
    note: str = ""
    typed: bool = False


@dataclass(frozen=True)
class Surprise:
    """A text whose characters are coloured by the nats of each, float[characters]."""

    heading: str
    text: str
    nats: Sequence[float]
    note: str = ""


@dataclass(frozen=True)
class Spectrograms:
    """Sounds: each (caption, features float[time, features] from low to high tones, seconds)."""

    heading: str
    items: Sequence[tuple[str, npt.ArrayLike, float]]
    note: str = ""


Section = Paragraph | Headline | Table | Plot | Texts | Surprise | Spectrograms


@dataclass(frozen=True)
class Report:
    """A title, the facts of the run by name, and the sections in their order."""

    title: str
    facts: Mapping[str, str]
    sections: Sequence[Section] = field(default_factory=tuple)


def cell(value: str | float) -> str:
    """A table cell as text: whole numbers in groups of three, others with four decimals.

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
    """A score of at most 100.

    >>> points(36.118)
    '36.12'
    """
    return f"{score:.2f}"


def rate(value: float) -> str:
    """How often something happens in an hour, or in another time.

    >>> rate(1234.56)
    '1,234.6'
    """
    return f"{value:,.1f}"


def figure(metrics: Mapping[str, float], name: str) -> tuple[str, str]:
    """A figure of `metrics` and its interval as text, the interval empty where there is none.

    >>> figure({"accuracy": 0.915, "accuracy_low": 0.91, "accuracy_high": 0.92}, "accuracy")
    ('91.50 %', '91.00 % to 92.00 %')
    """
    writers = ((percent, PERCENTAGES), (points, POINTS), (rate, RATES))
    write = next((each for each, names in writers if name in names), cell)
    bounds = [write(metrics[key]) for key in (f"{name}_low", f"{name}_high") if key in metrics]
    return write(metrics[name]), " to ".join(bounds)
