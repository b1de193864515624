"""The model of the speech task before any training: chunks, state, variations."""

from functools import cache
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.quick import quick
from textapps.backbones.config import BACKBONES
from textapps.preprocessing.log_mel import FrontEnd
from textapps.preprocessing.normalization import Normalization
from textapps.tasks.speech.config import PRESETS, SpeechConfig
from textapps.tasks.speech.listener import Listener
from textapps.tasks.speech.model import SpeechModel
from textapps.training.seeding import seed_everything

CLASSES = 3
POOLINGS = {
    "simple_rnn": "max",
    "jordan": "mean",
    "lstm": "attention",
    "gru": "max_mean",
    "transformer": "mean",
}


def config_of(kind: str, streaming: bool = True, **changes: object) -> SpeechConfig:
    flags = {
        "preset": "tiny",
        "model.streaming": streaming,
        "model.pooling": POOLINGS[kind],
        "preprocessor.sample_rate": 4_000,
        "preprocessor.high_hz": 2_000.0,
        "preprocessor.mels": 5,
        "preprocessor.clip_seconds": 0.2,
        "stem.kernel": 3,
        "backbone.kind": kind,
        "backbone.units": 8,
        "backbone.heads": 2,
        "backbone.context": 6,
        "backbone.feed_forward": 7,
        "detection.hop_ms": 40,
    }
    return PRESETS.resolve(flags={**flags, **changes})


def model_of(config: SpeechConfig, **training: Any) -> SpeechModel:
    seed_everything(4)  # Keras's own would drop the subword models of other tests
    normalization = Normalization(np.full(5, -5.0), np.full(5, 2.0))
    model = SpeechModel(config, FrontEnd(config.preprocessor, normalization), CLASSES, **training)
    model.build()
    return model


@cache
def listening(kind: str, streaming: bool = True) -> tuple[SpeechConfig, SpeechModel, Listener]:
    config = config_of(kind, streaming)
    model = model_of(config)
    return config, model, Listener(model, config.preprocessor, config.detection.hop_ms)


def sound(samples: int, rows: int | None = None) -> Any:
    shape = (samples,) if rows is None else (rows, samples)
    return (0.2 * np.random.RandomState(samples).normal(size=shape)).astype(np.float32)


def heard(listener: Listener, pieces: list[Any]) -> tuple[Any, Any]:
    answers = list(listener.answers(pieces))
    return tuple(np.concatenate([each[column] for each in answers]) for column in (0, 1))


@pytest.mark.slow
@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("kind", quick(BACKBONES, "gru", "transformer"))
@settings(max_examples=8)
@given(cuts=st.lists(st.integers(0, 3_000), max_size=6))
def test_pieces_are_answered_as_the_whole(kind: str, streaming: bool, cuts: list[int]) -> None:
    _, _, listener = listening(kind, streaming)
    waveform = sound(3_000)
    whole, times_ms = heard(listener, [waveform])
    scores, also_ms = heard(listener, np.split(waveform, sorted(cuts)))
    np.testing.assert_array_equal(also_ms, times_ms)
    np.testing.assert_allclose(scores, whole, atol=1e-5)
    assert len(whole) > 10


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("kind", quick(BACKBONES, "gru", "transformer"))
def test_the_first_answer_is_that_to_the_first_clip(kind: str, streaming: bool) -> None:
    config, model, listener = listening(kind, streaming)
    waveform = sound(2_000)
    scores, times_ms = heard(listener, [waveform])
    clip = waveform[None, : config.preprocessor.clip_samples]
    logits = model.logits(model.front_end.frames(tf.constant(clip)))
    np.testing.assert_allclose(scores[0], tf.nn.softmax(logits)[0], atol=1e-5)
    # A position of a causal model ends with its last window, up to a hop before the clip does.
    assert 180 <= times_ms[0] <= 200
    np.testing.assert_allclose(np.diff(times_ms), 40)


@pytest.mark.slow
@pytest.mark.parametrize("kind", BACKBONES)
def test_rows_of_a_stream_may_pause(kind: str) -> None:
    """Samples that do not count change nothing, neither now nor later."""
    config, model, _ = listening(kind)
    del config
    waveform, counts = sound(900, rows=3), np.array([900, 0, 333], np.int32)
    state = model.initial_state(3)
    logits, mask, after = model.listen(tf.constant(waveform), state, tf.constant(counts))
    spoilt = np.where(np.arange(900) < counts[:, None], waveform, 0.9).astype(np.float32)
    again, also, then = model.listen(tf.constant(spoilt), state, tf.constant(counts))
    np.testing.assert_array_equal(mask, also)
    np.testing.assert_allclose(
        np.where(mask[..., None], logits, 0), np.where(mask[..., None], again, 0), atol=1e-6
    )
    following = tf.constant(sound(700, rows=3))
    ends = [model.listen(following, each) for each in (after, then)]
    np.testing.assert_allclose(ends[0][0], ends[1][0], atol=1e-5)
    # The row that paused is where it began.
    fresh, _, _ = model.listen(following, model.initial_state(3))
    count = int(np.sum(ends[0][1][1]))
    np.testing.assert_allclose(ends[0][0][1, :count], fresh[1, :count], atol=1e-5)


