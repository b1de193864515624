"""The copy task: which backbone still knows a symbol that it has read some steps before?

    python -m benchmarks.copy_task [--distance 10 40] [--steps 1500] [--backbone simple_rnn lstm]

A sequence begins with one of eight symbols; then come random other ones, and at the end the first
is asked for. Chance is 1/8. Each backbone has one layer of 32 units and learns from sequences drawn
anew at every step, until it has named the symbol of all in ten batches running. Writes
docs/results/copy-task.json and the page.
"""

import argparse
import os
import time
from collections.abc import Sequence
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from benchmarks import results_page
from benchmarks.results import write_result
from textapps.backbones.backbone import Backbone
from textapps.backbones.config import BACKBONES, BackboneConfig
from textapps.training.seeding import seed_everything

SYMBOLS = 8  # to remember, ids 0 to 7, and as many others to forget
ASKED = 2 * SYMBOLS  # the id that asks
BATCH = 64
TESTED = 1024
ENOUGH = 10  # batches without a mistake, after which training ends


class CopyTask(keras.Model):
    """Embedding, backbone and the chances of each symbol at the last step."""

    def __init__(self, kind: str, units: int = 32) -> None:
        super().__init__(name="copy")
        self.embedding = keras.layers.Embedding(ASKED + 1, units, name="embedding")
        config = BackboneConfig.model_validate({"kind": kind, "units": units})
        self.backbone = Backbone(config, name="backbone")
        self.head = keras.layers.Dense(SYMBOLS, name="head")

    def call(self, ids: Any) -> Any:
        """int32[batch, time] → float32[batch, symbols]."""
        outputs, _ = self.backbone(self.embedding(ids))
        return self.head(outputs[:, -1])


def draw(
    random: np.random.Generator, rows: int, distance: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """int32[rows, distance + 1], whose end asks for what stands `distance` steps before it."""
    ids = random.integers(SYMBOLS, 2 * SYMBOLS, size=(rows, distance + 1), dtype=np.int32)
    ids[:, 0] = random.integers(SYMBOLS, size=rows)
    ids[:, -1] = ASKED
    return ids, ids[:, 0].copy()


def learn(kind: str, distance: int, steps: int, seed: int = 0) -> dict[str, Any]:
    """Trains one backbone, and evaluates it on sequences that it has not seen."""
    seed_everything(seed)
    model = CopyTask(kind)
    optimizer = keras.optimizers.Adam(5e-3, clipnorm=1.0)
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    random = np.random.default_rng(seed)
    model(draw(random, 2, distance)[0])
    optimizer.build(model.trainable_variables)

    @tf.function(autograph=False, jit_compile=False)
    def train(ids: Any, symbols: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = model(ids)
            loss = loss_of(symbols, logits)
        variables = model.trainable_variables
        optimizer.apply(tape.gradient(loss, variables), variables)
        return tf.reduce_mean(
            tf.cast(tf.argmax(logits, axis=1, output_type=tf.int32) == symbols, tf.float32)
        )

    began, right, step = time.perf_counter(), 0, 0
    while step < steps and right < ENOUGH:
        ids, symbols = draw(random, BATCH, distance)
        right = right + 1 if train(tf.constant(ids), tf.constant(symbols)) == 1 else 0
        step += 1
    seconds = time.perf_counter() - began
    ids, symbols = draw(random, TESTED, distance)
    accuracy = float(np.mean(np.argmax(model(tf.constant(ids)), axis=1) == symbols))
    return {"accuracy": accuracy, "steps": step, "seconds": round(seconds, 1)}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--distance", type=int, nargs="+", default=[10, 40], help="(10 40)")
    parser.add_argument("--steps", type=int, default=1500, help="of training at most (1500)")
    parser.add_argument("--backbone", nargs="+", choices=BACKBONES, default=list(BACKBONES))
    options = parser.parse_args(arguments)
    backbones: dict[str, dict[str, Any]] = {}
    for kind in options.backbone:
        for distance in options.distance:
            found = learn(kind, distance, options.steps)
            backbones.setdefault(kind, {})[str(distance)] = found
            print(f"{kind:<12} distance {distance:>3}  {found['accuracy']:.1%}", found, flush=True)
    write_result(
        "copy-task", {"chance": 1 / SYMBOLS, "test_sequences": TESTED, "backbones": backbones}
    )
    results_page.write()


if __name__ == "__main__":
    main()
