import numpy as np

from textapps.interpret.deletion import POINTS, area_under, deletion_curve, occlusion

UNKNOWN = 1
WEIGHTS = np.array([0.0, 0.0, 4.0, -2.0, 1.0])  # by id


def score(rows):
    """A sum of words, and one more for the pair 4, 2."""
    pair = ((rows[:, :-1] == 4) & (rows[:, 1:] == 2)).sum(axis=1)
    return WEIGHTS[rows].sum(axis=1) + pair


def test_occlusion_is_what_is_lost_with_a_word() -> None:
    ids = np.array([2, 3, 4, 2], np.int32)
    assert occlusion(score, ids, UNKNOWN).tolist() == [4.0, -2.0, 2.0, 5.0]
    assert ids.tolist() == [2, 3, 4, 2]


def test_a_better_order_has_less_below_its_curve() -> None:
    ids = np.array([2, 3, 4, 2, 3, 3, 2, 4, 4, 3], np.int32)  # as many words as steps
    best = np.argsort(-WEIGHTS[ids], kind="stable")
    curves = [deletion_curve(score, ids, order, UNKNOWN) for order in (best, best[::-1])]
    for curve, order in zip(curves, (best, best[::-1]), strict=True):
        assert len(curve) == POINTS
        by_hand = []
        for count in range(11):
            left = ids.copy()
            left[order[:count]] = UNKNOWN
            by_hand.append(score(left[None])[0])
        assert curve.tolist() == by_hand
    assert area_under(curves[0]) < area_under(curves[1])
