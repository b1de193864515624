"""A small run to train, in this process or in one that is going to be killed."""

import sys
import time
from pathlib import Path

import keras
import numpy as np

from textapps.backbones.backbone import Backbone
from textapps.backbones.config import BackboneConfig
from textapps.core.config import Section
from textapps.training.batches import Batch, TextBatchSource
from textapps.training.config import TrainingConfig
from textapps.training.fit import FitResult, fit
from textapps.training.plan import LengthGroupedPlan, SequentialPlan
from textapps.training.progress import NoProgress
from textapps.training.run_directory import RunDirectory
from textapps.training.seeding import seed_everything
from textapps.training.until import Until

VOCABULARY, UNITS, CLASSES = 11, 8, 3


class RunConfig(Section):
    task: str = "sentiment"
    backbone: str = "gru"
    training: TrainingConfig = TrainingConfig()


def training_config(**changes: object) -> TrainingConfig:
    values = {"epochs": 4, "batch_size": 3, "learning_rate": 0.01, "warmup_steps": 2, **changes}
    return TrainingConfig.model_validate(values)


def new_run(models_dir: Path, backbone: str = "gru", **changes: object) -> RunDirectory:
    config = RunConfig(backbone=backbone, training=training_config(**changes))
    return RunDirectory.create(models_dir, "sentiment", backbone, config)


def texts(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Random texts whose class is that of their first token; some are empty."""
    generator = np.random.default_rng(seed)
    lengths = generator.integers(0, 6, count)
    ids = generator.integers(1, VOCABULARY, lengths.sum()).astype(np.int32)
    splits = np.concatenate([[0], np.cumsum(lengths)])
    first = [ids[s] if n else 0 for s, n in zip(splits, lengths, strict=False)]
    return ids, splits, np.array(first, np.int32) % CLASSES, lengths


def source(count: int, seed: int, batch_size: int, shuffled: bool) -> TextBatchSource:
    ids, splits, labels, lengths = texts(count, seed)
    plan = (
        LengthGroupedPlan(lengths, batch_size, seed, pool=2)
        if shuffled
        else SequentialPlan(lengths, batch_size)
    )
    return TextBatchSource({"ids": (ids, splits)}, labels, plan)


class SlowSource(TextBatchSource):
    """Leaves time to be killed in."""

    def batch(self, pass_index: int, step: int) -> Batch:
        time.sleep(0.005)
        return super().batch(pass_index, step)


def dense(seed: int = 3, rate: float = 0.5) -> keras.Model:
    """A model that is traced in no time."""
    seed_everything(seed)
    ids = keras.Input((None,), dtype="int32", name="ids")
    x = keras.layers.Embedding(VOCABULARY, 6, name="embedding")(ids)
    x = keras.layers.Dropout(rate, name="dropout")(keras.ops.max(x, axis=1))
    return keras.Model({"ids": ids}, keras.layers.Dense(CLASSES, name="logits")(x))


def build(backbone: str = "gru") -> keras.Model:
    """That, or one around a backbone."""
    if backbone == "dense":
        return dense()
    seed_everything(5)
    ids = keras.Input((None,), dtype="int32", name="ids")
    x = keras.layers.Embedding(VOCABULARY, UNITS, name="embedding")(ids)
    config = BackboneConfig(kind=backbone, units=UNITS, dropout=0.3, heads=2)
    x, _ = Backbone(config, name="backbone")(x, mask=keras.ops.not_equal(ids, 0))
    x = keras.ops.max(x, axis=1)
    x = keras.layers.Dropout(0.2, name="dropout")(x)
    return keras.Model({"ids": ids}, keras.layers.Dense(CLASSES, name="logits")(x))


def train(
    run: RunDirectory,
    model: keras.Model | None = None,
    progress: object = None,
    train_source: TextBatchSource | None = None,
    until: Until | None = None,
) -> FitResult:
    config = TrainingConfig.model_validate(run.config["training"])
    return fit(
        model or build(run.config["backbone"]),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy("accuracy")],
        train=train_source or source(20, 1, config.batch_size, shuffled=True),
        validation=source(7, 2, config.batch_size, shuffled=False),
        config=config,
        run=run,
        progress=progress or NoProgress(),
        until=until,
    )


class Announce(NoProgress):
    """Prints the first step."""

    def __init__(self) -> None:
        self.said = False

    def update(self, step: int, logs: object, examples: int) -> None:
        if not self.said:
            print(step, flush=True)
        self.said = True


def train_slowly(path: str) -> None:
    """Resumes the run at `path` and trains it to the end, in a process of its own."""
    run = RunDirectory.open(Path(path), trained=False)
    batch_size = run.config["training"]["batch_size"]
    fast = source(20, 1, batch_size, shuffled=True)
    slow = SlowSource(fast.sequences, fast.labels, fast.plan)
    train(run, progress=Announce(), train_source=slow)


if __name__ == "__main__":
    train_slowly(sys.argv[1])
