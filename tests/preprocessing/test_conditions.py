"""Clips as poor devices and rooms give them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import fftconvolve

from textapps.preprocessing import conditions
from textapps.preprocessing.conditions import CONDITIONS
from textapps.preprocessing.resampling import resample
from textapps.preprocessing.rooms import room_response

RATE = 12_000


def clips(count=3, samples=1_700, seed=2):
    return np.random.default_rng(seed).uniform(-0.4, 0.4, (count, samples)).astype("float32")


def test_narrow_is_what_8_khz_leaves():
    x = clips()
    there_and_back = resample(resample(x, RATE, 8_000), 8_000, RATE)[:, : x.shape[1]]
    found = conditions.narrowed(x, RATE)
    # At the ends, the two differ in what they take for the samples beyond.
    np.testing.assert_allclose(found[:, 200:-200], there_and_back[:, 200:-200], atol=5e-3)


@pytest.mark.parametrize(("pitch_hz", "kept"), [(3_000, 1), (3_900, 1), (4_200, 0), (5_500, 0)])
def test_narrow_keeps_tones_below_4_khz(pitch_hz, kept):
    tone = 0.3 * np.sin(2 * np.pi * pitch_hz * np.arange(2_400) / RATE)[None]
    middle = conditions.narrowed(tone, RATE)[0, 600:-600]
    assert np.abs(middle).max() == pytest.approx(0.3 * kept, abs=0.01)


def test_quieter_is_a_hundredth_in_whole_steps():
    x = clips()
    found = conditions.quieter(x, RATE).astype(float) * 32_768
    np.testing.assert_array_equal(found, np.rint(found))
    np.testing.assert_allclose(found, x * 327.68, atol=0.501)


def test_every_clip_has_its_own_room():
    x = clips()
    found = conditions.reverberant(x, RATE)
    for row, clip in enumerate(x):
        random = np.random.default_rng([7, row])
        room = room_response(RATE, conditions.ROOM_SECONDS, conditions.ROOM_DIRECT_DB, random)
        wet = fftconvolve(clip.astype(float), room)[: len(clip)]
        np.testing.assert_allclose(found[row], wet / max(1, np.abs(wet).max()), atol=1e-5)


def test_a_loud_clip_is_scaled_as_a_whole():
    found = conditions.reverberant(np.ones((1, 2_000)), RATE)
    assert np.abs(found).max() == pytest.approx(1)


@pytest.mark.parametrize("name", CONDITIONS)
@given(first=st.integers(0, 3))
def test_a_set_can_be_changed_in_parts(name, first):
    x = clips(4, 300)
    whole = CONDITIONS[name](x, RATE, 0)
    assert (whole.shape, whole.dtype) == (x.shape, np.float32)
    np.testing.assert_allclose(CONDITIONS[name](x[first:], RATE, first), whole[first:], atol=1e-6)


@given(seconds=st.floats(0.1, 1.5), direct_db=st.floats(-10, 20), seed=st.integers(0, 99))
def test_a_room_fades_by_60_db_in_its_time(seconds, direct_db, seed):
    room = room_response(RATE, seconds, direct_db, np.random.default_rng(seed)).astype(float)
    assert len(room) == max(2, round(seconds * RATE))
    assert (room**2).sum() == pytest.approx(1, abs=1e-4)
    echoes = (room[1:] ** 2).sum()
    assert 10 * np.log10(room[0] ** 2 / echoes) == pytest.approx(direct_db, abs=0.01)
    # Schroeder's backward integral, over the stretch that is not cut off.
    left = np.cumsum(room[:0:-1] ** 2)[::-1]
    begin, end = len(room) // 5, len(room) // 2
    fall_db = 10 * np.log10(left[begin] / left[end])
    assert fall_db == pytest.approx(60 * (end - begin) / len(room), rel=0.2)
