import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textapps.core.errors import DataError
from textapps.evaluation.baselines import ngram_model
from textapps.evaluation.baselines.ngram_model import NgramModel

TEXT = "the cat sat on the mat; the rat sat on the cat. that is that, and the hat is flat. " * 3
KNOWN = sorted({*TEXT, "?"})


def encode(text):
    return np.array([KNOWN.index(c) for c in text], np.int32)


def fit(ids, vocabulary_size, order=6):
    return NgramModel().fit(np.array(ids, np.int32), vocabulary_size, order)


def oracle(ids, vocabulary_size, order, past, following):
    """The probability of `following` behind `past`, straight from the definition."""
    ids, past = tuple(ids), tuple(past)

    def grams(n):
        return [ids[i : i + n] for i in range(len(ids) - n + 1)]

    def chance(context, highest):
        n = len(context) + 1
        if highest:
            counts = Counter(grams(n))
        else:
            before = {(ids[i - 1] if i else None, gram) for i, gram in enumerate(grams(n))}
            counts = Counter(gram for _, gram in before)
        levels = Counter(counts.values())
        discounts = [0.5, 1.0, 1.5]
        if all(levels[c] for c in (1, 2, 3)):
            y = levels[1] / (levels[1] + 2 * levels[2])
            found = [c - (c + 1) * y * levels[c + 1] / levels[c] for c in (1, 2, 3)]
            if all(0 < d <= c for c, d in enumerate(found, 1)):
                discounts = found
        lower = chance(context[1:], False) if context else 1 / vocabulary_size
        here = {gram: c for gram, c in counts.items() if gram[:-1] == context}
        if not here:
            return lower
        taken = sum(discounts[min(c, 3) - 1] for c in here.values())
        own = here.get((*context, following), 0)
        own -= discounts[min(own, 3) - 1] if own else 0
        return (own + taken * lower) / sum(here.values())

    # Where the text begins there is no context for the highest order.
    context = past[max(0, len(past) - order + 1) :]
    return chance(context, len(context) == order - 1)


def test_worked_by_hand():
    """0 1 0 0 1: fallback discounts; 0 has the predecessors 1, 0 and the beginning, 1 has 0."""
    chances = np.exp(-fit([0, 1, 0, 0, 1], 3, order=2).by_order(np.array([0, 1, 0, 0, 2])))
    zero, one, two = 1.5 / 4 + 2 / 4 / 3, 0.5 / 4 + 2 / 4 / 3, 2 / 4 / 3
    after_0 = {0: 0.5 / 3 + 0.5 * zero, 1: 1 / 3 + 0.5 * one, 2: 0.5 * two}
    expected = [zero, after_0[1], 0.5 + 0.5 * zero, after_0[0], after_0[2]]
    np.testing.assert_allclose(chances[1], expected, rtol=1e-6)
    single = [1.5 / 5 + 0.5 / 3, 1 / 5 + 0.5 / 3, 0.5 / 3]
    np.testing.assert_allclose(chances[0], [single[i] for i in (0, 1, 0, 0, 2)], rtol=1e-6)


def test_discounts_of_the_paper():
    counts = np.repeat([1, 2, 3, 4, 7], [10, 4, 2, 1, 3])
    y = 10 / 18
    expected = (1 - 2 * y * 4 / 10, 2 - 3 * y * 2 / 4, 3 - 4 * y * 1 / 2)
    np.testing.assert_allclose(ngram_model._discounts(counts), expected)


@pytest.mark.parametrize("sizes", [[5, 0, 2, 1], [5, 1, 0, 0], [8, 1, 4, 1]])
def test_discounts_that_cannot_be_estimated(sizes):
    assert ngram_model._discounts(np.repeat([1, 2, 3, 4], sizes)) == (0.5, 1.0, 1.5)


@pytest.mark.parametrize("order", [1, 2, 3, 6])
def test_agrees_with_the_definition(order):
    random = np.random.default_rng(1)
    ids = random.choice(5, 70, p=[0.4, 0.3, 0.2, 0.07, 0.03])
    text = np.concatenate([ids[20:32], random.integers(0, 7, 9)])  # 5 and 6 were never seen
    found = fit(ids, 7, order).nats(text)
    expected = [-math.log(oracle(ids, 7, order, text[:i], c)) for i, c in enumerate(text)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_large_vocabulary_at_order_six():
    random = np.random.default_rng(2)
    ids = np.tile(random.integers(19_000, 20_000, 30), 3)
    text = np.concatenate([ids[5:25], [19_999, 0, 7]])
    found = fit(ids, 20_000).nats(text)
    expected = [-math.log(oracle(ids, 20_000, 6, text[:i], c)) for i, c in enumerate(text)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=60),
    st.lists(st.integers(0, 4), max_size=6),
    st.integers(1, 6),
)
def test_chances_sum_to_one_behind_any_past(ids, past, order):
    model = fit(ids, 5, order)
    chances = [np.exp(-np.float64(model.nats(np.array([*past, last]))[-1])) for last in range(5)]
    assert sum(chances) == pytest.approx(1.0, abs=1e-5)
    assert min(chances) > 0


def test_every_order_is_the_model_of_that_order():
    rows = fit(encode(TEXT), len(KNOWN), 5).by_order(encode("the flat rat?"))
    assert (rows.shape, rows.dtype) == ((5, 13), np.float32)
    for order, row in enumerate(rows, 1):
        alone = fit(encode(TEXT), len(KNOWN), order).nats(encode("the flat rat?"))
        np.testing.assert_array_equal(row, alone)


def test_what_two_characters_tell_needs_order_three():
    random = np.random.default_rng(3)
    ids = [1, 3]
    for noise in random.random(3000) < 0.1:
        ids.append(int(random.integers(5)) if noise else (ids[-1] + 2 * ids[-2]) % 5)
    means = fit(ids[:2500], 5).by_order(np.array(ids[2500:])).mean(axis=1)
    assert min(means[:2]) > 1.4
    assert max(means[2:]) < 0.6


def test_only_the_past_counts():
    model = fit(encode(TEXT), len(KNOWN))
    whole = model.nats(encode("the cat?"))
    np.testing.assert_array_equal(model.nats(encode("the c")), whole[:5])


def test_texts_shorter_than_the_order():
    model = fit([2, 0], 3)
    assert model.by_order(np.array([2, 0, 1, 0])).shape == (2, 4)
    assert model.nats(np.zeros(0, np.int32)).shape == (0,)
    with pytest.raises(DataError, match="no text to learn from"):
        fit([], 3)


# Small keys are sorted together with their places, large ones are not.
@given(st.sampled_from([9, 2**40, 2**60]), st.lists(st.integers(0, 6), min_size=1, max_size=40))
def test_distinct_keys_are_those_of_numpy(scale, values):
    keys = np.array(values, np.int64) * scale
    expected = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    for found, array in zip(ngram_model._distinct(keys), expected, strict=True):
        np.testing.assert_array_equal(found, array)
