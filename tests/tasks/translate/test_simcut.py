"""SimCut: the second prediction of the model, and the loss that brings both together."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax, softmax

from textapps.core.tokens import PAD
from textapps.tasks.translate.model import TranslationModel
from textapps.training.nats_per_token import NatsPerToken
from textapps.training.token_loss import TokenLoss, token_divergence, token_nats

Tiny = Callable[..., Any]

SOURCE = np.array([[5, 7, 4, 3], [6, 3, PAD, PAD], [8, 9, 3, PAD]])
TARGET = np.array([[2, 9, 5], [2, 6, PAD], [2, 10, 7]])
NO_DROPOUT = {
    "backbone.dropout": 0.0,
    "model.embedding_dropout": 0.0,
    "model.tied": False,
    "model.simcut": 3.0,
}


@pytest.mark.parametrize("kind", ["gru", "transformer"])
def test_the_second_prediction_is_that_without_the_tokens(tiny: Tiny, kind: str) -> None:
    """With all tokens cut off it is that of embeddings of zero."""
    config = tiny("translate", kind, **NO_DROPOUT, **{"model.cutoff": 0.9999999})
    model = TranslationModel(config, 11, 13, joint=False)
    inputs = {"source": tf.constant(SOURCE), "target": tf.constant(TARGET)}
    model.build()
    whole = model(inputs, training=False)
    both = model(inputs, training=True)
    assert both.shape == (2, 3, 3, 13)
    np.testing.assert_allclose(both[0], whole, atol=1e-5)
    for embedding in (model.source_embedding, model.target_embedding):
        embedding.embeddings.assign(keras.ops.zeros_like(embedding.embeddings))
    without = model(inputs, training=False)
    np.testing.assert_allclose(both[1], without, atol=1e-5)
    assert np.abs(whole - without).max() > 0.1


def test_about_the_named_share_of_the_tokens_is_cut_off_as_a_whole(tiny: Tiny) -> None:
    config = tiny("translate", "gru", **NO_DROPOUT, **{"model.cutoff": 0.3})
    model = TranslationModel(config, 11, 13, joint=False)
    model.build()
    ids = tf.ones([80, 50], tf.int32)
    first, second = np.split(model._embed(model.source_embedding, ids, True, True), 2)
    assert (first == first[0, 0]).all()
    cut = (second == 0).all(axis=-1)
    np.testing.assert_allclose(second[~cut], first[~cut], rtol=1e-5)
    assert 0.25 < cut.mean() < 0.35


def test_divergence_and_its_gradients() -> None:
    random = np.random.default_rng(1)
    first, second = random.normal(size=(2, 2, 3, 5)).astype("float32") * 2
    shares, others = softmax(first, -1), softmax(second, -1)
    expected = (shares * np.log(shares / others)).sum(-1)
    above = random.normal(size=(2, 3)).astype("float32")
    logits = [tf.constant(first), tf.constant(second)]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(logits)
        found = token_divergence(*logits)
        plain = tf.nn.log_softmax(logits[0]) - tf.nn.log_softmax(logits[1])
        plain = tf.reduce_sum(tf.nn.softmax(logits[0]) * plain, axis=-1)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    for ours, derived in zip(
        tape.gradient(found, logits, above), tape.gradient(plain, logits, above), strict=True
    ):
        np.testing.assert_allclose(ours, derived, atol=1e-6)


def test_loss_and_metric_of_two_predictions() -> None:
    random = np.random.default_rng(2)
    logits = random.normal(size=(2, 4, 3, 7)).astype("float32")
    targets = random.integers(7, size=(4, 3))
    weights = random.integers(2, size=(4, 3)).astype("float32")
    first, second = log_softmax(logits, -1)
    apart = (np.exp(first) * (first - second)).sum(-1)
    nats = token_nats(tf.constant(targets), tf.constant(logits[0]), 0.2)
    found = TokenLoss(0.2, 3.0)(tf.constant(targets), tf.constant(logits), weights)
    np.testing.assert_allclose(found, np.average(nats + 3 * apart, weights=weights), rtol=1e-5)
    metrics = [NatsPerToken(), NatsPerToken()]
    for metric, answers in zip(metrics, (logits, logits[0]), strict=True):
        metric.update_state(tf.constant(targets), tf.constant(answers), weights)
    assert metrics[0].result() == metrics[1].result()
    assert TokenLoss.from_config(TokenLoss(0.2, 3.0).get_config()).consistency == 3.0
