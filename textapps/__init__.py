"""Train, evaluate, use and serve small sequence models without writing Keras code.

>>> import textapps
>>> textapps.TASKS
('sentiment', 'generate', 'translate', 'speech')
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

from textapps.core.names import TASKS as TASKS
from textapps.core.names import models_folder

if TYPE_CHECKING:
    from textapps.tasks.generate.predictor import TextGenerator
    from textapps.tasks.sentiment.predictor import SentimentClassifier
    from textapps.tasks.speech.predictor import SpeechRecognizer
    from textapps.tasks.task import Predictor
    from textapps.tasks.translate.predictor import Translator
    from textapps.training.progress import Progress

__version__ = "0.1.0"

# Keras reads it at its first import; a ~/.keras/keras.json that says otherwise would break us.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

Place = str | Path


@overload
def load(
    task: Literal["sentiment"], run: Place | None = None, models_dir: Place | None = None
) -> "SentimentClassifier": ...
@overload
def load(
    task: Literal["generate"], run: Place | None = None, models_dir: Place | None = None
) -> "TextGenerator": ...
@overload
def load(
    task: Literal["translate"], run: Place | None = None, models_dir: Place | None = None
) -> "Translator": ...
@overload
def load(
    task: Literal["speech"], run: Place | None = None, models_dir: Place | None = None
) -> "SpeechRecognizer": ...
@overload
def load(task: str, run: Place | None = None, models_dir: Place | None = None) -> "Predictor": ...
def load(task: str, run: Place | None = None, models_dir: Place | None = None) -> "Predictor":
    """The trained model of a run, ready for `predict`.

    Args:
        run: the name of a run of the task under `models_dir`, a run directory, or
            "pretrained:NAME"; by default the latest run, or without any a pretrained model.
        models_dir: by default TEXTAPPS_MODELS_DIR, else "models".

    Raises:
        RunError: there is no such run or model, or it is damaged.
        ConfigurationError: an unknown task.
    """
    from textapps.tasks import lifecycle
    from textapps.tasks.registry import get_task
    from textapps.training.run_directory import RunDirectory

    found = get_task(task)
    directory = RunDirectory.find(models_folder(models_dir), task, run)
    predictor: Predictor = lifecycle.load(found, directory)
    return predictor


Settings = Mapping[str, object]


@overload
def train(
    task: Literal["sentiment"],
    settings: Settings | None = None,
    models_dir: Place | None = None,
    progress: "Progress | None" = None,
) -> "SentimentClassifier": ...
@overload
def train(
    task: Literal["generate"],
    settings: Settings | None = None,
    models_dir: Place | None = None,
    progress: "Progress | None" = None,
) -> "TextGenerator": ...
@overload
def train(
    task: Literal["translate"],
    settings: Settings | None = None,
    models_dir: Place | None = None,
    progress: "Progress | None" = None,
) -> "Translator": ...
@overload
def train(
    task: Literal["speech"],
    settings: Settings | None = None,
    models_dir: Place | None = None,
    progress: "Progress | None" = None,
) -> "SpeechRecognizer": ...
@overload
def train(
    task: str,
    settings: Settings | None = None,
    models_dir: Place | None = None,
    progress: "Progress | None" = None,
) -> "Predictor": ...
def train(
    task: str,
    settings: Settings | None = None,
    models_dir: Place | None = None,
    progress: "Progress | None" = None,
) -> "Predictor":
    """Trains a new run under `models_dir` and returns the trained model.

    Args:
        settings: values of the configuration by dotted key, such as {"preset": "tiny",
            "data.source": "reviews.csv", "backbone.kind": "lstm"}.
        models_dir: by default TEXTAPPS_MODELS_DIR, else "models".
        progress: is told how training goes.

    Raises:
        ConfigurationError: an unknown task or key, or a value out of range.
        DataError: data that are missing or wrong.
        DivergedError, RunError, TrainingInterrupted: as `textapps.training.fit.fit`.
    """
    from textapps.tasks import lifecycle
    from textapps.tasks.registry import get_task

    found = get_task(task)
    config = found.presets.resolve(flags=settings)
    predictor: Predictor
    predictor, _ = lifecycle.train(found, config, models_folder(models_dir), progress)
    return predictor
