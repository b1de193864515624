"""Text generation: a text continued character by character, many-to-many in step."""

import keras

from textapps.core.tokens import FIRST
from textapps.datasets.corpus.examples import Corpus
from textapps.tasks.generate import data
from textapps.tasks.generate.about import ABOUT
from textapps.tasks.generate.characters import Characters
from textapps.tasks.generate.compare import answered, asking
from textapps.tasks.generate.config import PRESETS
from textapps.tasks.generate.evaluate import classical, evaluate
from textapps.tasks.generate.export import export_saved_model
from textapps.tasks.generate.inspect import inspect
from textapps.tasks.generate.model import LanguageModel
from textapps.tasks.generate.predict import rows
from textapps.tasks.generate.predictor import TextGenerator
from textapps.tasks.generate.report import report
from textapps.tasks.task import Objective, Task
from textapps.training.streams import StreamBatchSource

MONITOR = ABOUT.monitor


def objective(
    generator: TextGenerator, validation: Corpus, batches: StreamBatchSource
) -> Objective:
    """The cross-entropy of each character; the best weights have the lowest."""
    nats = generator.model.nats
    metrics = [keras.metrics.MeanMetricWrapper(nats, name=MONITOR)]
    return Objective(nats, metrics, monitor=f"val_{MONITOR}", mode="min")


TASK = Task(
    name="generate",
    presets=PRESETS,
    unit="characters",
    best={MONITOR: "{:.4f} nats per character"},
    check=lambda config: LanguageModel(config, vocabulary_size=FIRST + 1),
    load_training=data.load_training,
    load_split=lambda config, split, _: data.load(config, (split,))[0],
    learn=data.learn,
    load_preprocessor=Characters.of_run,
    training_batches=data.training_batches,
    validation_batches=data.validation_batches,
    model=lambda config, characters, _: LanguageModel(
        config, len(characters.vocabulary), ngrams=characters.ngrams
    ),
    trainee=lambda config, characters, _, __, rows: LanguageModel(
        config,
        len(characters.vocabulary),
        streams=(rows(config.training.batch_size), rows(data.EVALUATION_STREAMS)),
        ngrams=characters.ngrams,
    ),
    vocabulary_size=lambda characters: len(characters.vocabulary),
    predictor=TextGenerator,
    rows=rows,
    objective=objective,
    evaluate=evaluate,
    report=report,
    answered=answered,
    asking=asking,
    classical=classical,
    tokens=data.tokens,
    inspect=inspect,
    examples=data.examples,
    formats={"saved_model": export_saved_model},
)
