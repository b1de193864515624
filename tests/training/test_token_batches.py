import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from textapps.core.tokens import BOS, EOS
from textapps.training.nats_per_token import NatsPerToken
from textapps.training.token_batches import TokenBatchSource
from textapps.training.token_loss import TokenLoss
from textapps.training.token_plan import TokenPlan

lengths_of_pairs = st.lists(st.integers(1, 30), min_size=1, max_size=60)
budgets = st.integers(1, 70)


def ragged(sentences):
    ids = np.array([i for sentence in sentences for i in sentence], np.int32)
    return ids, np.cumsum([0, *map(len, sentences)])


def make(pairs, batch_tokens=12, seed=None, **options):
    sources, targets = zip(*pairs, strict=True)
    return TokenBatchSource(ragged(sources), ragged(targets), batch_tokens, seed, **options)


@given(lengths_of_pairs, budgets, st.integers(0, 2**40))
def test_every_example_once_in_each_pass_and_no_batch_over_the_budget(lengths, budget, seed):
    plan = TokenPlan(lengths, budget, seed)
    for pass_index in (0, 3):
        batches = [plan.indices(pass_index, step) for step in range(plan.steps_per_pass)]
        assert sorted(np.concatenate(batches)) == list(range(len(lengths)))
        for batch in batches:
            longest = max(lengths[i] for i in batch)
            assert len(batch) == 1 or len(batch) * longest <= budget


@given(lengths_of_pairs, budgets)
def test_one_more_example_would_not_have_fitted(lengths, budget):
    plan = TokenPlan(lengths, budget, None)
    batches = [[lengths[i] for i in plan.indices(0, s)] for s in range(plan.steps_per_pass)]
    assert [length for batch in batches for length in batch] == sorted(lengths)
    for batch, following in itertools.pairwise(batches):
        assert (len(batch) + 1) * following[0] > budget


@given(lengths_of_pairs, budgets, st.sampled_from([None, 0, 9]), st.randoms())
def test_a_batch_depends_on_nothing_asked_before(lengths, budget, seed, random):
    plan = TokenPlan(lengths, budget, seed)
    asked = [(p, s) for p in range(3) for s in range(plan.steps_per_pass)]
    answers = {where: plan.indices(*where).tolist() for where in asked}
    random.shuffle(asked)
    for where in asked:
        assert plan.indices(*where).tolist() == answers[where]
        assert TokenPlan(lengths, budget, seed).indices(*where).tolist() == answers[where]


def test_order_is_pinned_because_runs_are_resumed_with_later_versions():
    plan = TokenPlan([5, 3, 3, 3, 5, 3, 9], batch_tokens=10, seed=7)
    order = [[plan.indices(p, s).tolist() for s in range(4)] for p in range(2)]
    assert order == [[[6], [0], [1, 4], [3, 2, 5]], [[6], [1, 3, 2], [5, 4], [0]]]


def test_seed_and_pass_change_who_meets_whom():
    def met(seed, pass_index):
        plan = TokenPlan([4] * 50, 20, seed)
        return [set(plan.indices(pass_index, s).tolist()) for s in range(plan.steps_per_pass)]

    assert met(0, 0) != met(0, 1) != met(1, 0) != met(0, 0)
    assert met(None, 0) == met(None, 5)


def test_teacher_forcing_by_hand():
    source = make([([5, 6], [7, 8, 9]), ([], [4])], batch_tokens=8)
    inputs, following, weights = source.batch(0, 0)
    assert inputs["source"].tolist() == [[EOS, 0, 0], [5, 6, EOS]]
    assert inputs["target"].tolist() == [[BOS, 4, 0, 0], [BOS, 7, 8, 9]]
    assert following.tolist() == [[4, EOS, 0, 0], [7, 8, 9, EOS]]
    assert weights.tolist() == [[1, 1, 0, 0], [1, 1, 1, 1]]


