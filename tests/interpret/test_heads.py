"""Attention by head against the mixer's own outputs, and a head in NumPy."""

import numpy as np
import pytest

from tests.interpret.models import CONTEXT, UNITS, stages, text
from textapps.interpret.heads import head_figures, self_attention

TIME, HEADS = 9, 3


def test_weights_mix_the_values_to_what_the_mixer_gives() -> None:
    model = stages("transformer", heads=HEADS)
    x = model.embed(text(TIME)[None])
    found = self_attention(model.backbone, x)
    for block, weights in zip(model.backbone.blocks, found, strict=True):
        assert weights.shape == (HEADS, TIME, TIME)
        read = block.mixer_inputs(x)
        values = np.array(block.mixer.projection(read))[0, :, 2 * UNITS :]
        depth = UNITS // HEADS
        mixed = [weights[h] @ values[:, h * depth : (h + 1) * depth] for h in range(HEADS)]
        outputs = np.concatenate(mixed, axis=1) @ np.array(block.mixer.output_projection.kernel)
        expected, _ = block.mixer(read)
        assert outputs == pytest.approx(np.array(expected)[0], abs=1e-5)
        x, _ = block(x)


def test_no_head_looks_ahead_or_beyond_its_context() -> None:
    model = stages("transformer")
    rows, columns = np.indices((TIME, TIME))
    seen = (rows >= columns) & (rows - columns <= CONTEXT)
    for weights in self_attention(model.backbone, model.embed(text(TIME)[None])):
        assert (weights[:, seen] > 0).all()
        assert not weights[:, ~seen].any()
        assert weights.sum(axis=2) == pytest.approx(np.ones(weights.shape[:2]), abs=1e-6)


def test_figures_of_a_head_that_looks_one_back_and_of_one_that_looks_everywhere() -> None:
    one_back = np.eye(4, k=-1, dtype=np.float32)
    one_back[0, 0] = 1
    assert head_figures(one_back) == pytest.approx((0.75, 0.0, 0.25, 1.0))
    even = head_figures(np.full((4, 4), 0.25, np.float32))
    assert even == pytest.approx((1.25, np.log(4), 0.25, 0.25))
