"""The language model: one call or many, streams, and what is carried from one to the next."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from textapps.backbones.config import BACKBONES
from textapps.tasks.generate.model import LanguageModel
from textapps.training.seeding import seed_everything

VOCABULARY, STREAMS, CHUNK = 11, 3, 7


@pytest.fixture(scope="module")
def build(tiny: Callable[..., Any]) -> Callable[..., LanguageModel]:
    def make(kind: str, streams: tuple[int, int] | None = None, **changes: object) -> LanguageModel:
        seed_everything(3)
        changes = {"backbone.dropout": 0.0, "backbone.layers": 2, **changes}
        model = LanguageModel(tiny("generate", kind, **changes), VOCABULARY, streams)
        model.build()
        return model

    return make


def some_ids(rows: int, length: int) -> np.ndarray:
    return np.random.default_rng(1).integers(1, VOCABULARY, (rows, length)).astype(np.int32)


def as_chunk(ids: np.ndarray, start: bool) -> dict[str, Any]:
    return {
        "ids": keras.ops.convert_to_tensor(ids),
        "start": keras.ops.convert_to_tensor([start] * len(ids)),
    }


@pytest.mark.parametrize("kind", BACKBONES)
def test_padding_is_never_predicted(build: Callable[..., LanguageModel], kind: str) -> None:
    logits, _ = build(kind).read(some_ids(STREAMS, 5))
    chances = keras.ops.softmax(logits).numpy()
    assert chances.shape == (STREAMS, 5, VOCABULARY)
    assert (chances[..., 0] == 0).all()
    assert (chances[..., 1:] > 0).all()


@pytest.mark.parametrize("kind", BACKBONES)
def test_next_logits_are_those_of_the_last_valid_position(
    build: Callable[..., LanguageModel], kind: str
) -> None:
    model, ids = build(kind), some_ids(STREAMS, 6)
    lengths = np.array([6, 1, 4])
    mask = np.arange(6) < lengths[:, None]
    logits, state = model.decode_step(np.where(mask, ids, 0), None, mask)
    for row, length in enumerate(lengths):
        alone, state_alone = model.decode_step(ids[row : row + 1, :length])
        np.testing.assert_allclose(logits[row : row + 1], alone, atol=1e-5)
        further, _ = model.decode_step(ids[row : row + 1, :1], state_alone)
        in_batch, _ = model.decode_step(
            ids[row : row + 1, :1],
            keras.tree.map_structure(lambda leaf, row=row: leaf[row : row + 1], state),
        )
        np.testing.assert_allclose(in_batch, further, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("kind", BACKBONES)
@pytest.mark.parametrize("training", [True, False])
def test_streams_carry_their_state(
    build: Callable[..., LanguageModel], kind: str, training: bool
) -> None:
    """Two chunks of a stream are predicted as one text; a new start forgets."""
    model = build(kind, (STREAMS, STREAMS))
    ids = some_ids(STREAMS, 2 * CHUNK)
    whole, _ = model.read(ids)
    for _ in range(2):
        first = model(as_chunk(ids[:, :CHUNK], start=True), training=training)
        second = model(as_chunk(ids[:, CHUNK:], start=False), training=training)
        parts = np.concatenate([first, second], axis=1)
        np.testing.assert_allclose(parts, whole, atol=1e-5)


def test_evaluation_leaves_the_state_of_training_alone(build: Callable[..., LanguageModel]) -> None:
    model, ids = build("lstm", (STREAMS, 2)), some_ids(STREAMS, 2 * CHUNK)
    model(as_chunk(ids[:, :CHUNK], start=True), training=True)
    model(as_chunk(ids[:2, CHUNK:], start=True), training=False)
    second = model(as_chunk(ids[:, CHUNK:], start=False), training=True)
    np.testing.assert_allclose(second, model.read(ids)[0][:, CHUNK:], atol=1e-5)


def test_only_the_state_of_training_is_the_models(build: Callable[..., LanguageModel]) -> None:
    """Checkpoints hold it; that of evaluation begins anew with every validation."""
    names = [v.path for v in build("lstm", (STREAMS, 2)).variables if "carried_" in v.path]
    assert len(names) == 4  # h and c of two blocks
    assert not [v for v in build("lstm").variables if "carried_" in v.path]


def test_no_gradient_beyond_the_chunk(build: Callable[..., LanguageModel]) -> None:
    import tensorflow as tf

    model, ids = build("gru", (STREAMS, STREAMS)), some_ids(STREAMS, 2)
    model(as_chunk(ids[:, :1], start=True), training=True)
    with tf.GradientTape() as tape:
        logits = model(as_chunk(ids[:, 1:], start=False), training=True)
    gradient = tape.gradient(logits, model.embedding.embeddings)
    assert set(gradient.indices.numpy().tolist()) == set(ids[:, 1].tolist())
