"""The side of `search` that translates with textapps, and what all its sides share.

A question is [batch, length]; sources are drawn from it. The answer is {"seconds", "ids",
"scores"}, of the best answers.
"""

import os
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

WEIGHTS = "weights.npz"  # that the side of textapps draws, and the others read
BEAMS = 5
LENGTH_PENALTY = 0.6
SOURCE = 20  # tokens of every source
BLOCKS, SURE, ENDING = 3.0, 32.0, -100.0  # see `drawn`
FIRST, END = 4, 3  # as textapps.core.tokens has them, which a process of PyTorch need not import

# int[batch, source_time], length → ids int[batch, length] and scores float[batch]
Find = Callable[[Any, int], tuple[Any, Any]]
Ask = Callable[[Sequence[int]], dict[str, Any]]


def timed(find: Find, vocabulary: int) -> Ask:
    """A side that finds answers in this way."""

    def ask(question: Sequence[int]) -> dict[str, Any]:
        batch, length = question
        source = sources(batch, vocabulary)
        start = time.perf_counter()
        ids, scores = find(source, length)
        seconds = time.perf_counter() - start
        if (ids < FIRST).any():
            raise RuntimeError("an answer has ended before its length")
        return {"seconds": seconds, "ids": ids.tolist(), "scores": scores.tolist()}

    return ask


def sources(batch: int, vocabulary: int) -> NDArray[np.int64]:
    """int64[batch, SOURCE], the same whenever a batch of this size is asked for."""
    return np.random.default_rng(batch).integers(FIRST, vocabulary, (batch, SOURCE))


def textapps(scratch: str, vocabulary: int, **sizes: int) -> Ask:
    """As `textapps translate predict` does it, from ids to ids. Writes the weights.

    That is each operation in one thread, and as many batches at a time as there are cores.
    """
    os.environ["TF_NUM_INTRAOP_THREADS"] = "1"
    return timed(finder(False, scratch, vocabulary, **sizes), vocabulary)


def compiled(scratch: str, vocabulary: int, **sizes: int) -> Ask:
    """As `textapps`, by the search of an export with signatures that XLA compiles."""
    os.environ["TF_NUM_INTRAOP_THREADS"] = "1"
    return timed(finder(True, scratch, vocabulary, **sizes), vocabulary)


class NoTokenizers:
    """In the place of tokenizers, for a search that copies no numbers."""

    def placeholders(self) -> None:
        """There are none."""


def finder(compiled: bool, scratch: str, vocabulary: int, **sizes: int) -> Find:
    """The search of a `TranslationModel`, traced or compiled once for each length."""
    from textapps.core.memory import keep_freed_memory

    keep_freed_memory()
    import tensorflow as tf

    from textapps.core.parallel import cores, in_threads
    from textapps.decoding.config import SearchConfig
    from textapps.tasks.translate.compiled import CompiledSearch
    from textapps.tasks.translate.predictor import FEW
    from textapps.tasks.translate.search import Search

    model = untrained(Path(scratch, WEIGHTS), vocabulary, **sizes)
    kind = CompiledSearch if compiled else Search
    search = kind(model, NoTokenizers())  # type: ignore[arg-type]  # ids need none

    @cache
    def graph(length: int) -> Any:
        ratio = length // SOURCE  # as in use, where a long source has room for a longer answer
        longest = {"max_ratio": ratio, "max_extra": length - ratio * (SOURCE - 1)}
        config = SearchConfig(beam=BEAMS, length_penalty=LENGTH_PENALTY, **longest)
        given = [tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int64)]
        return tf.function(
            lambda source, seeds: search.ids(source, seeds, config), input_signature=given
        )

    def find(source: Any, length: int) -> tuple[Any, Any]:
        search = graph(length)

        def translated(part: Any) -> tuple[Any, Any]:
            found = search(tf.constant(part, tf.int32), tf.zeros(len(part), tf.int64))
            return found.ids[:, 0].numpy(), found.scores[:, 0].numpy()

        size = max(-(-len(source) // cores()), FEW)
        parts = [source[begin : begin + size] for begin in range(0, len(source), size)]
        ids, scores = zip(*in_threads(translated, parts), strict=True)
        width = max(each.shape[1] for each in ids)
        padded = [np.pad(each, ((0, 0), (0, width - each.shape[1]))) for each in ids]
        return np.concatenate(padded), np.concatenate(scores)

    return find


def untrained(weights: Path, vocabulary: int, **sizes: int) -> Any:
    """A `TranslationModel` with drawn weights, which are written to the file."""
    from textapps.tasks.translate.config import PRESETS
    from textapps.tasks.translate.model import TranslationModel

    flags = {f"backbone.{name}": value for name, value in sizes.items()}
    config = PRESETS.resolve(flags={"backbone.kind": "transformer", **flags})
    model = TranslationModel(config, vocabulary, vocabulary, joint=False)
    model.build()
    variables = {
        variable.path.removeprefix("translate/"): variable
        for variable in model.variables
        if "seed_generator" not in variable.path
    }
    shapes = {path: tuple(variable.shape) for path, variable in variables.items()}
    arrays: dict[str, Any] = drawn(shapes)
    for path, variable in variables.items():
        variable.assign(arrays[path])
    np.savez(weights, **arrays)
    return model


def drawn(shapes: dict[str, tuple[int, ...]]) -> dict[str, NDArray[np.float32]]:
    """Weights by which no answer ends of itself, and which are sure of what comes next.

    A network as it begins repeats its last token, and all others are about as likely: no two
    programs would search the same way for long. So blocks count for more here, and logits are
    larger. Feature 0 of all outputs is 1, and no token but END has it, whose logit is `ENDING`.
    """
    random = np.random.default_rng(0)
    arrays = {}
    for path, shape in shapes.items():
        kind = path.rpartition("/")[2]
        if kind in ("gamma", "beta", "bias"):
            arrays[path] = np.full(shape, kind == "gamma", np.float32)
        else:
            share = shape[-1] if kind == "embeddings" else shape[0]
            gain = 1.0 if kind == "embeddings" else BLOCKS
            arrays[path] = random.normal(0, gain * share**-0.5, shape).astype(np.float32)
    table = arrays["target_embedding/embeddings"]
    gamma, beta = arrays["decoder/norm/gamma"], arrays["decoder/norm/beta"]
    gamma[:], table[END] = SURE, 0
    gamma[0], beta[0], table[:, 0], table[END, 0] = 0, 1, 0, ENDING
    return arrays
