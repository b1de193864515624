"""A model of translations small enough that all of them can be scored by hand."""

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from scipy import special

from textapps.core.tokens import BOS, EOS
from textapps.decoding.beam_search import beam_search
from textapps.decoding.greedy import greedy, sample
from textapps.decoding.hypotheses import IMPOSSIBLE, Hypotheses

VOCABULARY = 6  # padding, unknown, BOS, EOS and two more
SOURCES = 40


class Table:
    """Logits by the source, the last two tokens and whether the number of tokens is odd.

    The memory of a row is its source, a number. The state counts, and remembers the last token
    as a cache that grows does: in the last slot.
    """

    def __init__(self, seed: int = 0, spread: float = 1.5) -> None:
        draw = np.random.default_rng(seed)
        shape = (SOURCES, 2, VOCABULARY, VOCABULARY, VOCABULARY)
        self.table = draw.normal(0, spread, shape).astype("float32")
        self.table[..., [0, BOS]] = IMPOSSIBLE
        self.table[..., EOS] += draw.normal(0, 2, (SOURCES, 1, 1, 1))  # some end soon

    def initial_state(self, batch: Any) -> Any:
        return ({"count": tf.zeros([batch], tf.int32), "past": tf.zeros([batch, 0, 1])},)

    def decode_step(self, ids: Any, state: Any, *, memory: Any) -> tuple[Any, Any]:
        (leaves,) = state
        padded = tf.pad(leaves["past"], [[0, 0], [1, 0], [0, 0]])
        before = tf.cast(padded[:, -1, 0], tf.int32)
        rows = tf.shape(ids)[0]
        source = tf.repeat(memory["source"], rows // tf.shape(memory["source"])[0])
        place = tf.stack([source, leaves["count"] % 2, before, ids[:, 0]], axis=1)
        past = tf.concat([leaves["past"], tf.cast(ids, tf.float32)[:, :, None]], axis=1)
        logits = tf.gather_nd(tf.constant(self.table), place)
        return logits, ({"count": leaves["count"] + 1, "past": past},)

    def log_probabilities(self, source: int, tokens: list[int]) -> np.ndarray:
        """Those of what follows BOS and the tokens, by hand."""
        history = [0, BOS, *tokens]
        logits = self.table[source, len(tokens) % 2, history[-2], history[-1]]
        return special.log_softmax(logits.astype(float))

    def score(self, source: int, tokens: list[int], length_penalty: float) -> float:
        """log P(tokens, EOS) / ((5 + their number) / 6)^length_penalty, by hand."""
        total = sum(
            self.log_probabilities(source, tokens[:i])[token]
            for i, token in enumerate([*tokens, EOS])
        )
        return total / ((6 + len(tokens)) / 6) ** length_penalty


def every_sequence(longest: int) -> Iterator[list[int]]:
    """All sequences of at most so many tokens that a model may produce."""
    sequences: list[list[int]] = [[]]
    for _ in range(longest + 1):
        yield from sequences
        sequences = [[*s, token] for s in sequences for token in (1, 4, 5)]


@functools.cache
def table(seed: int = 0) -> Table:
    """One of each, so that its graph is traced once."""
    return Table(seed)


@functools.cache
def _searcher(model: Any, search: str, length_penalty: float, **options: Any) -> Any:
    def run(sources: Any, max_length: Any, random_seed: Any) -> Hypotheses:
        start = tf.fill(tf.shape(sources), BOS)
        rows = options["beams"] if "room" in options else 1
        state, memory = model.initial_state(rows * tf.size(sources)), {"source": sources}
        given = {"length_penalty": length_penalty, "max_length": max_length, **options}
        if search == "beam":
            return beam_search(model.decode_step, state, memory, start, **given)
        if search == "sample":
            given["random_seed"] = random_seed
            return sample(model.decode_step, state, memory, start, **given)
        return greedy(model.decode_step, state, memory, start, **given)

    row = tf.TensorSpec([None], tf.int32)
    seeds = tf.TensorSpec([None], tf.int64)
    return tf.function(run, input_signature=[row, row, seeds], autograph=False)


def find(
    sources: list[int],
    longest: Any,
    search: str = "beam",
    *,
    model: Any = None,
    length_penalty: float = 0.6,
    random_seed: Any = 0,
    **options: Any,
) -> list[list[tuple[list[int], float]]]:
    """For each source its hypotheses, (tokens, score) each."""
    run = _searcher(model or table(), search, length_penalty, **options)
    batch = (len(sources),)
    found = run(
        np.array(sources, np.int32).reshape(batch),
        np.broadcast_to(np.array(longest, np.int32), batch),
        np.broadcast_to(np.array(random_seed, np.int64), batch),
    )
    ids, scores, lengths = (leaf.numpy() for leaf in found)
    assert ids.shape[:2] == scores.shape == lengths.shape
    assert ids.shape[2] == options.get("room", max(1, lengths.max(initial=0)))
    for row, count in zip(ids.reshape(-1, ids.shape[2]), lengths.reshape(-1), strict=True):
        assert row[:count].all()
        assert not row[count:].any()
    return [
        [
            (tokens[:count].tolist(), float(score))
            for tokens, score, count in zip(*hypotheses, strict=True)
        ]
        for hypotheses in zip(ids, scores, lengths, strict=True)
    ]
