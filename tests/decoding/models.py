"""A language model small enough to be followed by hand, and its decoder."""

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from textapps.decoding.decoder import Decoder, DecodingState
from textapps.decoding.options import DTYPES, OFF, Options

VOCABULARY = 7  # two of them are padding and unknown


class Bigrams:
    """Logits by the last character and by how many characters there have been, modulo 3."""

    def __init__(self, seed: int = 0, spread: float = 1.0) -> None:
        draw = np.random.default_rng(seed)
        self.table = draw.normal(0, spread, (3, VOCABULARY, VOCABULARY)).astype("float32")
        self.table[:, :, :2] = 9  # padding and unknown would win if they were let

    def initial_state(self, batch: Any) -> Any:
        return ({"count": tf.zeros([batch], tf.int32)}, {"last": tf.zeros([batch, 2])})

    def begin_decode(self, state: Any, room: int) -> Any:
        return state

    def end_decode(self, state: Any) -> Any:
        return state

    def decode_step(self, ids: Any, state: Any, mask: Any = None) -> tuple[Any, Any]:
        if mask is None:
            mask = tf.ones_like(ids, tf.bool)
        added = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)
        last = tf.gather(ids, tf.maximum(added - 1, 0), batch_dims=1)
        count = state[0]["count"] + added
        logits = tf.gather_nd(tf.constant(self.table), tf.stack([count % 3, last], axis=1))
        both = tf.stack([tf.cast(last, tf.float32), state[1]["last"][:, 0]], axis=1)
        kept = tf.where(added[:, None] > 0, both, state[1]["last"])
        return logits, ({"count": count}, {"last": kept})

    def logits(self, ids: list[int]) -> np.ndarray:
        """Those after a text, by hand."""
        return self.table[len(ids) % 3, ids[-1]]


def options(rows: int = 1, **values: Any) -> Options:
    """One value for all rows, or one for each."""
    defaults = {"temperature": 1.0, "random_seed": 0, **OFF}
    return {
        name: np.broadcast_to(
            np.asarray(values.get(name, default), DTYPES[name].as_numpy_dtype), (rows,)
        ).copy()
        for name, default in defaults.items()
    }


@functools.cache
def runner(model: Any, stop: bool = False, jit: bool = False, steps: int | None = None) -> Any:
    """`start` and `advance` of a model as graph functions, traced once for all sizes."""
    made = Decoder(model, VOCABULARY)
    ints = tf.TensorSpec([None], tf.int32)

    @tf.function(
        input_signature=[tf.TensorSpec([None, None], tf.int32), ints, *[ints] * stop],
        autograph=False,
    )
    def start(*inputs: Any) -> DecodingState:
        return made.start(*inputs)

    state = tf.nest.map_structure(tf.TensorSpec.from_tensor, start.get_concrete_function().outputs)
    state = tf.nest.pack_sequence_as(start.get_concrete_function().structured_outputs, state)
    row = tf.nest.map_structure(lambda each: tf.TensorSpec([None], each.dtype), options())

    @tf.function(
        input_signature=[state, row, ints, tf.TensorSpec([], tf.bool)],
        autograph=False,
        jit_compile=jit,
    )
    def advance(state: Any, options: Any, length: Any, final: Any) -> Any:
        return made.advance(state, options, length, steps, final=final)

    return start, advance


def generate(
    seeds: list[list[int]],
    options: Options,
    cuts: list[list[int]],
    stop: list[int] | None = None,
    model: Any = None,
    **compiled: Any,
) -> tuple[list[list[int]], DecodingState]:
    """The texts of all rows from one call of `advance` for each list of lengths in `cuts`."""
    return list(parts(seeds, options, cuts, stop, model, **compiled))[-1]


def parts(
    seeds: list[list[int]],
    options: Options,
    cuts: list[list[int]],
    stop: list[int] | None = None,
    model: Any = None,
    **compiled: Any,
) -> Iterator[tuple[list[list[int]], DecodingState]]:
    """As `generate`, after each call."""
    start, advance = runner(model or bigrams(), stop is not None, **compiled)
    time = max(map(len, seeds))
    ids = np.array([seed + [0] * (time - len(seed)) for seed in seeds], np.int32)
    stops = [] if stop is None else [np.array(stop, np.int32)]
    state = start(ids, np.array([len(seed) for seed in seeds], np.int32), *stops)
    texts: list[list[int]] = [[] for _ in seeds]
    for number, lengths in enumerate(cuts, 1):
        length = np.array(lengths, np.int32)
        ids, given, state = advance(state, options, length, number == len(cuts))
        for text, row, count in zip(texts, ids.numpy(), given.numpy(), strict=True):
            text += row[:count].tolist()
            assert not row[count:].any()
        yield texts, state


@functools.cache
def bigrams(seed: int = 0) -> Bigrams:
    """One of each, so that its graph is traced once."""
    return Bigrams(seed)
