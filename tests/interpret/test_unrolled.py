"""Back-propagation through time, against the textbook's equations written out."""

import itertools

import numpy as np
import pytest

from tests.interpret.models import stages, text
from tests.quick import quick
from textapps.backbones.registry import BACKBONES
from textapps.interpret.lesson import LessonNetwork, parameters_of, train_lesson
from textapps.interpret.unrolled import unroll

RECURRENT = [kind for kind in BACKBONES if kind != "transformer"]
WORD = "namaskar"
LETTERS = sorted(set(WORD))
IDS = np.array([LETTERS.index(letter) for letter in WORD], np.int32)


def test_namaskar_by_two_units_as_worked_by_hand() -> None:
    """Every number of the table by the equations of Elman's network and of Werbos, in NumPy."""
    model = train_lesson("simple_rnn", IDS, len(LETTERS))
    variables = parameters_of(model)
    assert list(variables) == [
        "embedding embeddings",
        "kernel",
        "recurrent kernel",
        "bias",
        "head kernel",
        "head bias",
    ]
    # bias-free names of the equations: h = tanh(x W + h U + b), y = softmax(h V + c)
    e, w, u, b, v, c = (np.asarray(variable, np.float64) for variable in variables.values())
    found = unroll(model.stages, IDS, variables)
    hs, losses, d_outputs = [np.zeros(2)], [], []
    for step, (letter, following) in zip(found.steps, itertools.pairwise(IDS), strict=True):
        h = np.tanh(e[letter] @ w + hs[-1] @ u + b)
        scores = np.exp(h @ v + c)
        chances = scores / scores.sum()
        hs.append(h)
        losses.append(-np.log(chances[following]))
        d_outputs.append(chances - np.eye(len(LETTERS))[following])
        assert (step.input, step.target) == (letter, following)
        assert step.embedded == pytest.approx(e[letter])
        assert step.state["h"] == pytest.approx(h, abs=1e-5)
        assert step.probabilities == pytest.approx(chances, abs=1e-5)
        assert step.loss == pytest.approx(losses[-1], abs=1e-5)
    assert found.loss == pytest.approx(sum(losses), abs=1e-4)
    future, d_w, d_u, d_b = np.zeros(2), 0 * w, 0 * u, 0 * b
    for t in reversed(range(len(found.steps))):
        step = found.steps[t]
        own = v @ d_outputs[t]
        assert step.from_output["h"] == pytest.approx(own, abs=1e-4)
        assert step.from_future["h"] == pytest.approx(future, abs=1e-4)
        inner = (own + future) * (1 - hs[t + 1] ** 2)
        shares = {
            "kernel": np.outer(e[IDS[t]], inner),
            "recurrent kernel": np.outer(hs[t], inner),
            "bias": inner,
            "head kernel": np.outer(hs[t + 1], d_outputs[t]),
            "head bias": d_outputs[t],
        }
        for name, expected in shares.items():
            assert step.shares[name] == pytest.approx(expected, abs=1e-4), (t, name)
        d_w, d_u, d_b = d_w + shares["kernel"], d_u + shares["recurrent kernel"], d_b + inner
        future = inner @ u.T
    assert found.gradients["kernel"] == pytest.approx(d_w, abs=1e-3)
    assert found.gradients["recurrent kernel"] == pytest.approx(d_u, abs=1e-3)
    assert found.gradients["bias"] == pytest.approx(d_b, abs=1e-3)


@pytest.mark.parametrize("kind", RECURRENT)
def test_shares_of_the_steps_sum_to_the_gradient(kind: str) -> None:
    model = LessonNetwork(kind, len(LETTERS))
    model(IDS[None])
    variables = parameters_of(model)
    assert len(variables) == len(model.trainable_variables)
    found = unroll(model.stages, IDS, variables)
    for name, gradient in found.gradients.items():
        assert np.abs(gradient).max() > 0
        total = np.sum([step.shares[name] for step in found.steps], axis=0)
        assert total == pytest.approx(gradient, abs=1e-5), name


@pytest.mark.slow
@pytest.mark.parametrize("kind", quick(RECURRENT, "gru"))
def test_a_lesson_learns_and_depends_on_its_seed_alone(kind: str) -> None:
    before = np.random.get_state()[2]
    models = [train_lesson(kind, IDS, len(LETTERS), seed) for seed in (1, 1, 2)]
    assert np.random.get_state()[2] == before
    first, again, other = (unroll(m.stages, IDS, parameters_of(m)).loss for m in models)
    assert first == again != other
    assert first < 0.7 * (len(IDS) - 1) * np.log(len(LETTERS))  # chance


def test_states_of_a_deeper_network_are_named_by_block() -> None:
    model = stages("lstm")
    found = unroll(model, text(4), {})
    assert list(found.steps[0].state) == ["block 1 h", "block 1 c", "block 2 h", "block 2 c"]
    assert not any(found.steps[-1].from_future["block 1 c"])
    assert all(np.abs(found.steps[0].from_future[name]).max() > 0 for name in found.steps[0].state)
