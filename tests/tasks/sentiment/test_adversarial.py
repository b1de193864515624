"""Adversarial training: where texts are moved to, what is added to the gradient, exact resume."""

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.tasks.stopping import CopyHalfway, assert_same_bits, halfway
from textapps.tasks import lifecycle
from textapps.tasks.sentiment.model import SentimentModel
from textapps.tasks.sentiment.task import TASK
from textapps.training.adversarial import PERTURBATION, Adversarial
from textapps.training.history import read_history
from textapps.training.replicas import Replicas
from textapps.training.seeding import seed_everything
from textapps.training.shared_steps import SharedSteps

Tiny = Callable[..., Any]

KIND, SIZE, CLASSES = "simple_rnn", 3.0, 4
NO_DROPOUT = {f"model.{kind}_dropout": 0.0 for kind in ("word", "embedding", "head")}
NO_DROPOUT |= {"backbone.dropout": 0.0}
IDS = np.array([[2, 3, 4, 9, 5], [5, 7, 0, 0, 0], [6, 0, 0, 0, 0]], np.int32)
LABELS = np.array([1, 3, 0], np.int32)
WEIGHTS = np.array([1.0, 0.5, 0.0], np.float32)


def test_a_text_is_moved_along_its_gradient_by_the_given_distance() -> None:
    adversarial = Adversarial(2.5, 2, lambda targets, outputs: outputs)
    gradient = np.array([[[3.0, 0.0], [0.0, -4.0]], np.zeros((2, 2))], np.float32)
    inputs = {"ids": np.array([[1, 2], [3, 0]])}
    moved = adversarial.moved(inputs, tf.constant(gradient))
    assert moved["ids"] is inputs["ids"]
    expected = np.array([[[1.5, 0.0], [0.0, -2.0]], np.zeros((2, 2))])
    np.testing.assert_allclose(moved[PERTURBATION], expected, atol=1e-6)
    assert not np.any(adversarial.unmoved(inputs)[PERTURBATION])


def model_of(config: Any) -> SentimentModel:
    seed_everything(3)
    model = SentimentModel(config, vocabulary_size=11, classes=CLASSES, ngrams=6)
    model.build()
    return model


def read(model: SentimentModel, embedded: Any) -> Any:
    """The cross-entropies of the backbone for embedded texts, by the parts of the model."""
    x, mask, _ = model.stem(embedded, mask=tf.constant(IDS != 0))
    x, _ = model.backbone(x, mask=mask)
    logits = model.head(model.pooling(x, mask=mask))
    return tf.nn.sparse_softmax_cross_entropy_with_logits(LABELS, logits)


@pytest.mark.parametrize("ngrams", [0, 2])
def test_the_gradient_is_that_of_both_losses(tiny: Tiny, ngrams: int) -> None:
    config = tiny("sentiment", KIND, **NO_DROPOUT, **{"model.ngrams": ngrams})
    model = model_of(config)
    table = model.embedding.embeddings
    with tf.GradientTape() as tape:
        embedded = tf.gather(tf.constant(table.numpy()), IDS)
        tape.watch(embedded)
        loss = tf.reduce_sum(read(model, embedded))
    towards = tape.gradient(loss, embedded).numpy()
    step = np.zeros_like(towards)
    for row, ids in enumerate(IDS):
        words = table.numpy()[ids[ids > 0]]
        spread = np.sqrt(np.mean((words - words.mean(axis=0)) ** 2))
        step[row] = SIZE * spread * towards[row] / np.linalg.norm(towards[row])
    assert not step[2].any()  # a single word has no spread
    variables = [v for v in model.trainable_variables if "ngram_path" not in v.path]
    with tf.GradientTape() as tape:
        losses = [read(model, tf.gather(table.value, IDS) + more) for more in (0, step)]
        loss = tf.reduce_sum(WEIGHTS * tf.add_n(losses))
    expected = tape.gradient(loss, variables)
    assert np.all(losses[1][:2] > losses[0][:2])
    model.compile("sgd", model.loss_of_paths)
    steps = SharedSteps(
        model,
        model.loss_of_paths,
        Replicas(),
        parts=1,
        sizes=deque(),
        requested=lambda: False,
        adversarial=model.adversarial(SIZE),
    )
    inputs = {"ids": tf.constant(IDS), "ngrams": tf.constant([[1, 4], [2, 0], [0, 0]])}
    sums, gradients = steps._gradients((inputs, LABELS, tf.constant(WEIGHTS)))
    found = {v.path: g for v, g in zip(model.trainable_variables, gradients, strict=True)}
    assert any(np.any(g) for path, g in found.items() if "ngram_path" in path) == bool(ngrams)
    for variable, gradient in zip(variables, expected, strict=True):
        gradient = tf.convert_to_tensor(gradient)
        np.testing.assert_allclose(found[variable.path], gradient, rtol=1e-3, atol=1e-5)
    plain = tf.reduce_sum(WEIGHTS * model.loss_of_paths(LABELS, model(inputs, training=False)))
    assert float(sums[0]) == pytest.approx(float(plain), rel=1e-5)


def test_padding_changes_nothing(tiny: Tiny) -> None:
    model = model_of(tiny("sentiment", KIND))
    units = model.embedding.output_dim
    move = np.random.default_rng(1).normal(size=(3, 5, units)).astype(np.float32)
    ids = np.pad(IDS, ((0, 0), (0, 4)))
    longer = {"ids": ids, PERTURBATION: np.pad(move, ((0, 0), (0, 4), (0, 0)))}
    one = model({"ids": IDS, PERTURBATION: move}, training=False)
    np.testing.assert_allclose(one, model(longer, training=False), atol=1e-6)
    assert np.abs(one - model({"ids": IDS}, training=False))[:2].max() > 1e-3


@pytest.mark.exhaustive
def test_resumed_in_mid_pass_it_ends_with_the_same_bits(tiny: Tiny, tmp_path: Path) -> None:
    changes = {"training.adversarial": SIZE, "training.epochs": 2, "training.checkpoint_steps": 7}
    config = tiny("sentiment", KIND, **changes, **{"model.word_dropout": 0.1})
    progress = CopyHalfway(tmp_path / "whole" / "sentiment")
    whole = lifecycle.train(TASK, config, tmp_path / "whole", progress)[0].run
    run = halfway(whole, tmp_path)
    assert_same_bits(lifecycle.resume(TASK, run)[0].run, whole)


@pytest.mark.exhaustive
def test_parts_of_a_batch_add_up(tiny: Tiny, tmp_path: Path) -> None:
    changes = {"training.adversarial": SIZE, "training.epochs": 1, **NO_DROPOUT}
    found = []
    for parts in (1, 3):
        config = tiny("sentiment", KIND, **changes, **{"training.accumulate": parts})
        run = lifecycle.train(TASK, config, tmp_path / str(parts))[0].run
        found.append([float(row["val_loss"]) for row in read_history(run)])
    np.testing.assert_allclose(*found, rtol=1e-4)
