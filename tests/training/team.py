"""Trainings that several replicas share, for processes of their own."""

import contextlib
import hashlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tests import processes
from tests.training import trainee
from textapps.core.errors import TextappsError
from textapps.training.batches import Batch, TextBatchSource
from textapps.training.carried import CarriedState
from textapps.training.config import TrainingConfig
from textapps.training.fit import FitResult, fit
from textapps.training.interruption import TrainingInterrupted
from textapps.training.macro_f1 import MacroF1
from textapps.training.progress import NoProgress
from textapps.training.replicas import Replicas
from textapps.training.run_directory import RunDirectory
from textapps.training.seeding import seed_everything
from textapps.training.streams import ScoringBatchSource, StreamBatchSource

STREAMS, CHUNK, SCORING_STREAMS = 5, 4, 3
CLASS_WEIGHTS = np.float32([0.4, 2.5, 1.1])


class Slow(TextBatchSource):
    """Leaves time to be killed in."""

    def batch(self, pass_index: int, step: int) -> Batch:
        time.sleep(0.05)
        return super().batch(pass_index, step)


def classifier(rate: float) -> keras.Model:
    """A model that is traced in no time."""
    seed_everything(3)
    ids = keras.Input((None,), dtype="int32", name="ids")
    x = keras.layers.Embedding(trainee.VOCABULARY, 6, name="embedding")(ids)
    there = keras.ops.cast(ids[..., None] != 0, "float32")  # each share is padded on its own
    x = keras.layers.Dropout(rate, name="dropout")(keras.ops.sum(x * there, axis=1))
    return keras.Model({"ids": ids}, keras.layers.Dense(trainee.CLASSES, name="logits")(x))


class Reader(keras.Model):
    """Adds up what it has read of each stream, and says what comes next."""

    def __init__(self, rows: int, scoring_rows: int) -> None:
        super().__init__(name="reader")
        seed_everything(4)
        self.embedding = keras.layers.Embedding(trainee.VOCABULARY, 6, name="embedding")
        self.head = keras.layers.Dense(trainee.VOCABULARY, name="head")
        self.states = tuple(
            CarriedState([{"sum": keras.ops.zeros((n, 6))}], saved=saved, name=name)
            for n, saved, name in ((rows, True, "training"), (scoring_rows, False, "scoring"))
        )
        self.embedding.build((None, None))
        self.head.build((None, None, 6))
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        state = self.states[0 if training else 1]
        ((before,),) = (leaves.values() for leaves in state.read(inputs["start"]))
        sums = keras.ops.cumsum(self.embedding(inputs["ids"]), axis=1) + before[:, None]
        state.write([{"sum": 0.9 * sums[:, -1]}])
        return self.head(sums)


def train(
    run: RunDirectory,
    replicas: Replicas,
    rate: float = 0.0,
    progress: Any = None,
    slow: bool = False,
    witness: list[str] | None = None,
    class_weights: np.ndarray | None = None,
) -> FitResult:
    """As `trainee.train`, of a model that is nearly nothing.

    After each validation the digest of all weights is appended to `witness`.
    """
    config = TrainingConfig.model_validate(run.config["training"])
    source = trainee.source(20, 1, config.batch_size, shuffled=True)
    if slow:
        source = Slow(source.sequences, source.labels, source.plan)
    with replicas.scope():
        model = classifier(rate)

        def evaluate() -> dict[str, float]:
            if witness is not None:
                witness.append(digest(model))
            return {}

        return fit(
            model,
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=[
                keras.metrics.SparseCategoricalAccuracy("accuracy"),
                MacroF1(trainee.CLASSES),
            ],
            train=source,
            validation=trainee.source(7, 2, config.batch_size, shuffled=False),
            config=config,
            run=run,
            evaluate=evaluate,
            class_weights=class_weights,
            replicas=replicas,
            progress=progress,
        )


def digest(model: keras.Model) -> str:
    """Of weights, averages and moments; only what is dropped may differ between replicas."""
    found = hashlib.sha256()
    for variable in (*model.variables, *model.optimizer.variables):
        if variable.name != "seed_generator_state":
            found.update(variable.numpy().tobytes())
    return found.hexdigest()


def read(run: RunDirectory, replicas: Replicas, progress: Any = None) -> FitResult:
    """Training with a state for each stream."""
    config = TrainingConfig.model_validate(run.config["training"])
    ids = np.random.default_rng(6).integers(1, trainee.VOCABULARY, 90).astype(np.int32)

    def nats(targets: Any, logits: Any) -> Any:
        return keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)

    with replicas.scope():
        return fit(
            Reader(replicas.rows(STREAMS), replicas.rows(SCORING_STREAMS)),
            loss=nats,
            metrics=[keras.metrics.MeanMetricWrapper(nats, name="nats")],
            train=StreamBatchSource(ids, STREAMS, CHUNK),
            validation=ScoringBatchSource(ids[:40], SCORING_STREAMS, CHUNK, lead=6),
            config=config,
            run=run,
            monitor="val_nats",
            mode="min",
            replicas=replicas,
            progress=progress,
        )


class Stop(NoProgress):
    """Asks this process to stop after a step."""

    def __init__(self, at: int) -> None:
        self.at = at

    def update(self, step: int, logs: object, examples: int) -> None:
        if step == self.at:
            os.kill(os.getpid(), 15)


def on_two_devices(models_dir: str) -> None:
    """Everything that needs two devices: `<name>/` is where a run goes."""
    import tensorflow as tf

    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    one, two = Replicas(), Replicas.of("mirrored")
    assert two.count == 2
    changes: dict[str, object] = {"epochs": 3, "average": 0.8, "checkpoint_steps": 5}

    def new(name: str, **more: object) -> RunDirectory:
        return trainee.new_run(Path(models_dir) / name, **changes, **more)

    train(new("two"), two)
    train(new("weighted"), two, class_weights=CLASS_WEIGHTS)
    read(new("read-parts", accumulate=2), two)
    # Begun by one, gone on with by two, ended by one.
    run = new("read-moved")
    for who, stop in ((one, 3), (two, 7), (one, 100)):
        with contextlib.suppress(TrainingInterrupted):
            read(run, who, Stop(stop))


class Announce(NoProgress):
    """Prints every step."""

    def update(self, step: int, logs: object, examples: int) -> None:
        print(json.dumps(step), flush=True)


def work(index: int, addresses: list[str], runs: list[tuple[str, float]], slow: bool) -> None:
    """Trains some runs as one of several workers, each with a rate of dropout.

    Prints the digests of the weights at the end, or what went wrong.
    """
    task = {"type": "worker", "index": index}
    os.environ["TF_CONFIG"] = json.dumps({"cluster": {"worker": addresses}, "task": task})
    try:
        replicas = Replicas.of("multi-worker")
        witness: list[str] = []
        for path, rate in runs:
            run = RunDirectory.open(Path(path), trained=False)
            train(run, replicas, rate, Announce(), slow, witness)
        print(json.dumps(witness))
    except TextappsError as error:
        print(json.dumps(str(error)))
        sys.exit(error.exit_code)


def start(function: str, *arguments: object, **options: Any) -> processes.Popen:
    """A process that calls this function of this module."""
    program = [sys.executable, "-m", "tests.training.team", function, json.dumps(arguments)]
    return processes.Popen(program, cwd=processes.ROOT, **options)


if __name__ == "__main__":
    globals()[sys.argv[1]](*json.loads(sys.argv[2]))
