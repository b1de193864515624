import numpy as np
import pytest
import tensorflow as tf

from tests.quick import quick
from textapps.backbones.backbone import Backbone
from textapps.backbones.config import BackboneConfig
from textapps.backbones.registry import BACKBONES
from textapps.interpret import loss_gradients as module
from textapps.interpret.loss_gradients import loss_gradients
from textapps.training.seeding import seed_everything

UNITS, TIME, BATCH = 8, 5, 3
STEP = 1e-2


@pytest.mark.parametrize("kind", quick(BACKBONES, "gru", "transformer"))
def test_against_finite_differences(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 3)
    seed_everything(2)
    backbone = Backbone(BackboneConfig(kind=kind, units=UNITS, heads=2, context=4))
    drawn = np.random.RandomState(3)
    x = drawn.normal(size=(BATCH, TIME, UNITS)).astype(np.float32)
    weights = tf.constant(drawn.normal(size=(BATCH, TIME, UNITS)), tf.float32)
    _, state = backbone(drawn.normal(size=(BATCH, 3, UNITS)).astype(np.float32))

    def outputs(x, state):
        return backbone(x, state)[0]

    def losses(y, first):
        wanted = slice(first, first + tf.shape(y)[1])
        return tf.reduce_sum(tf.sin(y) * weights[:, wanted], axis=2)

    found = tf.function(lambda x: loss_gradients(outputs, losses, x, state), autograph=False)(
        tf.constant(x)
    ).numpy()
    assert found.shape == (BATCH, TIME, TIME)
    for column in range(TIME):
        slopes = []
        for unit in range(UNITS):
            ends = []
            for sign in (1, -1):
                moved = x.copy()
                moved[:, column, unit] += sign * STEP
                ends.append(losses(outputs(moved, state), 0).numpy())
            slopes.append((ends[0] - ends[1]) / (2 * STEP))
        expected = np.linalg.norm(slopes, axis=0)  # [batch, time]
        np.testing.assert_allclose(found[:, :, column], expected, rtol=2e-3, atol=2e-4)
    assert not np.triu(found, 1).any()


def test_nothing_to_explain() -> None:
    empty = tf.zeros([BATCH, 0, UNITS])
    found = loss_gradients(lambda x, s: x, lambda y, first: y[..., 0], empty, ())
    assert found.shape == (BATCH, 0, 0)
