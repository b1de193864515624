"""Random rooms, lines and levels, each by itself."""

import numpy as np
import pytest
import tensorflow as tf

from textapps.preprocessing.augmentation_config import AugmentationConfig
from textapps.preprocessing.channel import DRAWS, ROOMS, Channel
from textapps.preprocessing.config import AudioConfig

AUDIO = AudioConfig(sample_rate=12_000, high_hz=5_000, clip_seconds=0.2)
SAMPLES, BATCH = 2_400, 5
ROOM, WHICH, NARROW, LINE, CHANGED, LEVEL = range(DRAWS)


def channel(**options):
    return Channel(AugmentationConfig(**options), AUDIO)


def clips(rows=BATCH, seed=1):
    return np.random.default_rng(seed).uniform(-0.3, 0.3, (rows, SAMPLES)).astype("float32")


def draws(rows=BATCH, **values):
    numbers = np.full((rows, DRAWS), 0.5, "float32")
    for name, value in values.items():
        numbers[:, globals()[name.upper()]] = value
    return numbers


def tone(pitch_hz):
    return (0.3 * np.sin(2 * np.pi * pitch_hz * np.arange(SAMPLES) / 12_000)).astype("float32")


def level_of(clip):
    return np.sqrt(np.mean(np.asarray(clip)[600:-600] ** 2)) * np.sqrt(2) / 0.3


def test_by_default_nothing_changes():
    numbers = np.random.default_rng(2).uniform(size=(BATCH, DRAWS)).astype("float32")
    np.testing.assert_array_equal(channel()(clips(), numbers), clips())


def test_only_the_share_changes_and_the_others_stay_to_the_bit():
    x = clips()
    numbers = draws(room=[0, 0.29, 0.3, 0.9, 0.1])
    changed = np.any(channel(room_share=0.3)(x, numbers).numpy() != x, axis=1)
    assert changed.tolist() == [True, True, False, False, True]


def test_no_clip_of_a_batch_may_be_chosen():
    numbers = draws(room=0.9, narrow=0.9)
    found = channel(room_share=0.3, telephone_share=0.3)(clips(), numbers)
    np.testing.assert_array_equal(found, clips())


def test_a_room_is_a_convolution():
    made = channel(room_share=1, room_seconds=0.3)
    x = np.zeros((3, SAMPLES), "float32")
    x[:, 0] = 0.5
    numbers = draws(3, which=[0, 0.5, 0.999])
    rooms = 2 * made(x, numbers).numpy()
    assert len(np.unique(rooms.round(4), axis=0)) == 3
    assert np.all(rooms[:, 0] > 0.4)  # the direct sound
    assert np.all(rooms[:, 1:60].max(axis=1) < 1e-5)  # nothing for 5 ms
    assert np.all((rooms**2).sum(axis=1) <= 1 + 1e-4)
    later = np.roll(x, 700, axis=1)
    found = 2 * made(later, numbers).numpy()
    np.testing.assert_allclose(found[:, 700:], rooms[:, :-700], atol=1e-5)
    assert ROOMS > 2


@pytest.mark.parametrize(
    ("line", "pitch_hz", "kept"),
    [(0, 100, 1), (0, 3_700, 1), (0, 4_300, 0), (0.6, 100, 0), (0.6, 1_000, 1), (0.6, 3_700, 0)],
)
def test_a_band(line, pitch_hz, kept):
    sound = channel(telephone_share=1)(tone(pitch_hz)[None], draws(1, line=line))
    assert level_of(sound[0]) == pytest.approx(kept, abs=0.04)


def test_a_line_codes_in_8_bits():
    """The noise of µ-law is about 38 dB below any tone that is not very soft."""
    for amplitude in (1.0, 0.1):
        x = amplitude * tone(1_000)[None]
        sound = channel(telephone_share=1)(x, draws(1, line=0.9)).numpy()
        noise = (sound - x)[0, 600:-600]
        ratio_db = 10 * np.log10(np.mean(x[0, 600:-600] ** 2) / np.mean(noise**2))
        assert 30 < ratio_db < 45
    clean = channel(telephone_share=1)(x, draws(1, line=0.1)).numpy()
    assert np.abs((clean - x)[0, 600:-600]).max() < 1e-3 * np.abs(x).max()


@pytest.mark.parametrize(("level", "gain_db"), [(0, -40), (0.5, -14), (0.999999, 12)])
def test_a_level(level, gain_db):
    x = clips() / 5
    found = channel(level_share=0.5)(x, draws(changed=0.49, level=level)).numpy()
    np.testing.assert_allclose(found, x * 10 ** (gain_db / 20), atol=0.6 / 32_768)
    np.testing.assert_array_equal(found * 32_768, np.rint(found * 32_768))


def test_a_level_never_leaves_the_range():
    found = channel(level_share=1, level_high_db=40)(clips(), draws(level=0.999))
    assert np.abs(found).max() == 1


def test_a_clip_depends_on_its_own_numbers_alone():
    made = channel(room_share=0.5, telephone_share=0.5, level_share=0.5)
    x = clips(40)
    numbers = np.random.default_rng(4).uniform(size=(40, DRAWS)).astype("float32")
    specs = [tf.TensorSpec([None, SAMPLES]), tf.TensorSpec([None, DRAWS])]
    graph = tf.function(made, input_signature=specs, autograph=False)
    whole = graph(x, numbers)
    np.testing.assert_array_equal(whole, graph(x, numbers))
    np.testing.assert_allclose(graph(x[::-1].copy(), numbers[::-1].copy())[::-1], whole, atol=1e-6)
    for row in (0, 7, 39):
        alone = graph(x[row : row + 1], numbers[row : row + 1])
        # µ-law may round a sample that lies between two steps either way.
        assert np.quantile(np.abs(alone[0] - whole[row]), 0.99) < 1e-5
    assert np.any(whole != x, axis=1).sum() > 20
