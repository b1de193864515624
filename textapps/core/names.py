"""Names that several rooms share, each once as a type and once as a tuple in the same order."""

import os
from pathlib import Path
from typing import Literal, get_args

TaskName = Literal["sentiment", "generate", "translate", "speech"]
PresetName = Literal["tiny", "small", "base"]
StrategyName = Literal["auto", "one", "mirrored", "multi-worker"]

TASKS: tuple[TaskName, ...] = get_args(TaskName)
PRESETS: tuple[PresetName, ...] = get_args(PresetName)
STRATEGIES: tuple[StrategyName, ...] = get_args(StrategyName)

MODELS_DIR_VARIABLE = "TEXTAPPS_MODELS_DIR"


def models_folder(given: Path | str | None) -> Path:
    """Where runs and exports are: as given, else TEXTAPPS_MODELS_DIR, else "models"."""
    return Path(given or os.environ.get(MODELS_DIR_VARIABLE) or "models")
