"""Speech: spoken commands in clips and streams, many-to-one over audio frames."""

import keras
import numpy as np

from textapps.datasets.clips.config import SILENCE, UNKNOWN
from textapps.datasets.clips.examples import Clips
from textapps.datasets.clips.sources import recorded_files
from textapps.preprocessing.log_mel import FrontEnd
from textapps.tasks.classification import BEST, classifier_objective, settled
from textapps.tasks.speech import data
from textapps.tasks.speech.about import ABOUT
from textapps.tasks.speech.batches import ClipBatchSource
from textapps.tasks.speech.compare import answered, asking
from textapps.tasks.speech.config import PRESETS, SpeechConfig
from textapps.tasks.speech.evaluate import evaluate
from textapps.tasks.speech.export import export_saved_model
from textapps.tasks.speech.hard_negatives import HardNegatives
from textapps.tasks.speech.inspect import inspect
from textapps.tasks.speech.lite import export_lite
from textapps.tasks.speech.micro import export_micro
from textapps.tasks.speech.model import SpeechModel
from textapps.tasks.speech.predict import rows
from textapps.tasks.speech.predictor import SpeechRecognizer
from textapps.tasks.speech.report import report
from textapps.tasks.task import Labels, Objective, Task


def settle(config: SpeechConfig, train: Clips) -> SpeechConfig:
    """The metric to monitor; the configuration says how many clips of no command there are."""
    commands = [label for label, name in enumerate(train.names) if name not in (UNKNOWN, SILENCE)]
    of_commands = train.labels[np.isin(train.labels, commands)]
    training = settled(config.training, ABOUT.monitor, train.name, train.names, of_commands)
    return config.model_copy(update={"training": training})


def objective(
    recognizer: SpeechRecognizer, validation: Clips, batches: ClipBatchSource
) -> Objective:
    """The cross-entropy.

    With a few hundred clips the loss separates weights that have the same accuracy, so it is what
    is usually monitored.
    """
    model = recognizer.model
    accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    if recognizer.config.augmentation.mixup or model.mining:
        accuracy = keras.metrics.MeanMetricWrapper(
            lambda labels, outputs: keras.metrics.sparse_categorical_accuracy(
                labels, model.logits_of(outputs)
            ),
            name="accuracy",
        )
    return classifier_objective(
        model.loss_of,
        accuracy,
        recognizer.config.training,
        ABOUT.monitor,
        classes=len(recognizer.labels),
        labels=batches.labels_of_pass,
        logits=model.logits_of,
    )


def mining(config: SpeechConfig, labels: Labels) -> HardNegatives | None:
    """What mines hard negatives in training; None if the configuration wants none."""
    weight = config.model.hard_negatives
    return HardNegatives(labels, weight) if weight else None


TASK = Task(
    name="speech",
    presets=PRESETS,
    unit="clips",
    best=BEST,
    labelled=True,
    check=lambda config: SpeechModel(config, FrontEnd(config.preprocessor), classes=2),
    load_training=data.load_training,
    files=lambda config: recorded_files(config.data),
    load_split=data.load_split,
    settle=settle,
    labels=lambda clips: clips.names,
    learn=data.learn,
    load_preprocessor=lambda config, folder: FrontEnd.load(folder, config.preprocessor),
    training_batches=data.training_batches,
    validation_batches=data.validation_batches,
    model=lambda config, front_end, labels: SpeechModel(config, front_end, len(labels)),
    trainee=lambda config, front_end, labels, batches, rows: SpeechModel(
        config,
        front_end,
        len(labels),
        rows=rows(config.training.batch_size),
        noise=data.training_noise(config, batches.clips),
        mining=mining(config, labels),
    ),
    renewed=lambda old, new, same_labels: () if same_labels else ("head",),
    predictor=SpeechRecognizer,
    rows=rows,
    objective=objective,
    evaluate=evaluate,
    report=report,
    answered=answered,
    asking=asking,
    inspect=inspect,
    examples=data.examples,
    formats={"saved_model": export_saved_model, "tflite": export_lite, "micro": export_micro},
)
