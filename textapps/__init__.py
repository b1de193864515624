"""Train, evaluate, use and serve small sequence models without writing Keras code.

>>> import textapps
>>> textapps.TASKS
('sentiment', 'generate', 'translate', 'speech')
"""

import importlib
import os
from pathlib import Path
from typing import Any

from textapps.core.errors import ConfigurationError, unknown

__version__ = "0.1.0"

TASKS = ("sentiment", "generate", "translate", "speech")

# Keras reads it at its first import; a ~/.keras/keras.json that says otherwise would break us.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")


def load(task: str, run: str | Path | None = None, models_dir: str | Path = "models") -> Any:
    """The trained model of a run, ready for `predict`.

    `run` is a run directory, by default the latest of the task under `models_dir`. Raises
    RunError where there is none, ConfigurationError for an unknown task.
    """
    if task not in TASKS:
        raise ConfigurationError(unknown("task", task, TASKS))
    from textapps.training.run_directory import RunDirectory

    directory = (
        RunDirectory.latest(Path(models_dir), task)
        if run is None
        else RunDirectory.open(Path(run), task)
    )
    return importlib.import_module(f"textapps.tasks.{task}.task").load(directory)
