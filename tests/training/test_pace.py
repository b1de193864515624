"""The time left, held against trainings that are played through."""

import math

from hypothesis import given
from hypothesis import strategies as st

from textapps.training.pace import FEWEST, SKIPPED, Extent, Pace


def play(extent: Extent, step_seconds: float, validation_seconds: float) -> list[float | None]:
    """What was off in each estimate, for a training whose first step takes a minute longer."""
    now, spent, estimates = 7.0, extent.seconds, []
    pace = Pace(extent, now)
    for step in range(extent.resumed_at + 1, extent.total_steps + 1):
        last = step_seconds + 60 * (step == extent.resumed_at + 1)
        now, spent = now + last, spent + last
        pace.step(step, now)
        estimates.append((now, pace.left()))
        over = extent.max_seconds is not None and spent >= extent.max_seconds
        if step % extent.interval == 0 or step == extent.total_steps or over:
            now += validation_seconds
            pace.validated(now)
        if over:
            break
    return [None if left is None else left - (now - then) for then, left in estimates]


@given(
    st.integers(1, 40),
    st.integers(0, 20),
    st.integers(1, 9),
    st.none() | st.floats(61, 200),
    st.floats(0.5, 5),
)
def test_estimates_are_right_whatever_ends_the_training(steps, before, interval, limit, seconds):
    # A validation takes what is assumed until one has been measured.
    extent = Extent(before + steps, before, 11, interval, 3, 1.5, limit)
    off = play(extent, seconds, validation_seconds=seconds)
    known = SKIPPED + FEWEST - 1
    assert off[:known] == [None] * min(known, len(off))
    # The step in which time runs out goes on to its end, perhaps into another interval.
    slack = 2 * seconds if limit is not None else 0.0
    for one in off[known:]:
        assert one is not None
        assert math.fabs(one) <= slack + 1e-6


def test_a_measured_validation_replaces_the_guess():
    extent = Extent(24, 0, 12, 12, 9)
    off = play(extent, step_seconds=2, validation_seconds=30)
    assert off[:4] == [None] * 4
    assert off[4:12] == [2 * (9 * 2 / 3 - 30)] * 8
    assert off[12:] == [0] * 12
