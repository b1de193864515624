"""Laws of successive halving."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from textapps.search.halving import LOWER_RUNGS, REDUCTION, promotable, rungs, shares


@given(total=st.integers(1, 5_000), interval=st.integers(1, 700))
def test_rungs_are_ends_of_intervals_and_the_last_is_the_end(total: int, interval: int) -> None:
    found = rungs(total, interval)
    assert found[-1] == total
    assert all(a < b for a, b in pairwise(found))
    assert all(step % interval == 0 for step in found[:-1])
    numbers = shares(found)
    assert numbers[-1] == LOWER_RUNGS
    # A rung is never before its share of the training, and at most an interval after it.
    for step, number in zip(found[:-1], numbers[:-1], strict=True):
        share = total / REDUCTION ** (LOWER_RUNGS - number)
        assert share <= step + interval
        assert step < share + 2 * interval


@given(scores=st.dictionaries(st.integers(0, 40), st.floats(-9, 9), max_size=30), data=st.data())
def test_the_best_third_goes_on_once(scores: dict[int, float], data: st.DataObject) -> None:
    promoted = data.draw(st.sets(st.sampled_from(sorted(scores)))) if scores else set[int]()
    found = promotable(scores, promoted)
    assert not set(found) & promoted
    best = set(promotable(scores, ()))
    assert set(found) == best - promoted
    assert len(best) == min(len(scores), max(1, len(scores) // REDUCTION))
    others = [scores[trial] for trial in scores if trial not in best]
    assert not best or not others or min(scores[trial] for trial in best) >= max(others)
    assert [scores[trial] for trial in found] == sorted(
        (scores[trial] for trial in found), reverse=True
    )
