"""The speech task from Python: train, load, predict, listen, evaluate, export."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from textapps.core.config import resolve
from textapps.core.errors import ConfigurationError, unknown
from textapps.datasets.clips.bytes import LONGEST_SECONDS
from textapps.datasets.clips.clips import Clips
from textapps.datasets.config import SILENCE, UNKNOWN
from textapps.decoding.config import DetectionConfig
from textapps.decoding.detector import Detection, Detector
from textapps.preprocessing.log_mel import FrontEnd
from textapps.preprocessing.recordings import read_recordings
from textapps.tasks.predictor import Predictor
from textapps.tasks.speech import data
from textapps.tasks.speech.answers import Answers
from textapps.tasks.speech.config import SpeechConfig
from textapps.tasks.speech.listener import Listener
from textapps.tasks.speech.model import SpeechModel
from textapps.tasks.speech.recordings import (
    Recording,
    Waveform,
    read_recording,
)
from textapps.training.data_record import check_same_data, read_data_record, write_data_record
from textapps.training.fit import FitResult, fit
from textapps.training.progress import Progress
from textapps.training.replicas import Replicas
from textapps.training.run_directory import RunDirectory
from textapps.training.seeding import precision, seed_everything
from textapps.training.weights import load_weights

TASK = "speech"
DATA_FIELDS = ("labels", "train", "validation")


class Answer(NamedTuple):
    """A label, its probability, and the probabilities of all labels in their order."""

    label: str
    probability: float
    scores: tuple[float, ...]


class SpeechRecognizer(Predictor):
    """A trained recogniser: everything that its run directory holds, ready to answer.

    Made by `train` and `load`.
    """

    def __init__(
        self, run: RunDirectory, config: SpeechConfig, model: SpeechModel, labels: Sequence[str]
    ) -> None:
        self.run = run
        self.config = config
        self.model = model
        self.labels = tuple(labels)
        self.answers = Answers(model, config.preprocessor, labels)
        waveform = tf.TensorSpec([None, None], tf.float32, name="waveform")
        samples = tf.TensorSpec([None], tf.int32, name="samples")
        # Nothing here branches on a tensor, and converting takes a second.
        self.answer_clips = tf.function(
            self.answers.clips, input_signature=[waveform], autograph=False
        )
        self.answer = tf.function(
            self.answers.waveforms, input_signature=[waveform, samples], autograph=False
        )
        self.answer_files = tf.function(
            self._answer_files,
            input_signature=[tf.TensorSpec([None], tf.string, name="audio_bytes")],
            autograph=False,
        )

    @property
    def commands(self) -> tuple[str, ...]:
        """The labels that are words of their own."""
        return tuple(label for label in self.labels if label not in (UNKNOWN, SILENCE))

    def scores(self, waveforms: Sequence[Waveform]) -> Any:
        """float32[recordings, labels]: the probabilities of the labels, each row summing to one.

        Args:
            waveforms: float32[samples] each, at the rate of the model, of any lengths but none; of
                one that is longer than a clip the loudest stretch counts.
        """
        scores = np.zeros((len(waveforms), len(self.labels)), np.float32)
        order = np.argsort([len(waveform) for waveform in waveforms], kind="stable")
        for start in range(0, len(order), data.ANSWER_BATCH):
            rows = order[start : start + data.ANSWER_BATCH]
            samples = np.array([len(waveforms[row]) for row in rows], np.int32)
            batch = np.zeros((len(rows), samples.max()), np.float32)
            for place, row in enumerate(rows):
                batch[place, : samples[place]] = waveforms[row]
            scores[rows] = self.answer(tf.constant(batch), tf.constant(samples))["scores"]
        return scores

    def predict(self, recordings: Sequence[Recording]) -> list[Answer]:
        """One answer a recording.

        Args:
            recordings: paths of WAV, FLAC or OGG files, their bytes, or samples at the rate of the
                model, of 30 s at most each.

        Raises:
            DataError: one is missing, bad, empty or too long.
        """
        rate_hz = self.config.preprocessor.sample_rate
        scores = self.scores([read_recording(each, rate_hz) for each in recordings])
        return [
            Answer(self.labels[best], float(row[best]), tuple(map(float, row)))
            for row in scores
            for best in [int(np.argmax(row))]
        ]

    def listen(self, pieces: Iterable[Waveform], **options: Any) -> Iterator[Detection]:
        """The commands that are heard in a stream, each as soon as it is.

        Args:
            pieces: float32[samples] each, of any lengths, at the rate of the model.
            options: those of the [detection] section, by default as in the run's configuration.

        Raises:
            ConfigurationError: an option out of its range.
        """
        detection = self.detection(**options)
        listener = self.listener
        if detection.hop_ms != self.config.detection.hop_ms:
            listener = Listener(self.model, self.config.preprocessor, detection)
        detector = Detector(self.labels, self.commands, detection)

        def heard() -> Iterator[Detection]:
            state = None
            for answers in listener.answers(pieces):
                found, state = detector(answers.scores, answers.times_ms, state)
                yield from found

        return heard()

    def detection(self, **options: Any) -> DetectionConfig:
        """The [detection] section of the run with `options` in place of some of it.

        Raises:
            ConfigurationError: an option out of its range.
        """
        flags = {f"detection.{name}": value for name, value in options.items()}
        return resolve(SpeechConfig, preset=self.config.model_dump(), flags=flags).detection

    @cached_property
    def listener(self) -> Listener:
        """Answers to a stream at the hops of the run's configuration."""
        return Listener(self.model, self.config.preprocessor, self.config.detection)

    def export(
        self, models_dir: Path | str = "models", *, format: str = "saved_model", **options: Any
    ) -> Path:
        """Publishes a verified export; `options` are those of the [export] section.

        Args:
            format: "saved_model", or "tflite" for files of LiteRT.

        Returns the directory of the new version.

        Raises:
            ConfigurationError: an unknown format.
            ExportError: it cannot be written, or does not answer as this recogniser does.
        """
        from textapps.tasks.speech import export, lite

        exporters = {"saved_model": export, "tflite": lite}
        if format not in exporters:
            raise ConfigurationError(unknown("format", format, exporters))
        return self._exported(exporters[format], models_dir, options)

    def _answer_files(self, audio_bytes: Any) -> dict[str, Any]:
        """string[batch] → as `Answers.waveforms`."""
        rate_hz = self.config.preprocessor.sample_rate
        return self.answers.checked(*read_recordings(audio_bytes, rate_hz, LONGEST_SECONDS))


