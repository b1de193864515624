from collections.abc import Callable
from pathlib import Path

import keras
import pytest
import tensorflow as tf

from tests.training import team, trainee
from textapps.core.errors import RunError
from textapps.training.replicas import Replicas


@tf.custom_gradient
def there_is_no_more(x: tf.Tensor) -> object:
    """Raises at once what TensorFlow raises when memory is short."""

    def fail(_: object) -> None:
        raise MemoryError

    return tf.ensure_shape(tf.numpy_function(fail, [x], tf.float32), x.shape), lambda dy: dy


def too_much(x: tf.Tensor) -> object:
    """Wants more memory than there is; TensorFlow waits ten seconds for it."""
    return x + tf.reduce_sum(tf.fill([tf.shape(x)[0] * 2**20, 2**30], 0.0))


class Hungry(keras.layers.Layer):
    def __init__(self, eat: Callable[[object], object]) -> None:
        super().__init__(name="hungry")
        self.eat = eat

    def call(self, x: object) -> object:
        return self.eat(x)


@pytest.mark.parametrize(
    ("eat", "parts", "advice"),
    [
        (there_is_no_more, 1, "in 1 part: .* --accumulate 2, or .*--batch-size"),
        (there_is_no_more, 2, "in 2 parts: .* --accumulate 4, or .*--batch-size"),
        pytest.param(too_much, 1, "in 1 part: .* --accumulate 2, or", marks=pytest.mark.exhaustive),
    ],
)
def test_out_of_memory_says_what_to_try(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    eat: Callable[[object], object],
    parts: int,
    advice: str,
) -> None:
    def hungry(rate: float) -> keras.Model:
        ids = keras.Input((None,), dtype="int32", name="ids")
        x = keras.layers.Embedding(trainee.VOCABULARY, 6, name="embedding")(ids)
        x = Hungry(eat)(keras.ops.sum(x, axis=1))
        return keras.Model({"ids": ids}, keras.layers.Dense(trainee.CLASSES, name="logits")(x))

    monkeypatch.setattr(team, "classifier", hungry)
    run = trainee.new_run(tmp_path, epochs=1, accumulate=parts)
    with pytest.raises(RunError, match=f"out of memory with batches of 3 {advice}") as error:
        team.train(run, Replicas())
    assert error.value.exit_code == 1


def test_a_strategy_must_fit_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    from textapps.core.errors import ConfigurationError

    assert Replicas.of("auto").count == Replicas.of("one").count == 1
    with pytest.raises(ConfigurationError, match="needs a cluster in TF_CONFIG"):
        Replicas.of("multi-worker")
    cluster = '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}'
    monkeypatch.setenv("TF_CONFIG", cluster)
    for strategy in ("one", "mirrored"):
        with pytest.raises(ConfigurationError, match="uses one process, but TF_CONFIG names 2"):
            Replicas.of(strategy)
