"""One side of benchmarks.search: a process that finds answers by beam search when asked to.

    python -m benchmarks.search_side textapps|pytorch|pytorch-uncached --weights FILE [sizes]

Reads lines of `batch length` from stdin and answers each with a line of JSON: the seconds that it
took, the best answers as ids, and their scores. Sources are drawn from the line. The side
`textapps` draws the weights and writes them to the file, from which the other one reads them.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

SIDES = ("textapps", "pytorch", "pytorch-uncached")
BEAMS = 5
LENGTH_PENALTY = 0.6
SOURCE = 20  # tokens of every source
BLOCKS, SURE, ENDING = 3.0, 32.0, -100.0  # see `drawn`
FIRST, END = 4, 3  # as textapps.core.tokens has them, which a process of PyTorch need not import

# int[batch, source_time], length → ids int[batch, length] and scores float[batch]
Find = Callable[[Any, int], tuple[Any, Any]]


def main(arguments: list[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    find = SIDE[options.side](options)
    for line in sys.stdin:
        batch, length = map(int, line.split())
        source = sources(batch, options.vocabulary)
        start = time.perf_counter()
        ids, scores = find(source, length)
        seconds = time.perf_counter() - start
        assert (ids >= FIRST).all(), "an answer has ended before its length"
        answer = {"seconds": seconds, "ids": ids.tolist(), "scores": scores.tolist()}
        print(json.dumps(answer), flush=True)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    made.add_argument("side", choices=SIDES)
    made.add_argument("--weights", type=Path, required=True)
    made.add_argument("--vocabulary", type=int, default=8_000)
    made.add_argument("--units", type=int, default=128)
    made.add_argument("--layers", type=int, default=4, help="of encoder and decoder each")
    made.add_argument("--heads", type=int, default=4)
    made.add_argument("--feed-forward", type=int, default=256)
    return made


def sources(batch: int, vocabulary: int) -> NDArray[np.int64]:
    """int64[batch, SOURCE], the same whenever a batch of this size is asked for."""
    return np.random.default_rng(batch).integers(FIRST, vocabulary, (batch, SOURCE))


def textapps(options: Any) -> Find:
    """As `textapps translate predict` does it, from ids to ids."""
    from textapps.core.memory import keep_freed_memory

    keep_freed_memory()
    import tensorflow as tf

    from textapps.decoding.config import SearchConfig
    from textapps.tasks.translate.search import Search

    model = untrained(options)
    search = Search(model, None)  # type: ignore[arg-type]  # ids need no tokenizers
    compiled: dict[int, Any] = {}

    def find(source: Any, length: int) -> tuple[Any, Any]:
        if length not in compiled:
            config = SearchConfig(
                beam=BEAMS, length_penalty=LENGTH_PENALTY, max_ratio=0, max_extra=length
            )
            compiled[length] = tf.function(
                lambda source: search.find_ids(
                    source, tf.zeros(tf.shape(source)[:1], tf.int64), config
                ),
                input_signature=[tf.TensorSpec([None, None], tf.int32)],
                autograph=False,
            )
        found = compiled[length](tf.constant(source, tf.int32))
        return found.ids[:, 0].numpy(), found.scores[:, 0].numpy()

    return find


def untrained(options: Any) -> Any:
    """A `TranslationModel` with drawn weights, which are written to the file."""
    from textapps.tasks.translate.config import PRESETS
    from textapps.tasks.translate.model import TranslationModel

    names = ("units", "layers", "heads", "feed_forward")
    flags = {f"backbone.{name}": getattr(options, name) for name in names}
    config = PRESETS.resolve(flags={"backbone.kind": "transformer", **flags})
    model = TranslationModel(config, options.vocabulary, options.vocabulary, joint=False)
    model.build()
    variables = {
        variable.path.removeprefix("translate/"): variable
        for variable in model.variables
        if "seed_generator" not in variable.path
    }
    arrays = drawn({path: tuple(variable.shape) for path, variable in variables.items()})
    for path, variable in variables.items():
        variable.assign(arrays[path])
    aside = options.weights.with_suffix(".aside.npz")
    np.savez(aside, **arrays)
    aside.replace(options.weights)
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


def pytorch(options: Any) -> Find:
    """A loop over tokens in Python."""
    import torch

    from benchmarks.search_pytorch import Transformer

    model = Transformer(
        options.vocabulary, options.units, options.layers, options.heads, options.feed_forward
    )
    with np.load(options.weights) as arrays:
        model.load(arrays)
    model.eval()

    def find(source: Any, length: int) -> tuple[Any, Any]:
        cached = options.side == "pytorch"
        ids, scores = model.search(torch.tensor(source), BEAMS, length, LENGTH_PENALTY, cached)
        return ids.numpy(), scores.numpy()

    return find


SIDE: dict[str, Callable[[Any], Find]] = {
    "textapps": textapps,
    "pytorch": pytorch,
    "pytorch-uncached": pytorch,
}

if __name__ == "__main__":
    main()