def train(
    config: SpeechConfig,
    models_dir: Path | str = "models",
    progress: Progress | None = None,
) -> tuple[SpeechRecognizer, FitResult]:
    """Trains a new run under `models_dir`, with the best weights in the model that comes back.

    Raises:
        DataError: data that are missing or wrong.
        DivergedError, RunError, TrainingInterrupted: as `textapps.training.fit.fit`.
    """
    replicas = Replicas.of(config.training.strategy)
    config = config.model_copy(update={"data": config.data.resolved()})
    # Before data are read, because it finds the sizes that do not fit together.
    _model(config, FrontEnd(config.preprocessor), 2)
    train_clips, validation_clips = data.load_splits(config, ("train", "validation"))
    front_end = data.learn_front_end(train_clips, config)

    def begin() -> RunDirectory:
        run = RunDirectory.create(Path(models_dir), TASK, config.backbone.kind, config)
        run.preprocessor_dir.mkdir()
        front_end.save(run.preprocessor_dir)
        write_data_record(run, data.describe(train_clips, validation_clips))
        return run

    run = replicas.agreed_run(begin, Path(models_dir) / TASK)
    return _fit(run, config, train_clips, validation_clips, replicas, progress)


def resume(
    run: RunDirectory, progress: Progress | None = None
) -> tuple[SpeechRecognizer, FitResult]:
    """Goes on with a run that was stopped, by whatever; ends as if it had not been.

    Raises:
        RunError: the run is half-written, or its data have changed since.
    """
    config = load_config(run)
    replicas = Replicas.of(config.training.strategy)
    known = read_data_record(run, DATA_FIELDS)
    train_clips, validation_clips = data.load_splits(
        config, ("train", "validation"), known["labels"]
    )
    check_same_data(run, known, data.describe(train_clips, validation_clips))
    return _fit(run, config, train_clips, validation_clips, replicas, progress)


def load(run: RunDirectory) -> SpeechRecognizer:
    """The recogniser of a run, with its best weights.

    Raises:
        RunError: the run is half-written, damaged, of another task or of a newer format.
    """
    config = load_config(run)
    labels = read_data_record(run, DATA_FIELDS)["labels"]
    front_end = FrontEnd.load(run.preprocessor_dir, config.preprocessor)
    model = _model(config, front_end, len(labels))
    load_weights(model, run)
    return SpeechRecognizer(run, config, model, labels)


def load_config(run: RunDirectory) -> SpeechConfig:
    """The configuration of a run, every value of it."""
    return resolve(SpeechConfig, file=run.path / "config.toml")


def _fit(
    run: RunDirectory,
    config: SpeechConfig,
    train_clips: Clips,
    validation_clips: Clips,
    replicas: Replicas,
    progress: Progress | None,
) -> tuple[SpeechRecognizer, FitResult]:
    seed_everything(config.random_seed)
    front_end = FrontEnd.load(run.preprocessor_dir, config.preprocessor)
    with precision(config.training.mixed_precision), replicas.scope():
        model = _model(
            config,
            front_end,
            len(train_clips.names),
            rows=replicas.rows(config.training.batch_size),
            noise=[noise.waveform for noise in train_clips.noises],
        )
        result = fit(
            model,
            loss=model.loss_of,
            metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
            train=data.training_batches(train_clips, config),
            validation=data.validation_batches(validation_clips, config),
            config=config.training,
            run=run,
            # A few hundred clips tell losses apart that come to the same accuracy.
            monitor="val_loss",
            mode="min",
            replicas=replicas,
            progress=progress,
        )
    # anew, so that what answers now answers in float32 and as it will after any other loading
    return load(run), result


def _model(config: SpeechConfig, front_end: FrontEnd, classes: int, **training: Any) -> SpeechModel:
    model = SpeechModel(config, front_end, classes, **training)
    model.build()
    return model
