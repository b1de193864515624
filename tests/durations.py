"""The order of tests, and which of them one process runs together.

The longest come first, so that all processes finish at about the same time. durations.json says how
long they take; `make durations` renews it.
"""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

DURATIONS = Path(__file__).with_suffix(".json")
UNKNOWN_SECONDS = 5.0
TASKS = ("sentiment", "generate", "translate", "speech")


def group_of(nodeid: str) -> str:
    """What one process runs as a whole: all tests of a task, a chapter of the README, or a file.

    >>> group_of("tests/tasks/speech/test_lite.py::test_a"), group_of("tests/cli/test_speech.py::b")
    ('speech', 'speech')
    >>> group_of("tests/tasks/test_contract.py::test_c[speech-gru]")
    'speech'
    >>> group_of("tests/tasks/test_examples.py::test_e[speech]")
    'speech'
    >>> group_of("tests/core/test_files.py::test_d[1]")
    'tests/core/test_files.py'
    """
    path, _, name = nodeid.partition("::")
    for task in TASKS:  # the tests of a task use the same models
        places = (f"tests/tasks/{task}/", f"tests/cli/test_{task}.py")
        of_task = path.startswith("tests/tasks/") and re.search(rf"\[{task}[-\]]", name)
        if path.startswith(places) or of_task:
            return task
    return nodeid if "_of_the_readme_" in nodeid else path


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--renew-durations", action="store_true", help="write tests/durations.json")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("renew_durations") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Renewal())


@pytest.hookimpl(trylast=True)  # after pytest-randomly, whose order remains within a group
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    known: dict[str, float] = json.loads(DURATIONS.read_bytes())

    def place(item: pytest.Item) -> tuple[float, str]:
        group = group_of(item.nodeid)
        return -known.get(group, UNKNOWN_SECONDS), group

    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadFileScheduling

    class ByGroup(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    return ByGroup(config, log) if config.getoption("dist") == "loadfile" else None


class Renewal:
    """Measures how long each group takes, and writes durations.json."""

    def __init__(self) -> None:
        self._seconds: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[group_of(report.nodeid)] += report.duration

    def pytest_sessionfinish(self) -> None:
        rounded = {group: round(seconds, 1) for group, seconds in self._seconds.most_common()}
        DURATIONS.write_text(json.dumps(rounded, indent=2) + "\n", encoding="utf-8")
