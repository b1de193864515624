"""The language model of pre-training: what its features have seen, and its loss."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from textapps.core.errors import ConfigurationError
from textapps.tasks.registry import get_presets
from textapps.tasks.sentiment.pretraining.model import PretrainingModel
from textapps.tasks.sentiment.pretraining.word_loss import WordLoss
from textapps.training.seeding import seed_everything

SIZE = 29  # of the vocabulary: more than the longest text, whose tokens are all different


def model_of(kind: str, **flags: object) -> PretrainingModel:
    sizes = {"preset": "tiny", "backbone.units": 8, "model.embedding_units": 6}
    config = get_presets("sentiment-pretrain").resolve(
        flags={**sizes, "backbone.kind": kind, **flags}
    )
    seed_everything(3)
    model = PretrainingModel(config, SIZE)
    model.build()
    for variable in model.trainable_variables:
        if variable.name == "embeddings":
            variable.assign(30 * variable)
    return model


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kernel", "stride", "ahead"), [(6, 4, 4), (3, 1, 2), (5, 2, 1), (2, 3, 5), (1, 1, 1)]
)
@pytest.mark.parametrize("kind", ["simple_rnn", "lstm", "gru"])
def test_features_have_not_seen_what_they_predict(
    kind: str, kernel: int, stride: int, ahead: int
) -> None:
    """Neither the backbone nor the neighbours: features change with other tokens only."""
    model = model_of(
        kind,
        **{
            "model.kernel": kernel,
            "model.stride": stride,
            "model.ahead": ahead,
            "model.neighbours": ahead % 3,
        },
    )
    ids = 2 + np.random.default_rng(1).permutation(SIZE - 2)[None, :19].astype(np.int32)
    ids[:, 17:] = 0
    features, targets = (np.array(x) for x in model._next(tf.constant(ids), True))
    assert features.shape == (1, targets.shape[1], 6)
    predicted = set(targets[0].tolist()) - {0}
    # Everything but what the first output sees from the left, and the last one from the right.
    assert len(predicted) >= 8
    others = np.tile(ids, (17, 1))  # one token of each row is another one
    np.fill_diagonal(others, (set(range(2, SIZE)) - set(ids[0].tolist())).pop())
    changed = np.array(model._next(tf.constant(others), True)[0])
    for place, row in enumerate(changed):
        same = targets[0] == ids[0, place]
        np.testing.assert_allclose(row[same], features[0, same], rtol=0, atol=1e-6)
    assert np.abs(changed - features).max(axis=(1, 2)).sum() > 1


def test_neighbours_are_on_the_side_that_the_backbone_comes_from() -> None:
    """Of each direction, with one token ahead too."""
    model = model_of("gru", **{"model.kernel": 1, "model.ahead": 1, "model.neighbours": 2})
    for head, place, side in zip(model.heads, (1, -1), (-1, 1), strict=True):
        assert head.places == [place]
        embedded = np.random.default_rng(2).normal(size=(1, 9, head.units)).astype(np.float32)
        ids = tf.range(2, 11)[None]
        x, mask = tf.zeros([1, 9, head.dense.kernel.shape[0]]), tf.ones([1, 9], tf.bool)

        def features(embedded: Any, head: Any = head, rest: Any = (x, ids, mask)) -> Any:
            x, ids, mask = rest
            return np.array(head(x, ids=ids, embedded=embedded, mask=mask)[0])[0, 4]

        changed = []
        for token in range(9):
            other = embedded.copy()
            other[0, token] += 1
            changed.append(not np.allclose(features(other), features(embedded)))
        target = 4 + place
        assert np.flatnonzero(changed).tolist() == sorted([target + side, target + 2 * side])


def test_each_direction_predicts_every_token_once() -> None:
    """With as many tokens ahead as the stride has, but for those next to the ends."""
    model = model_of("gru", **{"model.kernel": 6, "model.stride": 4, "model.ahead": 4})
    ids = np.arange(2, 2 + 18, dtype=np.int32)[None]
    _, targets = model._next(tf.constant(ids), False)
    after, before = np.split(np.array(targets)[0], 2)
    assert sorted(after[after > 0].tolist()) == list(range(2 + 4, 2 + 18))
    # The last of five outputs begins with token 14.
    assert sorted(before[before > 0].tolist()) == list(range(2, 2 + 14))


@pytest.mark.parametrize("kind", ["transformer", "gru"])
def test_hidden_tokens_are_not_seen(kind: str) -> None:
    model = model_of(
        kind, **{"model.objective": "masked", "model.stride": 2, "model.masked_share": 0.4}
    )
    ids = 2 + np.random.default_rng(1).permutation(SIZE - 2)[None, :19].astype(np.int32)
    features, targets = (np.array(x) for x in model._masked(tf.constant(ids), False))
    hidden = np.flatnonzero(targets[0])
    assert 0 < len(hidden) < 19
    other = np.where(np.isin(ids, targets[0][hidden]), (ids - 1) % (SIZE - 2) + 2, ids)
    assert (other != ids).sum() == len(hidden)
    again, found = (np.array(x) for x in model._masked(tf.constant(other), False))
    np.testing.assert_array_equal(again, features)
    assert set(found[0][hidden]) == set(other[other != ids])


def test_padding_changes_nothing() -> None:
    for flags in ({}, {"model.objective": "masked"}):
        model = model_of("gru", **flags)
        ids = np.arange(2, 2 + 7, dtype=np.int32)[None]
        if flags:  # which spans are hidden depends on the number of steps
            model.masked_share = 0.999
        short = model({"ids": tf.constant(ids)}, training=False)
        long = model({"ids": tf.constant(np.pad(ids, ((0, 0), (0, 6))))}, training=False)
        np.testing.assert_allclose(short, long, rtol=1e-5)


def full_nats(features: Any, targets: Any, table: Any, bias: Any) -> Any:
    """By NumPy."""
    logits = features @ table.T + bias
    logits = logits[..., 2:].astype(np.float64)
    total = np.log(np.exp(logits).sum(axis=-1))
    return total - np.take_along_axis(logits, targets[..., None] - 2, axis=-1)[..., 0]


@pytest.fixture
def words() -> tuple[Callable[[int, int], WordLoss], Any, Any, Any]:
    draw = np.random.default_rng(2)
    features = draw.normal(size=(3, 5, 4)).astype(np.float32)
    targets = draw.integers(2, 41, size=(3, 5)).astype(np.int32)
    table = draw.normal(size=(41, 4)).astype(np.float32)

    def make(exact: int, sampled: int) -> WordLoss:
        loss = WordLoss(41, exact, sampled)
        loss.build()
        loss.adapt(np.repeat(np.arange(2, 41), np.arange(40, 1, -1)).astype(np.int32))
        return loss

    return make, features, targets, table


def test_loss_by_the_whole_vocabulary(words: Any) -> None:
    make, features, targets, table = words
    loss = make(7, 5)
    nats, weights = loss(features, targets, table, training=False)
    expected = full_nats(features, targets, table, np.array(loss.bias))
    np.testing.assert_allclose(nats, expected, rtol=1e-5)
    np.testing.assert_array_equal(weights, np.ones((3, 5)))


def test_loss_of_training_with_all_words_exact(words: Any) -> None:
    make, features, targets, table = words
    targets[0, :2] = 0, 1
    loss = make(100, 5)
    nats, weights = loss(features, targets, table, training=True)
    expected = full_nats(features, np.maximum(targets, 2), table, np.array(loss.bias))
    known = targets >= 2
    np.testing.assert_allclose(np.array(nats)[known], expected[known], rtol=1e-4)
    np.testing.assert_array_equal(weights, known.astype(np.float32))


def test_sampled_words_stand_for_the_rest(words: Any) -> None:
    """The mean of many estimates of the sum over the vocabulary is near it."""
    make, features, targets, table = words
    features *= 0.3
    loss = make(6, 4_000)
    nats = np.array(loss(features, targets, table, training=True)[0])
    expected = full_nats(features, targets, table, np.array(loss.bias))
    np.testing.assert_allclose(nats, expected, atol=0.05)
    ranks = np.array(loss._candidates()[0])
    assert set(ranks.tolist()) == set(range(2, 41))


def test_rare_words_weigh_more() -> None:
    loss = WordLoss(6, 2, 2, rare_weight=0.5)
    loss.build()
    counts = [0, 0, 6_000_000, 60_000, 600, 6]
    ids = np.repeat(np.arange(6), counts).astype(np.int32)
    loss.adapt(ids)
    weight = np.array(loss.weight)
    share = np.array(counts[2:4]) / len(ids)
    np.testing.assert_allclose(weight[2:4], np.sqrt(1e-4 / share), rtol=1e-3)
    np.testing.assert_allclose(weight[[0, 1, 4, 5]], [0, 0, 1, 1], rtol=1e-2)
    np.testing.assert_allclose(np.exp(np.array(loss.bias))[2:4], share, rtol=1e-3)


REFUSED: list[tuple[str, dict[str, object], str]] = [
    ("gru", {"backbone.layers": 2}, "needs backbone.layers 1 and no backbone.feed_forward"),
    ("lstm", {"backbone.feed_forward": 9}, "needs backbone.layers 1 and no backbone.feed_forward"),
    ("transformer", {"model.objective": "next"}, "does not fit a transformer"),
]


@pytest.mark.parametrize(("kind", "flags", "message"), REFUSED)
def test_what_would_show_the_answer_is_refused(
    kind: str, flags: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        model_of(kind, **flags)


def test_gradients_reach_every_weight_but_the_last_normalisation() -> None:
    model = model_of("gru")
    ids = tf.constant(np.arange(2, 26, dtype=np.int32)[None])
    with tf.GradientTape() as tape:
        loss = ops.sum(model({"ids": ids}, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    assert all(each is not None for each in gradients)
    assert {v.path for v in model.non_trainable_variables if "seed" not in v.path} == {
        "sentiment/backbone/norm/gamma",
        "sentiment/backbone/norm/beta",
        "sentiment/word_loss/weight",
    }
