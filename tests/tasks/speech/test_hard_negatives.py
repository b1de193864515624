"""Mining of hard negatives: by hand, in the loss of a model, and in a training."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.tasks.stopping import resumes_to_the_same_bits
from tests.tasks.toy_words import WORDS
from textapps.core.errors import ConfigurationError
from textapps.tasks import lifecycle
from textapps.tasks.speech.hard_negatives import HardNegatives
from textapps.tasks.speech.model import SpeechModel
from textapps.tasks.speech.task import TASK

Tiny = Callable[..., Any]
LABELS = ("go", "stop", "unknown", "silence")
# Of each row, go and stop have the probability 0.6 together.
LOGITS = np.log(np.float32([[0.4, 0.2, 0.3, 0.1]] * 4))


def test_other_words_that_are_taken_for_commands_count_more() -> None:
    mining = HardNegatives(LABELS, 2.0)
    with tf.GradientTape() as tape:
        logits = tf.Variable(LOGITS)
        found = mining.weights(tf.constant([0, 1, 2, 3]), logits)
    np.testing.assert_allclose(found, [1, 1, 1 + 2 * 0.6, 1], rtol=1e-6)
    assert tape.gradient(found, logits) is None


@pytest.mark.parametrize("mixup", [0.0, 0.4])
def test_the_loss_of_training_alone_is_changed(untrained: Any, mixup: float) -> None:
    plain = untrained("speech", "simple_rnn")
    config = plain.configured({"augmentation.mixup": mixup}).config
    mining = HardNegatives(plain.labels, 3.0)
    made = SpeechModel(config, plain.preprocessor, len(plain.labels), rows=6, mining=mining)
    made.build()
    count = len(plain.labels)
    clips = np.zeros((6, config.preprocessor.clip_samples), np.int16)
    inputs = {"pcm": tf.constant(clips), "seeds": tf.range(6, dtype=tf.int64)}
    labels = tf.fill([6], plain.labels.index("unknown"))
    outputs = made(inputs, training=True)
    assert outputs.shape == (6, count + 1)
    logits = outputs[:, :count]
    taken = tf.reduce_sum(tf.nn.softmax(logits)[:, : len(WORDS)], axis=1)
    of_validation = made.loss_of(labels, logits)
    np.testing.assert_allclose(
        made.loss_of(labels, outputs), of_validation * (1 + 3 * taken), rtol=1e-5
    )
    assert made(inputs, training=False).shape == (6, count)


@pytest.mark.exhaustive
def test_resumed_it_ends_with_the_same_bits(tiny: Tiny, tmp_path: Path) -> None:
    changes = {"training.epochs": 2, "model.hard_negatives": 4.0}
    config = tiny("speech", "simple_rnn", **changes)
    whole = resumes_to_the_same_bits(TASK, config, tmp_path)
    plain, _ = lifecycle.train(
        TASK, tiny("speech", "simple_rnn", **{"training.epochs": 2}), tmp_path / "plain"
    )
    assert not np.array_equal(plain.model.head.kernel, whole.model.head.kernel)


def test_it_needs_the_class_unknown(tiny: Tiny, tmp_path: Path) -> None:
    config = tiny("speech", "gru", **{"model.hard_negatives": 1.0, "data.unknown": 0})
    with pytest.raises(ConfigurationError, match="--hard-negatives needs the class unknown"):
        lifecycle.train(TASK, config, tmp_path)
