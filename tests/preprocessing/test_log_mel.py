"""The front end against NumPy, and the laws that it must keep."""

import functools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textapps.core.errors import ConfigurationError, DataError, RunError
from textapps.preprocessing.config import AudioConfig
from textapps.preprocessing.log_mel import FrontEnd
from textapps.preprocessing.mel import MelBands, cosine_transform
from textapps.preprocessing.normalization import Normalization

SMALL = {"sample_rate": 8_000, "window_ms": 8, "hop_ms": 3, "mels": 9, "low_hz": 90}
SMALL |= {"high_hz": 3_700, "clip_seconds": 0.1, "coefficients": 5}
BATCH, WINDOW, HOP = 3, 64, 24
KINDS = ("log-mel", "mfcc", "pcen")


@functools.cache
def front_end(kind):
    config = AudioConfig(kind=kind, **SMALL)
    rng = np.random.default_rng(1)
    normalization = Normalization(
        rng.normal(-5, 2, config.features), rng.uniform(1, 3, config.features)
    )
    return FrontEnd(config, normalization)


@functools.cache
def streaming(kind):
    state = front_end(kind).initial_state(BATCH)
    specs = [
        tf.TensorSpec([BATCH, None]),
        {name: tf.TensorSpec(leaf.shape, leaf.dtype) for name, leaf in state.items()},
        tf.TensorSpec([BATCH], tf.int32),
    ]
    return tf.function(front_end(kind).next_frames, input_signature=specs)


def noise(samples, seed=2, rows=BATCH):
    return np.random.default_rng(seed).normal(0, 0.2, (rows, samples)).astype("float32")


