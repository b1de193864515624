"""The registry of tasks."""

import importlib
import pkgutil
import subprocess
import sys

import pytest

from textapps.core.errors import ConfigurationError
from textapps.core.names import TASKS
from textapps.tasks import registry
from textapps.tasks.registry import get_about, get_presets, get_task
from textapps.tasks.task import Task

# The modules that every task has; CONTRIBUTING.md says what stands in each.
MODULES = {"config", "data", "model", "task", "predictor", "evaluate", "report", "export"}


def test_the_names_are_pinned() -> None:
    assert tuple(registry._PACKAGES) == TASKS == ("sentiment", "generate", "translate", "speech")


@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_whole(name: str) -> None:
    task = get_task(name)
    assert isinstance(task, Task)
    assert task.name == name == task.presets.resolve().task
    assert task.presets is get_presets(name)
    told = task.best[get_about(name).monitor].format(0.5)
    assert told.startswith(("accuracy 0.5", "0.5", "BLEU 0.5", "loss 0.5"))
    assert "saved_model" in task.formats


@pytest.mark.parametrize("name", TASKS)
def test_every_package_has_the_same_modules(name: str) -> None:
    package = importlib.import_module(f"textapps.tasks.{name}")
    assert {module.name for module in pkgutil.iter_modules(package.__path__)} >= MODULES


def test_an_unknown_task() -> None:
    for find in (get_task, get_presets):
        with pytest.raises(ConfigurationError, match=r"unknown task 'sentimant'.*'sentiment'\?"):
            find("sentimant")


def test_presets_need_no_tensorflow() -> None:
    code = (
        "import sys\nfrom textapps.tasks.registry import get_presets\n"
        f"for name in {TASKS}: get_presets(name).resolve()\n"
        "print({'tensorflow', 'keras'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
