"""Runs of a task looked into, side by side."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from textapps.core.errors import DataError, RunError
from textapps.core.names import TaskName
from textapps.interpret.request import Request
from textapps.tasks.registry import get_about, get_task, monitor_of
from textapps.tasks.start import first_model
from textapps.training.checkpoint import CheckpointStore

if TYPE_CHECKING:
    from textapps.interpret.report import Inspection


def inspect(
    name: TaskName,
    predictors: Sequence[Any],
    inputs: Sequence[str] = (),
    progress: Callable[[str], None] = lambda line: None,
    **options: Any,
) -> "Inspection":
    """What can be seen inside some runs of a task.

    Args:
        predictors: of these runs.
        inputs: texts, or for speech paths; none for some of each run's validation data.
        progress: called with a line when a run is begun and after each of its sections, which take
            seconds each.
        options: further fields of `Request`.

    Raises:
        DataError: an input is too short or cannot be read.
        RunError: a run has weights that are not finite.
    """
    from textapps.interpret.report import InspectedRun, Inspection

    task, runs = get_task(name), []
    for predictor in predictors:
        check_finite(predictor)

        @cache
        def initial(one: Any = predictor) -> tuple[Any, str]:
            return first_model(task, one.config, one.preprocessor, one.labels)

        request = Request(inputs=tuple(inputs), initial=initial, **options)
        try:
            seen, sections = task.inspect(predictor, request), []
            progress(f"{predictor.run.name}: looks at {seen.looked_at}")
            for section in seen.sections:
                sections.append(section)
                progress(f"{predictor.run.name}: done: {section.title}")
        except DataError as error:
            if inputs:
                raise
            noun = get_about(name).inputs.noun
            raise DataError(f"{error}; or give {noun} to look at") from error
        facts = {**_facts(predictor), "looked at": seen.looked_at}
        runs.append(InspectedRun(name=predictor.run.name, facts=facts, sections=sections))
    return Inspection(task=name, runs=runs)


def check_finite(predictor: Any) -> None:
    """RunError if a weight of the model is NaN or infinite."""
    for variable in predictor.model.variables:
        values = np.asarray(variable)
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise RunError(
                f"{predictor.run.path}: {variable.path} holds NaN or infinite numbers, so there is "
                "nothing to see; train a new run"
            )


def _facts(predictor: Any) -> Mapping[str, str]:
    config, run = predictor.config, predictor.run
    state = CheckpointStore(run.checkpoints).newest_state()
    score = "" if state is None or state.best_score is None else f"{state.best_score:.4g} "
    return {
        "backbone": config.backbone_size,
        "preset": config.preset,
        "parameters": f"{predictor.parameters:,}",
        "trained on": Path(config.data.source).name,
        "best validation": score + monitor_of(run).replace("_", " "),
    }
