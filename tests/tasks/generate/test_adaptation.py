"""Scoring a text while learning from it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from textapps.core.errors import ConfigurationError
from textapps.tasks.generate import adaptation as module
from textapps.tasks.generate.adaptation import Adaptation

TEXT = "the dog sat on the mat\nthe cat saw it ☃ and ran\n"
CHUNK = 7  # the last chunk is shorter


@pytest.fixture(params=["lstm", "transformer"])
def generator(request: pytest.FixtureRequest, untrained: Callable[..., Any]) -> Any:
    return untrained("generate", request.param)


@pytest.mark.slow
def test_each_character_is_scored_before_it_is_learned_from(generator: Any) -> None:
    weights = [np.array(weight) for weight in generator.model.trainable_variables]
    adaptation = Adaptation(chunk=CHUNK, rate=0.02, decay=0.01, warmup=1)
    static, adapted = generator.nats(TEXT), generator.nats(TEXT, adaptation)
    assert adapted.shape == (len(TEXT),)
    np.testing.assert_allclose(adapted[: 2 * CHUNK], static[: 2 * CHUNK], atol=1e-5)
    assert not np.allclose(adapted[2 * CHUNK :], static[2 * CHUNK :], atol=1e-3)
    other = generator.nats(TEXT[: 4 * CHUNK] + "zzzz", adaptation)
    np.testing.assert_allclose(other[: 4 * CHUNK], adapted[: 4 * CHUNK], atol=1e-5)
    for before, after in zip(weights, generator.model.trainable_variables, strict=True):
        np.testing.assert_array_equal(before, after)
    np.testing.assert_allclose(generator.nats(TEXT), static, atol=1e-6)


def test_without_steps_it_is_the_static_surprise(generator: Any) -> None:
    adaptation = Adaptation(chunk=CHUNK, rate=0.0)
    np.testing.assert_allclose(generator.nats(TEXT, adaptation), generator.nats(TEXT), atol=1e-5)
    for text in ("", "\u00ad"):  # nothing that can be seen
        assert generator.nats(text, adaptation).shape == generator.nats(text).shape == (0,)
    with pytest.raises(ConfigurationError, match="chunk 0: give 1 character or more"):
        Adaptation(chunk=0)
    with pytest.raises(ConfigurationError, match=r"stop '\\xad' has invisible characters only"):
        generator.generate(["the"], stop="\u00ad")


@pytest.mark.slow
def test_what_comes_again_surprises_less(generator: Any) -> None:
    adaptation = Adaptation(chunk=CHUNK, rate=0.01, decay=0.001, warmup=1)
    again = 5 * TEXT
    gain = generator.nats(again) - generator.nats(again, adaptation)
    assert gain[-len(TEXT) :].mean() > 0.2
    far = Adaptation(chunk=CHUNK, rate=0.01, decay=0.9, warmup=1)  # which forgets at once
    held = generator.nats(again) - generator.nats(again, far)
    assert abs(held[-len(TEXT) :].mean()) < gain[-len(TEXT) :].mean() / 2


def test_the_steps_are_those_of_the_formula(untrained: Callable[..., Any]) -> None:
    """Two chunks of two characters, and the third by hand."""
    generator = untrained("generate", "simple_rnn")
    rate, decay = 0.03, 0.2
    adaptation = Adaptation(chunk=2, rate=rate, decay=decay, warmup=0)
    text = "the cat"[:6]
    found = generator.nats(text, adaptation)
    model = generator.model
    ids = generator.preprocessor.encode("\n" + text)
    start = [np.array(weight) for weight in model.trainable_variables]
    squares: list[list[Any]] = []
    state, nats = model.initial_state(1), []
    for first in (0, 2, 4):
        with tf.GradientTape() as tape:
            logits, state = model.read(tf.constant(ids[None, first : first + 2]), state)
            own = model.nats(tf.constant(ids[None, first + 1 : first + 3]), logits)
            loss = tf.reduce_mean(own)
        nats.extend(own[0].numpy())
        gradients = tape.gradient(loss, [w.value for w in model.trainable_variables])
        squares.append([tf.convert_to_tensor(g).numpy() ** 2 for g in gradients])
        for index, (weight, gradient) in enumerate(
            zip(model.trainable_variables, gradients, strict=True)
        ):
            mean = np.mean([each[index] for each in squares], axis=0)
            g, w = tf.convert_to_tensor(gradient).numpy(), np.array(weight)
            step = np.divide(g, np.sqrt(mean), out=np.zeros_like(g), where=mean > 0)
            weight.assign(w - rate * step + decay * (start[index] - w))
    for weight, old in zip(model.trainable_variables, start, strict=True):
        weight.assign(old)
    np.testing.assert_allclose(found, nats, rtol=1e-4)


def test_the_weights_come_back_after_an_error(
    untrained: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = untrained("generate", "lstm")
    before = [np.array(weight) for weight in generator.model.trainable_variables]
    own = module._stepper

    def broken(*arguments: Any) -> Any:
        step = own(*arguments)

        def stop(ids: Any, state: Any, number: Any) -> Any:
            found = step(ids, state, number)
            with tf.control_dependencies([found[0]]):
                tf.debugging.assert_less(number, 3.0)
            return found

        return stop

    monkeypatch.setattr(module, "_stepper", broken)
    with pytest.raises(tf.errors.InvalidArgumentError):
        generator.nats(TEXT, Adaptation(chunk=CHUNK, rate=0.1, warmup=0))
    for old, weight in zip(before, generator.model.trainable_variables, strict=True):
        np.testing.assert_array_equal(old, weight)
