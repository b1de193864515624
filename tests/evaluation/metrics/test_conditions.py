"""The accuracy in conditions other than those of the clips."""

import numpy as np
import pytest

from textapps.core.errors import DataError
from textapps.evaluation.metrics.conditions import accuracy_in_conditions, condition_metrics


def test_accuracy_in_conditions():
    labels, clean = [0, 1, 1, 0], np.eye(2)[[0, 1, 1, 1]]
    changed = {"8_khz": np.eye(2)[[0, 1, 0, 1]], "reverberation": np.eye(2)[[0, 1, 1, 0]]}
    rows = accuracy_in_conditions(labels, clean, changed)
    assert [(row.name, row.accuracy, row.loss) for row in rows] == [
        ("8_khz", 0.5, 0.25),
        ("reverberation", 1.0, -0.25),
    ]
    assert rows[0].low < 0.5 < rows[0].high
    metrics = condition_metrics(rows)
    assert metrics["accuracy_reverberation"] == 1
    assert list(metrics)[:3] == ["accuracy_8_khz", "accuracy_8_khz_low", "accuracy_8_khz_high"]


def test_other_clips_are_refused():
    with pytest.raises(DataError, match="8_khz: there are predictions for 1 clips of 2"):
        accuracy_in_conditions([0, 1], np.eye(2), {"8_khz": np.eye(2)[:1]})
