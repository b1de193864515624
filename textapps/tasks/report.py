"""The facts that the reports of all tasks begin with."""

from pathlib import Path

from textapps.evaluation.reports.sections import NAMES
from textapps.tasks.config import C
from textapps.tasks.predictor import TrainedPredictor
from textapps.tasks.registry import monitor_of
from textapps.tasks.task import M, P
from textapps.training.derivation import derivation
from textapps.training.evaluations import Summary


def facts(
    predictor: TrainedPredictor[C, P, M], summary: Summary, unit: str, **more: str
) -> dict[str, str]:
    """The facts at the head of a report, by name.

    Args:
        unit: what the examples are called, such as "sentences".
        more: facts of the task; they follow the number of parameters.
    """
    config, metrics = predictor.config, summary["metrics"]
    made = derivation(predictor.run)
    monitor = monitor_of(predictor.run)
    return {
        "run": predictor.run.name,
        "backbone": config.backbone_size,
        "preset": config.preset,
        "parameters": f"{metrics['parameters']:,}",
        **more,
        "trained on": Path(config.data.source).name,
        "best weights by": f"{NAMES.get(monitor, monitor.capitalize())} (validation)",
        "training": f"{metrics['seconds']:.0f} s{f', then {made}' if made else ''}",
        "evaluated on": f"{summary['data']}, {summary['split']}: {summary['examples']:,} {unit}",
    }
