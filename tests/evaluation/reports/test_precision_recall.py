import numpy as np
import pytest

from textapps.evaluation.reports.precision_recall import tradeoff

LABELS = [0, 1, 0, 1, 1]
SECOND = np.array([0.1, 0.2, 0.3, 0.6, 0.9])
SCORES = np.stack([1 - SECOND, SECOND], axis=1)


def marks(threshold: float | None) -> dict[str, tuple[float, float]]:
    (axes,) = tradeoff(LABELS, SCORES, threshold).axes
    lines = [line for line in axes.lines if str(line.get_label()).startswith("threshold")]
    return {str(line.get_label()): (*line.get_xdata(), *line.get_ydata()) for line in lines}


def test_the_marks_are_recall_and_precision_at_their_thresholds() -> None:
    assert marks(None) == {"threshold 0.5": (pytest.approx(2 / 3), 1.0)}
    assert marks(0.2) == {
        "threshold 0.5": (pytest.approx(2 / 3), 1.0),
        "threshold 0.2": (1.0, 0.75),
    }


def test_a_threshold_above_all_scores_has_no_precision_and_no_mark() -> None:
    assert list(marks(0.95)) == ["threshold 0.5"]
