"""Names that several rooms share, each once as a type and once as a tuple in the same order."""

import os
from pathlib import Path
from typing import Literal, get_args

TaskName = Literal["sentiment", "generate", "translate", "speech"]
PretrainingName = Literal["sentiment-pretrain"]
PresetName = Literal["tiny", "small", "base"]
SpeechPresetName = Literal[PresetName, "micro"]
DetectionFormat = Literal["tsv", "jsonl", "srt"]
StrategyName = Literal["auto", "one", "mirrored", "multi-worker"]

TASKS: tuple[TaskName, ...] = get_args(TaskName)
PRETRAINING: dict[TaskName, PretrainingName] = {"sentiment": "sentiment-pretrain"}
"""What a task's runs may start from besides runs of the task: runs of its `pretrain` command."""
PRESETS: tuple[PresetName, ...] = get_args(PresetName)
DETECTION_FORMATS: tuple[DetectionFormat, ...] = get_args(DetectionFormat)
STRATEGIES: tuple[StrategyName, ...] = get_args(StrategyName)

MODELS_DIR_VARIABLE = "TEXTAPPS_MODELS_DIR"


def lenders(task: str) -> tuple[PretrainingName, ...]:
    """The other tasks whose runs a run of this task may start from.

    >>> lenders("sentiment"), lenders("speech")
    (('sentiment-pretrain',), ())
    """
    return tuple(name for of, name in PRETRAINING.items() if of == task)


def training_command(task: str) -> str:
    """The command that trains a run of this task.

    >>> training_command("speech"), training_command("sentiment-pretrain")
    ('textapps speech train', 'textapps sentiment pretrain')
    """
    of = next((name for name, own in PRETRAINING.items() if own == task), None)
    return f"textapps {of} pretrain" if of else f"textapps {task} train"


def models_folder(given: Path | str | None) -> Path:
    """Where runs and exports are: as given, else TEXTAPPS_MODELS_DIR, else "models"."""
    return Path(given or os.environ.get(MODELS_DIR_VARIABLE) or "models")