def oracle(x, config, normalization=None):
    """One waveform, frame by frame: the DFT as a sum, each band as a triangle."""
    size = 2 ** int(np.ceil(np.log2(config.window_samples)))
    frequencies = np.arange(size // 2 + 1) * config.sample_rate / size
    wave = np.exp(-2j * np.pi * np.outer(np.arange(size // 2 + 1), np.arange(size)) / size)

    def mel(hz):
        return 1127 * np.log(1 + hz / 700)

    points = np.linspace(mel(config.low_hz), mel(config.high_hz), config.mels + 2)
    window = np.sin(np.pi * np.arange(config.window_samples) / config.window_samples) ** 2
    frames, smooth, weight = [], 0.0, 0.0
    for start in range(0, len(x) - config.window_samples + 1, config.hop_samples):
        piece = np.zeros(size)
        piece[: config.window_samples] = x[start : start + config.window_samples] * window
        energy = np.abs(wave @ piece) ** 2
        bands = [
            sum(
                np.interp(mel(hz), points[band : band + 3], [0, 1, 0], 0, 0) * e
                for hz, e in zip(frequencies, energy, strict=True)
            )
            for band in range(config.mels)
        ]
        frame = np.log(np.array(bands) + 1e-6)
        if config.kind == "mfcc":
            orders, places = np.ogrid[: config.coefficients, : config.mels]
            scale = np.where(orders == 0, 1 / config.mels, 2 / config.mels) ** 0.5
            frame = (scale * np.cos(np.pi * orders * (2 * places + 1) / 2 / config.mels)) @ frame
        if config.kind == "pcen":
            smooth = 0.975 * smooth + 0.025 * np.array(bands)
            weight = 0.975 * weight + 0.025
            ratio = bands / (1e-9 + smooth / weight) ** 0.98
            frame = (ratio + 2) ** 0.5 - 2**0.5
        if normalization is not None:
            frame = (frame - normalization.mean) / normalization.deviation
        frames.append(frame)
    return np.array(frames)


@pytest.mark.parametrize("kind", KINDS)
def test_equals_numpy(kind):
    layer, x = front_end(kind), noise(200)
    frames = layer.frames(x).numpy()
    assert frames.shape == (BATCH, 6, layer.config.features)
    for row in range(BATCH):
        expected = oracle(x[row].astype(float), layer.config, layer.normalization)
        np.testing.assert_allclose(frames[row], expected, atol=1e-4)


def test_the_sizes_of_the_default():
    config = AudioConfig()
    assert (config.window_samples, config.hop_samples, config.clip_samples) == (400, 160, 16_000)
    assert config.clip_frames == 98
    x = noise(1_000, rows=1)
    frames = FrontEnd(config).frames(x).numpy()
    np.testing.assert_allclose(frames[0], oracle(x[0].astype(float), config), atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25)
@given(data=st.data())
def test_any_cut_with_any_padding_gives_the_frames_of_the_whole(kind, data):
    """Each row is cut in its own way."""
    lengths = st.lists(st.integers(0, 150), min_size=1, max_size=5)
    chunks = len(data.draw(lengths))
    pieces = np.array(
        data.draw(
            st.lists(
                st.lists(st.integers(0, 150), min_size=chunks, max_size=chunks),
                min_size=BATCH,
                max_size=BATCH,
            )
        )
    )
    x = noise(int(pieces.sum(axis=1).max()), seed=data.draw(st.integers(0, 99)))
    state, found = front_end(kind).initial_state(BATCH), [[] for _ in range(BATCH)]
    starts = np.zeros(BATCH, int)
    for index in range(chunks):
        size = pieces[:, index]
        chunk = np.full((BATCH, size.max() + data.draw(st.integers(0, 9))), 7.0, "float32")
        for row in range(BATCH):
            chunk[row, : size[row]] = x[row, starts[row] : starts[row] + size[row]]
        frames, mask, state = streaming(kind)(chunk, state, size)
        for row in range(BATCH):
            found[row].extend(frames.numpy()[row, mask.numpy()[row]])
        starts += size
    for row in range(BATCH):
        whole = front_end(kind).frames(x[row : row + 1, : starts[row]])[0]
        assert len(found[row]) == len(whole)
        if len(whole):
            np.testing.assert_allclose(found[row], whole, atol=1e-5)


def test_an_empty_chunk_leaves_the_state_as_it_was():
    x, layer = noise(150), front_end("mfcc")
    _, _, state = layer.next_frames(x)
    for chunk, samples in ((x[:, :0], None), (x, np.zeros(BATCH, np.int32))):
        frames, mask, after = layer.next_frames(chunk, state, samples)
        assert frames.shape[:2] == mask.shape
        assert not mask.numpy().any()
        for name, leaf in state.items():
            np.testing.assert_array_equal(after[name], leaf)


def test_the_state_does_not_depend_on_the_cut():
    x, layer = noise(170), front_end("log-mel")
    _, _, whole = layer.next_frames(x)
    _, _, state = layer.next_frames(x[:, :101])
    _, _, state = layer.next_frames(x[:, 101:], state)
    for name, leaf in whole.items():
        np.testing.assert_array_equal(state[name], leaf)


@pytest.mark.parametrize("samples", [0, 1, WINDOW - 1])
def test_less_than_a_window_has_no_frame(samples):
    assert front_end("log-mel").frames(noise(samples)).shape == (BATCH, 0, 9)


@pytest.mark.parametrize("kind", KINDS)
def test_silence_gives_finite_numbers(kind):
    frames = front_end(kind).frames(np.zeros((1, 200), "float32"))
    assert np.isfinite(frames).all()
    loud = front_end(kind).frames(np.ones((1, 200), "float32"))
    assert np.isfinite(loud).all()


def test_a_loud_neighbour_does_not_change_a_quiet_clip():
    x = noise(200)
    x[0] *= 1e-3
    alone = front_end("log-mel").frames(x[:1])
    x[1] *= 1e3
    np.testing.assert_allclose(front_end("log-mel").frames(x)[:1], alone, atol=1e-5)


def test_energies_relative_to_the_past_hardly_depend_on_the_level():
    layer = FrontEnd(AudioConfig(kind="pcen", **SMALL))
    assert {"smooth", "weight"} <= layer.initial_state(BATCH).keys()
    root = layer.frames(noise(900)).numpy() + 2**0.5
    quiet = layer.frames(noise(900) / 100).numpy() + 2**0.5
    assert np.all((quiet <= root + 1e-4) & (quiet > 0.9 * root))
    plain = FrontEnd(AudioConfig(**SMALL))
    assert plain.initial_state(BATCH).keys() == {"samples", "count"}


@pytest.mark.parametrize("kind", KINDS)
def test_features_from_the_log_mel_spectrogram(kind):
    layer, x = front_end(kind), noise(300)
    found = layer.from_log_mels(layer.log_mels(x))
    np.testing.assert_allclose(found, layer.frames(x), atol=1e-3)


@pytest.mark.parametrize(("bands", "bins", "low_hz"), [(40, 257, 60), (80, 257, 60), (7, 33, 0)])
def test_the_bands_equal_tensorflow_s(bands, bins, low_hz):
    expected = tf.signal.linear_to_mel_weight_matrix(bands, bins, 16_000, low_hz, 7_600).numpy()
    found = MelBands(bands, bins, 16_000, low_hz, 7_600)
    np.testing.assert_allclose(found.weights[1:], expected[1:], atol=1e-4)
    energies = np.random.default_rng(4).exponential(size=(2, 3, bins)).astype("float32")
    np.testing.assert_allclose(found(energies), energies @ found.weights, rtol=1e-5)
    assert all(first >= 0 and block.size < 1_024 for first, _, block in found._blocks)


def test_too_many_bands_are_refused():
    with pytest.raises(ConfigurationError, match="mels 200 is too many"):
        FrontEnd(AudioConfig(mels=200))


def test_the_cosine_transform_keeps_energies():
    matrix = cosine_transform(7, 7)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(7), atol=1e-6)
    np.testing.assert_array_equal(cosine_transform(7, 3), matrix[:, :3])


def test_what_is_learnt_brings_mean_and_deviation_to_0_and_1(tmp_path):
    config = AudioConfig(**SMALL)
    clips = [noise(300, seed=seed) * 3.0**seed for seed in range(3)]
    learnt = FrontEnd.learn(config, clips)
    frames = np.concatenate([learnt.frames(batch) for batch in clips]).reshape(-1, 9)
    np.testing.assert_allclose(frames.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(frames.std(axis=0), 1, atol=1e-4)
    learnt.save(tmp_path)
    again = FrontEnd.load(tmp_path, config)
    np.testing.assert_array_equal(again.frames(clips[1]), learnt.frames(clips[1]))


def test_silence_alone_can_be_learnt_from():
    learnt = FrontEnd.learn(AudioConfig(**SMALL), [np.zeros((2, 300), "float32")])
    assert np.abs(learnt.frames(np.zeros((2, 300), "float32"))).max() < 1e-3
    assert np.isfinite(learnt.frames(noise(300))).all()


@pytest.mark.parametrize("batches", [[], [np.zeros((2, 5), "float32")]])
def test_no_frame_is_nothing_to_learn_from(batches):
    with pytest.raises(DataError, match="no audio"):
        FrontEnd.learn(AudioConfig(**SMALL), batches)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (None, None, "cannot be read"),
        ('"format": 1', '"format": 2', "has format 2.*reads format 1"),
        ("4.0", "5.0", "damaged"),
        ("{", "[", "cannot be read"),
        ('"deviation"', '"deviance"', "cannot be read"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, old, new, message):
    if old is not None:
        Normalization([1, 2], [3, 4]).save(tmp_path)
        path = tmp_path / "normalization.json"
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))
    with pytest.raises(RunError, match=message):
        Normalization.load(tmp_path, 2)


def test_a_file_for_other_features_is_refused(tmp_path):
    Normalization([1, 2], [3, 4]).save(tmp_path)
    with pytest.raises(RunError, match="for 2 features, not 9"):
        FrontEnd.load(tmp_path, AudioConfig(**SMALL))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hop_ms": 30}, "hop_ms 30 must not be more than window_ms"),
        ({"high_hz": 8_001}, "half of sample_rate"),
        ({"low_hz": 7_600}, "low_hz 7600 must be below"),
        ({"clip_seconds": 0.02}, "at least as long as window_ms"),
        ({"kind": "mfcc", "coefficients": 41}, "not be more than mels"),
    ],
)
def test_sizes_that_do_not_fit_together_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        AudioConfig(**options)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")
def test_converts_to_builtin_operations_and_int8_changes_nothing(kind):
    """Energies must not be quantised: their logarithm would show it."""
    layer = FrontEnd(AudioConfig(kind=kind))
    x = noise(1_000, rows=1) * np.geomspace(1e-4, 1, 1_000, dtype="float32")
    graph = tf.function(layer.frames, input_signature=[tf.TensorSpec(x.shape)])
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [graph.get_concrete_function()], layer
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    interpreter = tf.lite.Interpreter(model_content=converter.convert())
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    frames = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_allclose(frames, layer.frames(x), atol=1e-3)
