"""Searches over real backbones with a memory, and their export."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from textapps.backbones import shared_past
from textapps.backbones.backbone import Backbone
from textapps.backbones.config import BackboneConfig
from textapps.core.tokens import BOS, EOS
from textapps.decoding.beam_search import beam_search
from textapps.decoding.greedy import greedy
from textapps.training.seeding import seed_everything

BATCH, SOURCE, MEMORY_UNITS, UNITS, VOCABULARY, LONGEST = 3, 5, 6, 8, 11, 9


class Tiny(tf.Module):
    """Embedding, a decoder whose context is shorter than its answers, logits."""

    def __init__(self, kind: str, attention: str = "multi-head") -> None:
        super().__init__()
        seed_everything(3)
        config = BackboneConfig(
            kind=kind, units=UNITS, layers=2, heads=2, context=6, attention=attention
        )
        self.decoder = Backbone(config, memory_units=MEMORY_UNITS)
        self.decoder.build((None, None, UNITS))
        draw = np.random.default_rng(6)
        self.table = tf.Variable(draw.normal(size=(VOCABULARY, UNITS)).astype("float32"))
        self.never = tf.constant([-1e9, 0, -1e9, *[0.0] * (VOCABULARY - 3)])

    def decode_step(self, ids: Any, state: Any, *, memory: Any) -> tuple[Any, Any]:
        x, state = self.decoder(tf.gather(self.table, ids), state, memory=memory)
        return 0.5 * tf.matmul(x[:, -1], self.table, transpose_b=True) + self.never, state

    def found(self, encoded: Any, mask: Any, plain: bool = False, **options: Any) -> Any:
        batch = tf.shape(encoded)[0]
        given = (
            self.decode_step,
            self.decoder.initial_state(batch)
            if plain
            else self.decoder.search_state(batch, options.get("beams", 1)),
            self.decoder.prepare_memory(encoded, mask),
            tf.fill([batch], BOS),
        )
        options = {"length_penalty": 0.6, "max_length": LONGEST, **options}
        if "beams" not in options:
            return greedy(*given, **options)
        if not plain:
            options["reorder"] = self.decoder.reorder
        return beam_search(*given, **options)

    def score(self, rows: Any, ids: Any, lengths: Any, length_penalty: float) -> Any:
        """Scores of int32[n, time] hypotheses for some rows of the source, from one call."""
        memory = self.decoder.prepare_memory(ENCODED[rows], MASK[rows])
        before = np.pad(ids, ((0, 0), (1, 0)), constant_values=BOS)
        x, _ = self.decoder(tf.gather(self.table, before), memory=memory)
        logits = 0.5 * tf.matmul(x, self.table, transpose_b=True) + self.never
        ids = np.pad(ids, ((0, 0), (0, 1)))
        ids[np.arange(len(ids)), lengths] = EOS
        each = tf.gather(tf.nn.log_softmax(logits), ids, batch_dims=2).numpy()
        total = np.where(np.arange(ids.shape[1]) <= lengths[:, None], each, 0).sum(axis=1)
        return total / ((6 + lengths) / 6) ** length_penalty


ENCODED = np.random.default_rng(1).normal(size=(BATCH, SOURCE, MEMORY_UNITS)).astype("float32")
MASK = np.arange(SOURCE) < np.array([[SOURCE], [3], [1]])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "attention"),
    [
        ("simple_rnn", "none"),
        pytest.param("jordan", "multi-head", marks=pytest.mark.exhaustive),
        pytest.param("lstm", "dot", marks=pytest.mark.exhaustive),
        ("gru", "additive"),
        ("transformer", "multi-head"),
    ],
)
def test_scores_are_those_of_one_call_and_none_is_below_greedy(kind: str, attention: str) -> None:
    """State is that of the parents, also beyond the context; the memory is shared by the beams."""
    model = Tiny(kind, attention)

    @tf.function(autograph=False)
    def both(encoded: Any, mask: Any) -> Any:
        return model.found(encoded, mask, beams=4, n_best=3), model.found(encoded, mask)

    best, likeliest = both(ENCODED, MASK)
    assert np.max(best.lengths) > 6  # or the test would not reach beyond the context
    for found in (best, likeliest):
        count = found.ids.shape[1]
        ids, lengths = np.reshape(found.ids, (BATCH * count, -1)), np.reshape(found.lengths, -1)
        expected = model.score(np.repeat(np.arange(BATCH), count), ids, lengths, 0.6)
        np.testing.assert_allclose(np.reshape(found.scores, -1), expected, atol=1e-4)
    assert np.all(best.scores[:, 0] >= likeliest.scores[:, 0] - 1e-5)
    turned, _ = both(ENCODED[::-1], MASK[::-1])
    np.testing.assert_array_equal(turned.ids[::-1], best.ids)
    np.testing.assert_allclose(turned.scores[::-1], best.scores, atol=1e-5)


def test_not_in_a_graph_it_finds_the_same() -> None:
    model = Tiny("gru")
    search = tf.function(lambda: model.found(ENCODED, MASK, beams=3, n_best=2), autograph=False)
    eager, graph = model.found(ENCODED, MASK, beams=3, n_best=2), search()
    np.testing.assert_array_equal(eager.ids, graph.ids)
    np.testing.assert_allclose(eager.scores, graph.scores, atol=1e-5)


@pytest.mark.slow
def test_a_shared_past_and_copies_of_it_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """In blocks of two positions, and in one for each; the other tests have all in one.

    One of the searches is a graph. To trace one takes longer than to run it step by step.
    """
    model = Tiny("transformer")
    graph = tf.function(model.found, autograph=False)
    copied = model.found(ENCODED, MASK, plain=True, beams=3)
    for product, find in ((3**2 * UNITS // 2 * 2, graph), (1, model.found)):
        monkeypatch.setattr(shared_past, "SMALL_PRODUCT", product)
        shared = find(ENCODED, MASK, beams=3)
        np.testing.assert_array_equal(shared.ids, copied.ids)
        np.testing.assert_allclose(shared.scores, copied.scores, atol=1e-5)


@pytest.mark.parametrize("kind", ["gru", "transformer"])
def test_an_empty_batch_has_no_answers(kind: str) -> None:
    found = Tiny(kind).found(ENCODED[:0], MASK[:0], beams=3, n_best=2)
    assert found.ids.shape[:2] == (0, 2)


def test_it_is_exported_with_stock_operations(tmp_path: Any) -> None:
    model = Tiny("lstm")
    specs = [
        tf.TensorSpec([None, None, MEMORY_UNITS], name="encoded"),
        tf.TensorSpec([None, None], tf.bool, name="mask"),
    ]

    @tf.function(input_signature=specs, autograph=False)
    def serve(encoded: Any, mask: Any) -> Any:
        return model.found(encoded, mask, beams=3, n_best=2)._asdict()

    model.serve = serve
    tf.saved_model.save(model, tmp_path, signatures=serve)
    loaded = tf.saved_model.load(tmp_path).signatures["serving_default"]
    answers = loaded(encoded=tf.constant(ENCODED), mask=tf.constant(MASK))
    expected = model.found(ENCODED, MASK, beams=3, n_best=2)
    assert answers["scores"].shape == (BATCH, 2)
    np.testing.assert_array_equal(answers["ids"], expected.ids)
    np.testing.assert_allclose(answers["scores"], expected.scores, atol=1e-5)
