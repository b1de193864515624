"""The copy task: which backbone still knows a symbol that it read some steps before?

A sequence begins with one of eight symbols; then come random other ones, and at the end the first
is asked for. Chance is 1/8. Each backbone has one layer of 32 units and learns from sequences drawn
anew at every step, until it has named the symbol of all in ten batches running. Before training and
after it, the gradient of the loss by the state tells how far back anything can be learned from.
"""

import time
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from benchmarks.benchmark import Benchmark, Context
from benchmarks.results import Figures
from textapps.backbones.backbone import Backbone
from textapps.backbones.config import BackboneConfig
from textapps.interpret.gradients import half_life, window_gradients
from textapps.interpret.stages import Stages
from textapps.training.seeding import seed_everything

SYMBOLS = 8  # to remember, ids 0 to 7, and as many others to forget
ASKED = 2 * SYMBOLS  # the id that asks
BATCH = 64
TESTED = 1024
MEASURED = 200  # sequences whose gradients are measured
ENOUGH = 10  # batches without a mistake, after which training ends


class CopyTask(Benchmark):
    distance: tuple[int, ...] = Field(description="steps between a symbol and its question")
    steps: int = Field(description="of training at most")
    backbone: tuple[str, ...] = Field(description="one or more")

    def measure(self, context: Context) -> Figures:
        backbones: dict[str, Figures] = {}
        for kind in self.backbone:
            for distance in self.distance:
                found = learn(kind, distance, self.steps)
                backbones.setdefault(kind, {})[str(distance)] = found
                print(f"{kind:<12} distance {distance:>3}  {found}", flush=True)
        return {"chance": 1 / SYMBOLS, "test_sequences": TESTED, "backbones": backbones}


class Recall(keras.Model):
    """Embedding, backbone and the chances of each symbol at the last step."""

    def __init__(self, kind: str, units: int = 32, **options: Any) -> None:
        super().__init__(name="copy")
        self.embedding = keras.layers.Embedding(ASKED + 1, units, name="embedding")
        config = BackboneConfig.model_validate({"kind": kind, "units": units, **options})
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


def gradient(model: Recall, distance: int) -> Figures:
    """How the gradient of the loss by the state falls with the distance from the end.

    For a transformer, which has no such state, by the embedded input.

    Returns:
        `half_life`, in steps, None if the gradient never halves for good within the distance; and
        `by_distance`, its median norms from distance 0 on.
    """
    stages = Stages(model.embedding, model.backbone, model.head)
    drawn = draw(np.random.default_rng(1), MEASURED, distance)
    by_input, by_state = window_gradients(stages, *drawn)
    medians = np.median(by_input if by_state is None else by_state, axis=0)
    found, norms = half_life(medians), [float(f"{norm:.3g}") for norm in medians]
    return {"half_life": None if found is None else round(found, 2), "by_distance": norms}


def learn(kind: str, distance: int, steps: int, seed: int = 0) -> Figures:
    """Trains one backbone, and evaluates it on sequences that it has not seen."""
    seed_everything(seed)
    model = Recall(kind)
    optimizer = keras.optimizers.Adam(5e-3, clipnorm=1.0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"], jit_compile=False)
    random = np.random.default_rng(seed)
    model(draw(random, 2, distance)[0])
    before = gradient(model, distance)
    began, right, step = time.perf_counter(), 0, 0
    while step < steps and right < ENOUGH:
        model.reset_metrics()
        logs = model.train_on_batch(*draw(random, BATCH, distance), return_dict=True)
        right = right + 1 if logs["accuracy"] == 1 else 0
        step += 1
    seconds = time.perf_counter() - began
    ids, symbols = draw(random, TESTED, distance)
    accuracy = float(np.mean(np.argmax(model(ids), axis=1) == symbols))
    return {
        "accuracy": accuracy,
        "steps": step,
        "seconds": round(seconds, 1),
        "gradient": {"before": before, "after": gradient(model, distance)},
    }
