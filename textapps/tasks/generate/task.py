"""Continuing a text character by character: many-to-many, in step."""

import keras

from textapps.datasets.corpus.examples import Corpus
from textapps.tasks.generate import data, model
from textapps.tasks.generate.config import PRESETS
from textapps.tasks.generate.evaluate import evaluate
from textapps.tasks.generate.export import export_saved_model
from textapps.tasks.generate.predict import rows
from textapps.tasks.generate.predictor import TextGenerator
from textapps.tasks.generate.report import report
from textapps.tasks.task import Objective, Task

MONITOR = "nats_per_character"


def objective(generator: TextGenerator, validation: Corpus) -> Objective:
    """The cross-entropy of each character; the best weights are those with the least."""
    nats = generator.model.nats
    metrics = [keras.metrics.MeanMetricWrapper(nats, name=MONITOR)]
    return Objective(nats, metrics, monitor=f"val_{MONITOR}", mode="min")


TASK = Task(
    name="generate",
    presets=PRESETS,
    unit="characters",
    best="{:.4f} nats per character",
    check=model.check_sizes,
    load_training=data.load_training,
    load_split=data.load_split,
    learn=data.learn,
    load_preprocessor=data.load_preprocessor,
    training_batches=data.training_batches,
    validation_batches=data.validation_batches,
    build_model=model.build_model,
    build_trainee=model.build_trainee,
    predictor=TextGenerator,
    rows=rows,
    objective=objective,
    evaluate=evaluate,
    report=report,
    formats={"saved_model": export_saved_model},
)
