"""Surprise and connections of characters, against `nats` and finite differences."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.tasks.tiny import each_kind
from textapps.decoding.decoder import Decoder
from textapps.tasks.generate import explain as module
from textapps.tasks.generate.data import BEGINNING
from textapps.tasks.generate.explain import Connections

TEXT = "the dog,\nsat é猫"
STEP = 3e-3


def connections(generator: Any) -> Callable[..., Any]:
    decoder = Decoder(generator.model, len(generator.preprocessor.vocabulary))
    return tf.function(
        Connections(generator.model, generator.preprocessor, decoder),
        input_signature=[tf.TensorSpec([None], tf.string)],
        autograph=False,
    )


@pytest.mark.slow
@each_kind
def test_each_character_and_those_it_hangs_on(
    untrained: Callable[[str, str], Any], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EXPLAINED", 6)
    generator = untrained("generate", kind)
    model, size = generator.model, len(TEXT)
    explain = connections(generator)
    found = {name: each.numpy() for name, each in explain(tf.constant([TEXT, "", "the"])).items()}
    assert [b"".join(row).decode() for row in found["characters"]] == [TEXT[-6:], "", "the"]
    assert found["begin"].tolist() == [size - 6, 0, 0]
    surprise = [generator.nats(text) for text in (TEXT, "", "the")]
    np.testing.assert_allclose(found["surprise"][0], surprise[0][-6:], atol=1e-4)
    np.testing.assert_allclose(found["surprise"][2, :3], surprise[2], atol=1e-4)
    for row, length in enumerate([6, 0, 3]):
        assert not found["surprise"][row, length:].any()
        assert not found["gradients"][row, length:].any()
        assert not np.triu(found["gradients"][row]).any()

    # By finite differences: the characters before the window give its state.
    ids = generator.preprocessor.encode(BEGINNING + TEXT)
    first = size - 6
    _, state = model.backbone(model.embedding(ids[None, :first]))
    inputs = model.embedding(ids[None, first:-1]).numpy()
    for column in range(5):
        slopes = []
        for unit in range(inputs.shape[2]):
            ends = []
            for sign in (1, -1):
                moved = inputs.copy()
                moved[0, column + 1, unit] += sign * STEP
                logits = model.logits(model.backbone(moved, state)[0])
                ends.append(model.nats(ids[None, first + 1 :], logits).numpy()[0])
            slopes.append((ends[0] - ends[1]) / (2 * STEP))
        expected = np.linalg.norm(slopes, axis=0)
        np.testing.assert_allclose(
            found["gradients"][0, :, column], expected, rtol=1e-2, atol=5e-3 * expected.max()
        )


@pytest.mark.slow
def test_nothing_is_asked(untrained: Callable[[str, str], Any]) -> None:
    explain = connections(untrained("generate", "gru"))
    assert explain(tf.constant([""]))["gradients"].shape == (1, 0, 0)
