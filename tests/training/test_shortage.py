import keras
import pytest
import team
import tensorflow as tf
import trainee

from textapps.core.errors import RunError
from textapps.training.replicas import Replicas


class Hungry(keras.layers.Layer):
    """Wants more memory than there is."""

    def call(self, x: object) -> object:
        return x + tf.reduce_sum(tf.fill([tf.shape(x)[0] * 2**20, 2**30], 0.0))


@pytest.mark.parametrize(
    ("parts", "advice"),
    [
        (1, r"out of memory with batches of 3 in 1 part: .* --accumulate 2, or .*--batch-size"),
        (2, r"out of memory with batches of 3 in 2 parts: .* --accumulate 4, or .*--batch-size"),
    ],
)
def test_out_of_memory_says_what_to_try(
    tmp_path, monkeypatch: pytest.MonkeyPatch, parts: int, advice: str
) -> None:
    def hungry(rate: float) -> keras.Model:
        ids = keras.Input((None,), dtype="int32", name="ids")
        x = keras.layers.Embedding(trainee.VOCABULARY, 6, name="embedding")(ids)
        x = Hungry(name="hungry")(keras.ops.sum(x, axis=1))
        return keras.Model({"ids": ids}, keras.layers.Dense(trainee.CLASSES, name="logits")(x))

    monkeypatch.setattr(team, "classifier", hungry)
    run = trainee.new_run(tmp_path, epochs=1, accumulate=parts)
    with pytest.raises(RunError, match=advice) as error:
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