def test_lengths_are_rounded_up_and_the_budget_counts_what_they_become():
    pairs = [([5], [6, 7]), ([5, 6, 7, 8, 9], [4]), ([5, 6], [4])]
    source = make(pairs, batch_tokens=16, multiple=4)
    assert source.steps_per_pass == 2
    inputs, following, _ = source.batch(0, 0)
    assert inputs["source"].shape == inputs["target"].shape == following.shape == (2, 4)
    inputs, following, weights = source.batch(0, 1)
    assert inputs["source"].shape == (1, 8)
    assert following.shape == weights.shape == (1, 4)


@pytest.mark.parametrize("workers", [2, 3])
def test_workers_share_a_batch(workers):
    pairs = [([i], [i]) for i in range(4, 9)]
    whole = make(pairs, batch_tokens=10).batch(0, 0)
    shares = [
        make(pairs, batch_tokens=10, worker=w, workers=workers).batch(0, 0) for w in range(workers)
    ]
    assert len({share[1].shape for share in shares}) == 1
    seen = [int(ids[0]) for _, following, weights in shares for ids in following[weights[:, 0] > 0]]
    assert sorted(seen) == sorted(whole[1][:, 0].tolist()) == [4, 5, 6, 7, 8]


def test_half_of_the_batches_of_the_first_passes_are_turned_round():
    pairs = [([i], [i + 100]) for i in range(4, 104)]
    plain = make(pairs, batch_tokens=4, seed=5)
    source = make(pairs, batch_tokens=4, seed=5, both_ways=2)
    turned = np.zeros((3, source.steps_per_pass), bool)
    for place in np.ndindex(*turned.shape):
        inputs, following, _ = source.batch(*place)
        known, answers, _ = plain.batch(*place)
        turned[place] = inputs["source"][0, 0] >= 104
        if turned[place]:
            known, answers = {"source": answers}, known["source"]
        assert inputs["source"].tolist() == known["source"].tolist()
        assert following.tolist() == answers.tolist()
        assert inputs["target"].tolist() == [[BOS, row[0]] for row in answers]
    assert turned.shape == (3, 50)
    for of_pass in turned[:2]:
        assert 15 < of_pass.sum() < 35
    assert (turned[0] != turned[1]).any()
    assert not turned[2].any()


sentences = st.lists(st.integers(4, 10), max_size=9)


@given(
    st.lists(st.tuples(sentences, sentences), min_size=1, max_size=15),
    st.integers(1, 30),
    st.integers(0, 5),
    st.integers(1, 4),
)
def test_a_pass_gives_back_every_pair(pairs, budget, pass_index, multiple):
    source = make(pairs, budget, seed=3, multiple=multiple)
    found = []
    for step in range(source.steps_per_pass):
        inputs, following, weights = source.batch(pass_index, step)
        assert (weights == (following != 0)).all()
        assert not {side.shape[1] % multiple for side in (following, *inputs.values())} - {0}
        assert len(following) == 1 or max(following.size, inputs["source"].size) <= budget
        for row in range(len(following)):
            read, given_, next_ = (
                [i for i in side[row].tolist() if i]
                for side in (inputs["source"], inputs["target"], following)
            )
            assert (read[-1], given_[0], next_[-1]) == (EOS, BOS, EOS)
            assert given_[1:] == next_[:-1]
            found.append((read[:-1], next_[:-1]))
    assert sorted(found) == sorted(pairs)


def test_drawn_ids_follow_from_seed_pass_and_step():
    calls = []

    def draw(rows, seed):
        calls.append((rows.tolist(), seed))
        return [np.full(1 + seed % 3, 4 + row, np.int32) for row in rows]

    pairs = [([5, 5], [6, 6]), ([7], [8]), ([9], [])]
    source, other = (make(pairs, 6, seed=s, samplers=(draw, None)) for s in (1, 2))
    inputs, following, _ = source.batch(2, 1)
    rows, seed = calls[0]
    assert inputs["source"].tolist() == [[4 + row] * (1 + seed % 3) + [EOS] for row in rows]
    assert [row[0] for row in following.tolist()] == [[6, 8, EOS][row] for row in rows]
    source.batch(2, 1)
    assert calls[0] == calls[1]
    source.batch(2, 0)
    source.batch(3, 1)
    other.batch(2, 1)
    assert len({seed for _, seed in calls}) == 4


