"""Names that several rooms share, each once as a type and once as a tuple in the same order."""

from typing import Literal, get_args

TaskName = Literal["sentiment", "generate", "translate", "speech"]
PresetName = Literal["tiny", "small", "base"]
StrategyName = Literal["auto", "one", "mirrored", "multi-worker"]

TASKS: tuple[TaskName, ...] = get_args(TaskName)
PRESETS: tuple[PresetName, ...] = get_args(PresetName)
STRATEGIES: tuple[StrategyName, ...] = get_args(StrategyName)