def batch(rows: int, config: SpeechConfig) -> dict[str, Any]:
    pcm = (32_768 * sound(config.preprocessor.clip_samples, rows)).astype(np.int16)
    return {"pcm": tf.constant(pcm), "seeds": tf.range(7, 7 + rows, dtype=tf.int64)}


def test_training_varies_its_clips_by_their_seeds_alone() -> None:
    config = config_of("gru", False, **{"model.head_dropout": 0.0, "stem.normalization": "none"})
    model = model_of(config, rows=4, noise=[sound(5_000)])
    inputs = batch(4, config)
    varied = model(inputs, training=True)
    np.testing.assert_array_equal(varied, model(inputs, training=True))
    plain = model(inputs, training=False)
    assert np.abs(varied - plain).max(axis=1).min() > 1e-4
    others = {**inputs, "seeds": inputs["seeds"] + 1}
    assert np.abs(varied - model(others, training=True)).max(axis=1).min() > 1e-4
    shifted = {name: values[1:3] for name, values in inputs.items()}
    np.testing.assert_allclose(model(shifted, training=True), varied[1:3], atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("kind", BACKBONES)
def test_a_share_of_the_clips_begins_where_others_ended(kind: str) -> None:
    options: dict[str, object] = {"model.head_dropout": 0.0, "stem.normalization": "none"}
    afresh = config_of(kind, **options, **{"model.carry": 0.0})
    always = config_of(kind, **options, **{"model.carry": 1.0})
    inputs = batch(5, afresh)
    alone = model_of(afresh, rows=5)
    assert alone.carried is None
    first = alone(inputs, training=True)
    model = model_of(always, rows=5)
    np.testing.assert_allclose(model(inputs, training=True), first, atol=1e-5)
    second = model(inputs, training=True)
    assert np.abs(second - first).max(axis=1).min() > 1e-5
    # A smaller last batch uses and moves on its own rows alone.
    before = [variable.numpy() for variable in model.carried.variables]
    few = {name: values[3:] for name, values in inputs.items()}
    model(few, training=True)
    for variable, value in zip(model.carried.variables, before, strict=True):
        np.testing.assert_array_equal(variable[2:], value[2:])
        if variable.dtype == "float32":
            assert np.abs(variable[:2] - value[:2]).max() > 0
    plain = model(inputs, training=False)
    np.testing.assert_array_equal(plain, model(inputs, training=False))


def test_smoothed_labels() -> None:
    """By hand: three classes, a tenth of the label moved to all of them."""
    model = model_of(config_of("gru", **{"model.label_smoothing": 0.3}))
    logits = np.log([[0.5, 0.3, 0.2]]).astype(np.float32)
    expected = -(0.1 * np.log(0.5) + 0.8 * np.log(0.3) + 0.1 * np.log(0.2))
    (found,) = model.loss_of(np.array([1]), tf.constant(logits)).numpy()
    assert found == pytest.approx(expected, rel=1e-5)


def test_mixup_mixes_the_loss_of_neighbours() -> None:
    config = config_of("gru", False, **{"augmentation.mixup": 0.4, "model.label_smoothing": 0.05})
    model = model_of(config, rows=4)
    inputs, labels = batch(4, config), np.array([0, 2, 1, 0])
    outputs = model(inputs, training=True).numpy()
    logits, shares = outputs[:, :-1], outputs[:, -1]
    assert logits.shape == model(inputs, training=False).shape
    assert len(set(shares)) == 4
    targets = 0.95 * np.eye(logits.shape[1])[labels] + 0.05 / logits.shape[1]
    mixed = shares[:, None] * targets + (1 - shares)[:, None] * np.roll(targets, 1, axis=0)
    logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    loss = model.loss_of(tf.constant(labels), tf.constant(outputs))
    np.testing.assert_allclose(loss, -(mixed * logs).sum(axis=1), rtol=1e-5)
    plain = model.loss_of(tf.constant(labels), tf.constant(logits))
    np.testing.assert_allclose(plain, -(targets * logs).sum(axis=1), rtol=1e-5)