def test_signature_fits_the_batches():
    source = make([([5], [6, 7]), ([5, 6], [4])])
    inputs, following, weights = source.batch(0, 0)
    specs, following_spec, weight_spec = source.signature
    assert specs.keys() == inputs.keys()
    arrays = [*inputs.values(), following, weights]
    for spec, array in zip([*specs.values(), following_spec, weight_spec], arrays, strict=True):
        assert spec.dtype.as_numpy_dtype == array.dtype
        assert spec.shape.rank == array.ndim


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_the_loss_is_the_mean_over_tokens(smoothing):
    _, following, weights = make([([5], [6, 7, 8]), ([5], [4])], batch_tokens=8).batch(0, 0)
    logits = np.random.default_rng(0).normal(size=(*following.shape, 11)).astype(np.float32)
    chances = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    answers = np.zeros_like(chances)
    np.put_along_axis(answers, following[..., None], 1 - smoothing, axis=-1)
    answers += smoothing / 11
    nats = -(answers * np.log(chances)).sum(-1)[weights == 1]
    assert len(nats) == 6
    loss = TokenLoss(smoothing)(following, logits, sample_weight=weights)
    assert float(loss) == pytest.approx(nats.mean(), rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_the_gradient_is_that_of_the_formula(smoothing: float, scale: float) -> None:
    random = np.random.default_rng(1)
    targets = random.integers(EOS, 7, (3, 4)).astype(np.int32)
    weights = tf.constant(random.random((3, 4)), tf.float32)
    logits = tf.Variable(scale * random.normal(size=(3, 4, 7)), dtype=tf.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(TokenLoss(smoothing).call(targets, logits) * weights)
    found = tape.gradient(loss, logits)
    with tf.GradientTape() as tape:
        answers = (1 - smoothing) * tf.one_hot(targets, 7) + smoothing / 7
        of_answers = tf.reduce_sum(answers * tf.nn.log_softmax(logits), axis=-1)
        formula = -tf.reduce_sum(of_answers * weights)
    np.testing.assert_allclose(found, tape.gradient(formula, logits), atol=1e-6)
    np.testing.assert_allclose(loss, formula, rtol=1e-6)


def test_loss_configuration_round_trip():
    copy = keras.losses.deserialize(keras.losses.serialize(TokenLoss(0.2)))
    assert (copy.smoothing, copy.reduction) == (0.2, "mean_with_sample_weight")


def test_nats_per_token_weigh_tokens_and_not_batches():
    random = np.random.default_rng(4)
    metric, nats = NatsPerToken(), []
    for rows, time in ((3, 2), (2, 7)):  # as long batches have fewer rows
        targets = random.integers(EOS, 11, (rows, time)).astype(np.int32)
        logits = random.normal(size=(rows, time, 11)).astype(np.float32)
        weights = (random.random((rows, time)) < 0.6).astype(np.float32)
        metric.update_state(targets, logits, sample_weight=weights)
        chances = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
        given = np.take_along_axis(chances, targets[..., None], axis=-1)[..., 0]
        nats.extend(-np.log(given[weights == 1]))
    assert float(metric.result()) == pytest.approx(np.mean(nats), rel=1e-5)
    copy = keras.metrics.deserialize(keras.metrics.serialize(metric))
    copy.update_state(targets, logits)
    assert (copy.name, float(copy.result())) == (
        "nats_per_token",
        pytest.approx(-np.log(given).mean(), rel=1e-5),
    )
