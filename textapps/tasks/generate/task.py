"""The generate task from Python: train, load, generate, score, export."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.core.config import resolve
from textapps.core.errors import ConfigurationError
from textapps.core.tokens import FIRST
from textapps.datasets.corpus.corpus import Corpus
from textapps.decoding.config import DecodingConfig
from textapps.preprocessing.characters import CharacterPreprocessor
from textapps.tasks.generate import data
from textapps.tasks.generate.config import GenerateConfig
from textapps.tasks.generate.continuation import PIECE, Continuation
from textapps.tasks.generate.model import LanguageModel
from textapps.tasks.predictor import Predictor
from textapps.training.data_record import check_same_data, read_data_record, write_data_record
from textapps.training.fit import FitResult, fit
from textapps.training.progress import Progress
from textapps.training.replicas import Replicas
from textapps.training.run_directory import RunDirectory
from textapps.training.seeding import precision, seed_everything
from textapps.training.weights import load_weights

LOGGER = logging.getLogger("textapps")
TASK = "generate"
MONITOR = "nats_per_character"
STREAMED = 16  # characters of a piece that a person sees coming
COMPILED_FROM = {"transformer": 2_000}
COMPILED_FROM_ELSE = 20_000


class TextGenerator(Predictor):
    """A trained character-level language model: everything that its run directory holds.

    Made by `train` and `load`.
    """

    def __init__(
        self,
        run: RunDirectory,
        config: GenerateConfig,
        preprocessor: CharacterPreprocessor,
        model: LanguageModel,
    ) -> None:
        self.run = run
        self.config = config
        self.preprocessor = preprocessor
        self.model = model
        self._read = tf.function(self._read_chunk, autograph=False, reduce_retracing=True)
        self._continuation = Continuation(model, preprocessor)

    def generate(self, seeds: Sequence[str], random_seed: int = 0, **options: Any) -> list[str]:
        """Continues each seed; the text that comes back is without it.

        Args:
            seeds: texts to go on from; "" begins on a new line.
            random_seed: seed i of the list uses `random_seed + i`; the same one gives the same
                text on every run, whatever the other seeds are.
            options: those of the [decoding] section, by default as in the run's configuration.

        Raises:
            ConfigurationError: an option out of its range.
        """
        pieces = zip(*self._pieces(seeds, random_seed, PIECE, options), strict=True)
        return ["".join(row) for row in pieces]

    def stream(
        self, seeds: Sequence[str], random_seed: int = 0, **options: Any
    ) -> Iterator[list[str]]:
        """As `generate`, some characters of every text at a time, as they are made.

        What is given out is never taken back, even where a stop text has begun.
        """
        return self._pieces(seeds, random_seed, STREAMED, options)

    def _pieces(
        self, seeds: Sequence[str], random_seed: int, piece: int, options: dict[str, Any]
    ) -> Iterator[list[str]]:
        values = {**self.config.decoding.model_dump(), **options}
        config = resolve(DecodingConfig, flags=values)
        characters = len(self.preprocessor.vocabulary) - FIRST
        if config.top_k > characters:
            raise ConfigurationError(
                f"top_k {config.top_k} is more than the {characters} characters that the model "
                "knows; give fewer, or 0 for all"
            )
        if unknown := self.preprocessor.unknown("".join(seeds)):
            LOGGER.warning(
                "never seen in training, read as unknown: %s", ", ".join(map(repr, unknown))
            )
        # XLA takes seconds to compile what it then makes quicker.
        compiled = config.length >= COMPILED_FROM.get(self.config.backbone.kind, COMPILED_FROM_ELSE)
        return self._continuation.pieces(seeds, random_seed, config, piece, compiled=compiled)

    def nats(self, text: str) -> NDArray[np.float32]:
        """The surprise of each character given those before it: float32[characters], in nats.

        A character that training has not seen is evaluated by the chance of an unknown one.
        """
        if not text:
            return np.zeros(0, np.float32)
        source = data.scoring_batches(text, self.preprocessor, self.config)
        state, parts = None, []
        for step in range(source.steps_per_pass):
            inputs, targets, _ = source.batch(0, step)
            if state is None:
                state = self.model.initial_state(len(targets))
            nats, state = self._read(tf.constant(inputs["ids"]), tf.constant(targets), state)
            parts.append(nats.numpy())
        return source.in_order(np.concatenate(parts, axis=1))

    def _read_chunk(self, ids: Any, targets: Any, state: Any) -> tuple[Any, Any]:
        logits, state = self.model.read(ids, state)
        return self.model.nats(targets, logits), state


def train(
    config: GenerateConfig,
    models_dir: Path | str = "models",
    progress: Progress | None = None,
) -> tuple[TextGenerator, FitResult]:
    """Trains a new run under `models_dir`, with the best weights in the model that comes back.

    Raises:
        DataError: data that are missing or wrong.
        DivergedError, RunError, TrainingInterrupted: as `textapps.training.fit.fit`.
    """
    replicas = Replicas.of(config.training.strategy)
    config = config.model_copy(update={"data": config.data.resolved()})
    train_text, validation_text = data.load_training_data(config)
    preprocessor = CharacterPreprocessor.from_text(train_text.text, config.preprocessor)
    # Before there is a run, because it finds the sizes that do not fit together.
    _model(config, preprocessor)

    def begin() -> RunDirectory:
        run = RunDirectory.create(Path(models_dir), TASK, config.backbone.kind, config)
        run.preprocessor_dir.mkdir()
        preprocessor.save(run.preprocessor_dir)
        write_data_record(run, data.describe(train_text, validation_text))
        return run

    run = replicas.agreed_run(begin, Path(models_dir) / TASK)
    return _fit(run, config, preprocessor, train_text, validation_text, replicas, progress)


def resume(run: RunDirectory, progress: Progress | None = None) -> tuple[TextGenerator, FitResult]:
    """Goes on with a run that was stopped, by whatever; ends as if it had not been.

    Raises:
        RunError: the run is half-written, or its data have changed since.
    """
    config = load_config(run)
    replicas = Replicas.of(config.training.strategy)
    known = read_data_record(run)
    train_text, validation_text = data.load_training_data(config)
    check_same_data(run, known, data.describe(train_text, validation_text))
    preprocessor = CharacterPreprocessor.load(run.preprocessor_dir)
    return _fit(run, config, preprocessor, train_text, validation_text, replicas, progress)


def load(run: RunDirectory) -> TextGenerator:
    """The generator of a run, with its best weights.

    Raises:
        RunError: the run is half-written, damaged, of another task or of a newer format.
    """
    config = load_config(run)
    read_data_record(run)
    preprocessor = CharacterPreprocessor.load(run.preprocessor_dir)
    model = _model(config, preprocessor)
    load_weights(model, run)
    return TextGenerator(run, config, preprocessor, model)


def load_config(run: RunDirectory) -> GenerateConfig:
    """The configuration of a run, every value of it."""
    return resolve(GenerateConfig, file=run.path / "config.toml")


def _fit(
    run: RunDirectory,
    config: GenerateConfig,
    preprocessor: CharacterPreprocessor,
    train_text: Corpus,
    validation_text: Corpus,
    replicas: Replicas,
    progress: Progress | None,
) -> tuple[TextGenerator, FitResult]:
    seed_everything(config.random_seed)
    with precision(config.training.mixed_precision), replicas.scope():
        streams = (
            replicas.rows(config.training.batch_size),
            replicas.rows(data.EVALUATION_STREAMS),
        )
        model = _model(config, preprocessor, streams)
        result = fit(
            model,
            loss=model.nats,
            metrics=[keras.metrics.MeanMetricWrapper(model.nats, name=MONITOR)],
            train=data.training_batches(train_text, preprocessor, config),
            validation=data.scoring_batches(validation_text.text, preprocessor, config),
            config=config.training,
            run=run,
            monitor=f"val_{MONITOR}",
            mode="min",
            replicas=replicas,
            progress=progress,
        )
    # anew, so that what answers now answers in float32 and as it will after any other loading
    return load(run), result


def _model(
    config: GenerateConfig,
    preprocessor: CharacterPreprocessor,
    streams: tuple[int, int] | None = None,
) -> LanguageModel:
    model = LanguageModel(config, len(preprocessor.vocabulary), streams)
    model.build()
    return model
