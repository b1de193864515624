"""Gradients by distance against finite differences and cases that have a formula."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from tests.interpret.models import SYMBOLS, replaced, slopes, stages, text
from tests.quick import quick
from textapps.backbones.registry import BACKBONES
from textapps.interpret.connectivity import connectivity
from textapps.interpret.gradients import falls_to, gradient_by_distance, half_life

DISTANCE = 5


@pytest.mark.parametrize("kind", quick(BACKBONES, "gru", "transformer"))
def test_by_inputs_as_by_finite_differences(kind: str) -> None:
    model, ids = stages(kind), text(14)
    found = gradient_by_distance(model, ids, DISTANCE, positions=2)
    assert found.inputs.shape == (2, DISTANCE + 1)
    for row, position in enumerate(found.positions):
        window = np.array(model.embed(ids[None, position - DISTANCE : position + 1]))
        for distance in range(DISTANCE + 1):
            place = DISTANCE - distance

            def losses(rows, place=place, window=window, target=ids[position + 1]):
                outputs, _ = model.backbone(tf.constant(replaced(window, place, rows)))
                return model.losses(outputs[:, -1], np.full(len(rows), target))

            by_hand = np.linalg.norm(slopes(losses, window[0, place]))
            assert found.inputs[row, distance] == pytest.approx(by_hand, rel=1e-3, abs=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in BACKBONES if kind != "transformer"])
def test_by_states_as_by_finite_differences(kind: str) -> None:
    """The law of chunks gives the state after a step; the rest of the window goes on from it."""
    model, ids = stages(kind), text(14)
    found = gradient_by_distance(model, ids, DISTANCE, positions=1)
    (position,) = found.positions
    window = model.embed(ids[None, position - DISTANCE : position + 1])
    for distance in range(1, DISTANCE + 1):
        cut = DISTANCE + 1 - distance
        _, state = model.backbone(window[:, :cut])
        leaves = tf.nest.flatten(state)
        sizes = [leaf.shape[1] for leaf in leaves]

        def losses(rows, state=state, sizes=sizes, cut=cut):
            parts = np.split(rows, np.cumsum(sizes)[:-1], axis=1)
            changed = tf.nest.pack_sequence_as(state, [tf.constant(part) for part in parts])
            later = tf.repeat(window[:, cut:], len(rows), axis=0)
            outputs, _ = model.backbone(later, changed)
            return model.losses(outputs[:, -1], np.full(len(rows), ids[position + 1]))

        by_hand = slopes(losses, np.concatenate([np.array(leaf)[0] for leaf in leaves]))
        assert found.state is not None
        expected = pytest.approx(np.linalg.norm(by_hand), rel=1e-3)
        assert found.state[0, distance] == expected


def test_a_linear_recurrence_halves_at_every_step() -> None:
    """h' = h / 2 + x: the gradient of the state d steps back is (1/2)^d that of the last one."""
    options = {"layers": 1, "activation": "linear", "residual": False, "normalization": "none"}
    model = stages("simple_rnn", **options)
    cell = model.backbone.blocks[0].mixer.forward.cell
    cell.recurrent_kernel.assign(0.5 * np.eye(6))
    found = gradient_by_distance(model, text(60), 20, positions=7)
    assert found.state is not None
    ratios = found.state[:, 1:] / found.state[:, :-1]
    assert ratios == pytest.approx(0.5 * np.ones((7, 20)), rel=1e-6)
    assert half_life(np.median(found.state, axis=0)) == pytest.approx(1.0)


def test_a_transformer_sees_nothing_beyond_its_contexts() -> None:
    found = gradient_by_distance(stages("transformer"), text(40), 12, positions=3)
    assert found.state is None
    assert (found.inputs[:, :9] > 0).all()
    assert not found.inputs[:, 9:].any()


def test_a_short_text_gives_short_windows() -> None:
    found = gradient_by_distance(stages("gru"), text(6), 200, positions=200)
    assert found.inputs.shape == (3, 3)
    assert found.positions.tolist() == [2, 3, 4]


@given(rate=st.floats(0.01, 0.99), share=st.floats(0.02, 0.9), start=st.floats(1e-3, 1e3))
def test_what_shrinks_by_a_rate_falls_as_its_logarithm_says(
    rate: float, share: float, start: float
) -> None:
    medians = start * rate ** np.arange(600.0)
    expected = np.log(share) / np.log(rate)
    found = falls_to(medians, share)
    if expected > 597:
        assert found is None
    else:
        assert found == pytest.approx(expected, rel=1e-6)


def test_half_lives_of_gradients_that_do_not_just_shrink() -> None:
    assert half_life(np.array([1.0, 1.0, 2.0, 4.0])) is None  # explodes
    assert half_life(np.array([1.0, 1.0, 0.1, 0.9, 0.1])) == pytest.approx(2.27, abs=0.01)
    assert half_life(np.array([1.0, 1.0, np.nan])) is None
    assert half_life(np.array([1.0, 0.0, 0.0])) == 0.0
    assert half_life(np.array([1.0, 1.0, 0.0])) == 0.0
    assert half_life(np.array([1.0])) is None


@pytest.mark.slow
@pytest.mark.parametrize("kind", quick(["lstm", "transformer"], "transformer"))
def test_connectivity_as_by_finite_differences(kind: str) -> None:
    model, ids = stages(kind), text(5)
    found = connectivity(model, ids, reach=10)
    whole = np.array(model.embed(ids[None, :-1]))
    for row, column in np.ndindex(found.shape):

        def losses(rows, row=row, column=column):
            outputs, _ = model.backbone(tf.constant(replaced(whole, column, rows)))
            return model.losses(outputs[:, row], np.full(len(rows), ids[row + 1]))

        by_hand = np.linalg.norm(slopes(losses, whole[0, column]))
        assert found[row, column] == pytest.approx(by_hand, rel=1e-3, abs=1e-7)
    assert not np.triu(found, 1).any()


def test_connectivity_looks_as_far_as_it_may() -> None:
    ids = text(9)
    found = connectivity(stages("gru"), ids, reach=3)
    rows, columns = np.indices(found.shape)
    near = (rows >= columns) & (rows - columns < 3)
    assert (found[near] > 0).all()
    assert not found[~near].any()
    assert ids.max() == SYMBOLS - 1
