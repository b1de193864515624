import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from textapps.evaluation.reports.spectrogram import COLUMNS, ROWS, drawn, loudness_levels


def painted(svg, shape):
    """The opacity of each cell, float[rows, columns] read from the top, as a browser fills it."""
    cells = np.zeros(shape)
    for opacity, steps in re.findall(r'fill-opacity="([\d.]+)" d="([^"]*)"', svg):
        for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", steps):
            place = np.s_[int(y), int(x) : int(x) + int(width)]
            assert not cells[place].any()  # no cell is painted twice
            cells[place] = float(opacity)
    return cells


def test_time_goes_to_the_right_and_tones_upwards():
    features = np.zeros([5, 3])
    features[4, 0], features[1, 2] = 7.0, 3.5  # late and low, early and high
    svg = drawn(features, 0.5, "clip")
    cells = painted(svg, [3, 5])
    assert cells[2, 4] == 1.0
    assert cells[0, 1] == pytest.approx(4 / 7, abs=0.01)
    assert np.count_nonzero(cells) == 2


@given(hnp.arrays(np.float32, st.tuples(st.integers(1, 9), st.integers(1, 7))))
def test_any_features_can_be_drawn(features):
    levels = loudness_levels(features)
    svg = drawn(features, 1.0, "clip")
    np.testing.assert_allclose(
        painted(svg, features.shape[::-1]), np.flipud(levels.T) / 7, atol=0.006
    )
    assert "nan" not in svg


def test_louder_is_never_fainter():
    values = np.random.default_rng(0).normal(size=[11, 6])
    order = np.argsort(values, axis=None)
    assert (np.diff(loudness_levels(values).ravel()[order]) >= 0).all()


@pytest.mark.parametrize("value", [0.0, -13.8, np.nan, -np.inf])
def test_nothing_stands_out_of_silence(value):
    assert not loudness_levels(np.full([4, 3], value)).any()
    assert drawn(np.full([4, 3], value), 1.0, "clip").count("<path") == 1  # the axis


def test_long_clips_are_averaged():
    features = np.zeros([1_000, 81])
    features[500:] = 1.0
    cells = painted(drawn(features, 10.0, "clip"), [ROWS, COLUMNS])
    assert not cells[:, : COLUMNS // 2].any()
    assert (cells[:, COLUMNS // 2 :] == 1).all()


@pytest.mark.parametrize(
    ("seconds", "ticks"),
    [
        (1.0, ["0 s", "0.25 s", "0.5 s", "0.75 s", "1 s"]),
        (0.3, ["0 s", "0.1 s", "0.2 s", "0.3 s"]),
        (7.9, ["0 s", "2 s", "4 s", "6 s"]),
        (0.0, ["0 s"]),
    ],
)
def test_times_below(seconds, ticks):
    assert re.findall(r">([\d.]+ s)<", drawn(np.eye(4), seconds, "x")) == ticks


def test_the_name_is_escaped_and_colours_are_those_of_the_page():
    svg = drawn(np.eye(3), 1.0, '"><script>')
    assert "<script>" not in svg
    assert set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg)) == {
        "var(--first)",
        "var(--line)",
        "var(--muted)",
    }
