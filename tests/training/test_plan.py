import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textapps.training.plan import LengthGroupedPlan, SequentialPlan, shard

lengths_of_texts = st.lists(st.integers(0, 30), min_size=1, max_size=60)


@given(lengths_of_texts, st.integers(1, 7), st.integers(0, 2**40), st.integers(1, 4))
def test_every_example_once_in_each_pass(lengths, batch_size, seed, pool):
    plan = LengthGroupedPlan(lengths, batch_size, seed, pool)
    for pass_index in (0, 3):
        batches = [plan.indices(pass_index, step) for step in range(plan.steps_per_pass)]
        assert sorted(np.concatenate(batches)) == list(range(len(lengths)))
        assert sum(len(batch) < batch_size for batch in batches) <= 1
        assert all(1 <= len(batch) <= batch_size for batch in batches)


@given(lengths_of_texts, st.integers(1, 7), st.integers(0, 9), st.randoms())
def test_a_batch_depends_on_nothing_asked_before(lengths, batch_size, seed, random):
    plan = LengthGroupedPlan(lengths, batch_size, seed, pool=2)
    asked = [(p, s) for p in range(3) for s in range(plan.steps_per_pass)]
    answers = {where: plan.indices(*where).tolist() for where in asked}
    random.shuffle(asked)
    for where in asked:
        assert plan.indices(*where).tolist() == answers[where]
        fresh = LengthGroupedPlan(lengths, batch_size, seed, pool=2)
        assert fresh.indices(*where).tolist() == answers[where]


@given(lengths_of_texts, st.integers(1, 7))
def test_one_pool_leaves_no_more_padding_than_sorting(lengths, batch_size):
    plan = LengthGroupedPlan(lengths, batch_size, seed=1, pool=len(lengths))
    ranges = [[lengths[i] for i in plan.indices(0, step)] for step in range(plan.steps_per_pass)]
    ranges.sort(key=lambda batch: (min(batch), max(batch), -len(batch)))
    assert all(max(a) <= min(b) for a, b in itertools.pairwise(ranges))


def test_order_is_pinned_because_runs_are_resumed_with_later_versions():
    plan = LengthGroupedPlan([5, 1, 9, 2, 7, 4, 4], batch_size=3, seed=7, pool=1)
    order = [[plan.indices(p, s).tolist() for s in range(3)] for p in range(2)]
    assert order == [[[1], [5, 0, 2], [3, 6, 4]], [[1, 3, 2], [5, 0, 4], [6]]]


@given(lengths_of_texts, st.integers(1, 7), st.integers(0, 9))
def test_a_pass_has_the_examples_that_it_is_told(lengths, batch_size, seed):
    """Repeated ones too, with the lengths that they have."""

    def of_pass(number):
        return np.concatenate([np.arange(len(lengths)), [number % len(lengths)] * 3])

    plan = LengthGroupedPlan(lengths, batch_size, seed, pool=len(lengths) + 3, of_pass=of_pass)
    for number in (0, 4):
        batches = [plan.indices(number, step).tolist() for step in range(plan.steps_per_pass)]
        assert sorted(itertools.chain(*batches)) == sorted(of_pass(number))
        ranges = [[lengths[i] for i in batch] for batch in batches]
        ranges.sort(key=lambda batch: (min(batch), max(batch), -len(batch)))
        assert all(max(a) <= min(b) for a, b in itertools.pairwise(ranges))


def test_seed_and_pass_change_the_order():
    def order(seed, pass_index):
        plan = LengthGroupedPlan(range(50), 4, seed)
        return [i for s in range(plan.steps_per_pass) for i in plan.indices(pass_index, s)]

    assert order(0, 0) != order(0, 1) != order(1, 0) != order(0, 0)


@given(lengths_of_texts, st.integers(1, 7))
def test_sequential_plan_sorts_and_can_be_undone(lengths, batch_size):
    plan = SequentialPlan(lengths, batch_size)
    in_batches = np.concatenate([plan.indices(0, s) for s in range(plan.steps_per_pass)])
    assert [lengths[i] for i in in_batches] == sorted(lengths)
    assert in_batches[plan.inverse].tolist() == list(range(len(lengths)))


@given(st.integers(1, 20), st.integers(1, 6))
def test_shards_are_equal_in_size_and_hold_each_row_once(count, workers):
    indices = np.arange(100, 100 + count)
    shards = [shard(indices, worker, workers) for worker in range(workers)]
    assert len({len(rows) for rows, _ in shards}) == 1
    valid = np.concatenate([rows[weights == 1] for rows, weights in shards])
    assert sorted(valid) == indices.tolist()
    assert sum(weights.sum() for _, weights in shards) == count


@pytest.mark.parametrize("workers", [1, 2])
def test_a_shard_takes_every_nth_row(workers):
    rows, weights = shard(np.array([3, 1, 4, 1, 5, 9]), worker=0, workers=workers)
    assert rows.tolist() == ([3, 1, 4, 1, 5, 9] if workers == 1 else [3, 4, 5])
    assert weights.dtype == np.float32
