"""Speech: spoken commands in clips and streams, many-to-one over audio frames."""

import keras

from textapps.datasets.clips.examples import Clips
from textapps.preprocessing.log_mel import FrontEnd
from textapps.tasks.speech import data
from textapps.tasks.speech.config import PRESETS
from textapps.tasks.speech.evaluate import evaluate
from textapps.tasks.speech.export import export_saved_model
from textapps.tasks.speech.lite import export_lite
from textapps.tasks.speech.model import SpeechModel
from textapps.tasks.speech.predict import rows
from textapps.tasks.speech.predictor import SpeechRecognizer
from textapps.tasks.speech.report import report
from textapps.tasks.task import Objective, Task


def objective(recognizer: SpeechRecognizer, validation: Clips) -> Objective:
    """The cross-entropy; the best weights have the lowest on the validation clips.

    With a few hundred clips the loss separates weights that have the same accuracy.
    """
    accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    return Objective(recognizer.model.loss_of, [accuracy], monitor="val_loss", mode="min")


TASK = Task(
    name="speech",
    presets=PRESETS,
    unit="clips",
    best="loss {:.4f}",
    labelled=True,
    check=lambda config: SpeechModel(config, FrontEnd(config.preprocessor), classes=2),
    load_training=data.load_training,
    load_split=data.load_split,
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
        noise=[noise.waveform for noise in batches.clips.noises],
    ),
    renewed=lambda old, new, same_labels: () if same_labels else ("head",),
    predictor=SpeechRecognizer,
    rows=rows,
    objective=objective,
    evaluate=evaluate,
    report=report,
    formats={"saved_model": export_saved_model, "tflite": export_lite},
)
