"""Varied clips: each variation by itself, and that a clip depends on its own numbers alone."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from textapps.decoding.random import uniforms
from textapps.preprocessing.augmentation import Augmentation, clip_seeds
from textapps.preprocessing.augmentation_config import AugmentationConfig
from textapps.preprocessing.config import AudioConfig

AUDIO = AudioConfig(sample_rate=8_000, high_hz=3_700, clip_seconds=0.05, hop_ms=5)
SAMPLES, BATCH = 400, 5
NONE = dict.fromkeys(
    ("speed_percent", "shift_ms", "noise_share", "gain_db", "time_masks", "frequency_masks"), 0
)
SPEED, SHIFT, MIXED, PLACE, SOFTNESS, GAIN = range(6)
MIDDLE = 0.5


def only(noise=None, **options):
    return Augmentation(AugmentationConfig(**{**NONE, **options}), AUDIO, noise)


def clips(rows=BATCH, seed=1):
    return np.random.default_rng(seed).uniform(-0.3, 0.3, (rows, SAMPLES)).astype("float32")


def draws(augmentation, rows=BATCH, **values):
    """Numbers that leave everything alone but what `values` names."""
    numbers = np.full((rows, augmentation.draws), MIDDLE, "float32")
    for name, value in values.items():
        numbers[:, globals()[name.upper()]] = value
    return numbers


def tone(pitch_hz, samples=SAMPLES):
    time = np.arange(samples) / AUDIO.sample_rate
    return (0.3 * np.sin(2 * np.pi * pitch_hz * time)).astype("float32")[None]


def pitch_of(clip):
    middle = np.asarray(clip)[100:300] * np.hanning(200)
    return np.argmax(np.abs(np.fft.rfft(middle, 8_000)))


def test_nothing_at_all_changes_nothing():
    augmentation, x = only(noise=np.ones(50, "float32")), clips()
    numbers = np.random.default_rng(2).uniform(size=(BATCH, augmentation.draws)).astype("float32")
    np.testing.assert_array_equal(augmentation.waveforms(x, numbers), x)
    frames = np.ones((BATCH, 7, 4), "float32")
    np.testing.assert_array_equal(augmentation.frames(frames, numbers), frames)


@pytest.mark.parametrize(("draw", "gain_db"), [(0, -6), (0.25, -3), (0.5, 0), (0.75, 3)])
def test_gain(draw, gain_db):
    augmentation = only(gain_db=6)
    louder = augmentation.waveforms(clips(), draws(augmentation, gain=draw))
    np.testing.assert_allclose(louder, clips() * 10 ** (gain_db / 20), rtol=1e-5)


def test_a_gain_never_leaves_the_range():
    augmentation = only(gain_db=40)
    louder = augmentation.waveforms(clips(), draws(augmentation, gain=0.999))
    assert np.abs(louder).max() == 1


@pytest.mark.parametrize(("draw", "shift_ms"), [(0, -7), (0.5, 0), (0.999, 7)])
def test_shift(draw, shift_ms):
    augmentation, x = only(shift_ms=7), clips()
    moved = augmentation.waveforms(x, draws(augmentation, shift=draw)).numpy()
    shift = -shift_ms * 8
    expected = np.zeros_like(x)
    if shift > 0:
        expected[:, shift:] = x[:, :-shift]
    else:
        expected[:, : SAMPLES + shift] = x[:, -shift:]
    np.testing.assert_array_equal(moved, expected)


@pytest.mark.parametrize(
    ("draw", "factor"), [(0, 0.8), (0.2, 0.9), (0.5, 1), (0.6, 1.1), (0.9, 1.2)]
)
def test_speed(draw, factor):
    augmentation = only(speed_percent=20)
    played = augmentation.waveforms(tone(1_000), draws(augmentation, 1, speed=draw)).numpy()
    assert played.shape == (1, SAMPLES)
    assert pitch_of(played[0]) == pytest.approx(1_000 * factor, abs=6)


def test_the_middle_stays_where_it_is():
    augmentation = only(speed_percent=20)
    x = np.zeros((2, SAMPLES), "float32")
    x[:, 195:206] = np.hanning(11)
    played = augmentation.waveforms(x, draws(augmentation, 2, speed=[0, 0.9])).numpy()
    assert np.abs(played.argmax(axis=1) - 200).max() <= 1


@pytest.mark.parametrize(("softness", "ratio_db"), [(0, 4), (0.5, 9), (1, 14)])
def test_noise_is_mixed_in_at_the_ratio_drawn(softness, ratio_db):
    noise = np.random.default_rng(9).normal(size=1_003).astype("float32")
    augmentation = only(noise, noise_share=0.5, noise_low_db=4, noise_high_db=14)
    x = clips() * np.array([[1], [0.1], [0.5], [1], [0]], "float32")
    numbers = draws(augmentation, softness=softness, mixed=[0, 0.1, 0.49, 0.5, 0])
    added = augmentation.waveforms(x, numbers).numpy() - x
    ratio = 10 * np.log10(np.mean(x[:3] ** 2, axis=1) / np.mean(added[:3] ** 2, axis=1))
    np.testing.assert_allclose(ratio, ratio_db, atol=1e-3)
    assert not added[3:].any()  # one not chosen, one in which there is nothing


def test_the_place_of_the_noise_is_drawn():
    noise = np.repeat([0.1, 0.2, 0.4], 400).astype("float32")
    augmentation = only(noise, noise_share=1, noise_low_db=0, noise_high_db=0)
    numbers = draws(augmentation, mixed=0, place=[0, 1 / 3, 2 / 3, 0.5, 0.9])
    added = augmentation.waveforms(clips(), numbers) - clips()
    steady = np.abs(np.diff(added, axis=1)).max(axis=1) < 1e-5
    assert steady.tolist() == [True, True, True, False, False]


def test_short_noise_is_repeated():
    augmentation = only(np.ones(3, "float32"), noise_share=1, noise_low_db=0, noise_high_db=0)
    added = augmentation.waveforms(clips(), draws(augmentation, mixed=0)) - clips()
    assert np.abs(added).min() > 0.01


@given(numbers=st.lists(st.floats(0, 0.9375, width=32), min_size=6, max_size=6))
def test_masks_are_stretches_no_wider_than_they_may_be(numbers):
    augmentation = only(time_masks=2, time_mask_ms=15, frequency_masks=1, frequency_mask=2)
    values = draws(augmentation, 1)
    values[0, 6:] = numbers
    kept = augmentation.frames(np.ones((1, 11, 7), "float32"), values).numpy()[0]
    assert set(np.unique(kept)) <= {0, 1}
    time, width = ~kept.any(axis=1), ~kept.any(axis=0)
    assert time.sum() <= 2 * 3
    assert width.sum() <= 2
    assert np.abs(np.diff(np.pad(width, 1).astype(int))).sum() in (0, 2)
    np.testing.assert_array_equal(kept == 0, time[:, None] | width[None])


def test_masks_of_every_width_and_place_occur():
    augmentation = only(frequency_masks=1, frequency_mask=2)
    numbers = np.random.default_rng(3).uniform(size=(500, augmentation.draws)).astype("float32")
    kept = augmentation.frames(np.ones((500, 1, 4), "float32"), numbers).numpy()[:, 0]
    found = {tuple(row) for row in kept.astype(int).tolist()}
    singles = {(0, 1, 1, 1), (1, 0, 1, 1), (1, 1, 0, 1), (1, 1, 1, 0)}
    pairs = {(0, 0, 1, 1), (1, 0, 0, 1), (1, 1, 0, 0)}
    assert found == {(1, 1, 1, 1)} | singles | pairs


def test_a_mask_wider_than_the_frames_is_cut():
    augmentation = only(time_masks=1, time_mask_ms=9_000)
    frames = np.ones((200, 3, 2), "float32")
    numbers = np.random.default_rng(3).uniform(size=(200, augmentation.draws)).astype("float32")
    kept = augmentation.frames(frames, numbers).numpy()[:, :, 0].sum(axis=1)
    assert set(kept.tolist()) == {0, 1, 2, 3}


def everything():
    noise = np.random.default_rng(9).normal(size=2_000).astype("float32")
    return Augmentation(AugmentationConfig(shift_ms=10), AUDIO, noise)


def varied(augmentation, x, indices, pass_index=3, seed=11):
    """Waveforms and frames as training makes them."""
    seeds = clip_seeds(seed, pass_index, indices)
    numbers = uniforms(seeds, tf.zeros_like(indices, tf.int32), augmentation.draws)
    frames = tf.ones([tf.shape(x)[0], 9, 40])
    return augmentation.waveforms(x, numbers), augmentation.frames(frames, numbers)


def test_a_clip_depends_on_seed_pass_and_index_alone():
    augmentation, x = everything(), clips(rows=64)
    indices = np.arange(64)
    specs = [tf.TensorSpec([None, SAMPLES]), tf.TensorSpec([None], tf.int64)]
    graph = tf.function(lambda x, i: varied(augmentation, x, i), input_signature=specs)
    together = graph(x, indices)
    reverse = graph(x[::-1].copy(), indices[::-1].copy())
    for one, other in zip(together, reverse, strict=True):
        np.testing.assert_allclose(one, other[::-1], atol=1e-6)
    for row in (0, 17, 63):
        alone = graph(x[row : row + 1], indices[row : row + 1])
        for one, other in zip(together, alone, strict=True):
            np.testing.assert_allclose(one[row], other[0], atol=1e-6)
    for one, other in zip(together, graph(x, indices), strict=True):
        np.testing.assert_array_equal(one, other)


def test_another_seed_pass_or_index_is_another_variation():
    augmentation, x = everything(), np.repeat(clips(rows=1), 4, axis=0)
    indices = np.arange(4)
    ways = [
        varied(augmentation, x, indices)[0].numpy(),
        varied(augmentation, x, indices, pass_index=4)[0].numpy(),
        varied(augmentation, x, indices, seed=12)[0].numpy(),
    ]
    rows = np.concatenate(ways)
    assert len(np.unique(rows.round(5), axis=0)) == len(rows)


def test_seeds_of_large_arguments_do_not_overflow():
    seeds = clip_seeds(2**32 - 1, 10_000, np.array([0, 100_000]))
    assert seeds.dtype == tf.int64
    assert np.diff(seeds.numpy()).tolist() == [100_000]


def test_a_range_upside_down_is_refused():
    with pytest.raises(ValueError, match="noise_low_db 30 must not be above"):
        AugmentationConfig(noise_low_db=30, noise_high_db=20)
