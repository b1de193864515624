"""The tasks by name, each imported when it is asked for."""

import importlib
from typing import TYPE_CHECKING, Any

from textapps.core.errors import ConfigurationError, unknown

if TYPE_CHECKING:
    from textapps.tasks.about import About
    from textapps.tasks.config import Presets
    from textapps.tasks.task import Task
    from textapps.training.run_directory import RunDirectory

    AnyTask = Task[Any, Any, Any, Any, Any, Any, Any]

# A package with a TASK in its module `task`, PRESETS in its module `config` and ABOUT in its module
# `about`. The names are those of textapps.core.names.TASKS, which is at hand without any of them.
_PACKAGES = {
    "sentiment": "textapps.tasks.sentiment",
    "generate": "textapps.tasks.generate",
    "translate": "textapps.tasks.translate",
    "speech": "textapps.tasks.speech",
}
_PRETRAINING = {"sentiment-pretrain": "textapps.tasks.sentiment.pretraining"}


def get_task(name: str) -> "AnyTask":
    """The task of this name; imports TensorFlow.

    Raises:
        ConfigurationError: there is none; the message names the nearest one.
    """
    task: AnyTask = _module(name, "task").TASK
    return task


def get_presets(name: str) -> "Presets[Any]":
    """The configuration of a task, without the rest of it and without TensorFlow.

    Raises:
        ConfigurationError: there is no such task.
    """
    presets: Presets[Any] = _module(name, "config").PRESETS
    return presets


def get_about(name: str) -> "About":
    """What the command line says of a task, without its configuration.

    Raises:
        ConfigurationError: there is no such task.
    """
    found: About = _module(name, "about").ABOUT
    return found


def monitor_of(run: "RunDirectory") -> str:
    """The validation metric that selects the best weights of a run; "" of an unknown task."""
    named = str(run.config.get("training", {}).get("monitor", "auto"))
    if named == "auto":
        named = get_about(run.task).monitor if run.task in _PACKAGES | _PRETRAINING else ""
    return named


def _module(name: str, module: str) -> Any:
    package = (_PACKAGES | _PRETRAINING).get(name)
    if package is None:
        raise ConfigurationError(unknown("task", name, _PACKAGES))
    return importlib.import_module(f"{package}.{module}")
