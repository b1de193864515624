import math

import numpy as np
import pytest

from textapps.training.schedule import WarmupSchedule


def rates(kind, warmup_steps=4, total_steps=20, peak=0.5):
    schedule = WarmupSchedule(peak, kind, warmup_steps, total_steps)
    return np.array([float(schedule(step)) for step in range(total_steps)])


@pytest.mark.parametrize(
    ("kind", "decay"),
    [
        ("constant", lambda p: 1),
        ("linear", lambda p: 1 - p),
        ("cosine", lambda p: (1 + math.cos(math.pi * p)) / 2),
    ],
)
def test_rises_linearly_then_decays(kind, decay):
    expected = [0.125, 0.25, 0.375, 0.5] + [0.5 * decay((s - 4) / 16) for s in range(4, 20)]
    np.testing.assert_allclose(rates(kind), expected, rtol=1e-5)


@pytest.mark.parametrize("kind", ["linear", "cosine"])
def test_is_never_0_during_training_and_0_after(kind):
    assert (rates(kind) > 0).all()
    assert float(WarmupSchedule(0.5, kind, 4, 20)(20)) == pytest.approx(0, abs=1e-7)


def test_inverse_square_root_is_the_one_of_the_paper():
    """Vaswani et al. 2017, equation 3, whose steps count from 1."""
    units, warmup = 64, 5
    steps = np.arange(1, 51)
    expected = units**-0.5 * np.minimum(steps**-0.5, steps * warmup**-1.5)
    found = rates("inverse-sqrt", warmup, total_steps=50, peak=(units * warmup) ** -0.5)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert rates("inverse-sqrt", warmup_steps=0).tolist() == pytest.approx(
        (0.5 / np.sqrt(np.arange(1, 21))).tolist()
    )


def test_warm_up_takes_at_most_a_quarter():
    assert rates("constant", warmup_steps=1000).argmax() == 4


def test_no_warm_up():
    assert rates("constant", warmup_steps=0)[0] == pytest.approx(0.5)


def test_configuration_round_trip():
    schedule = WarmupSchedule(0.5, "cosine", 4, 20)
    copy = WarmupSchedule.from_config(schedule.get_config())
    assert float(copy(7)) == float(schedule(7))
