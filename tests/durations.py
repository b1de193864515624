"""Which tests come first, and which stay together, where several processes share them.

The files that take longest come first, so that no process works alone at the end. How long each
took stands in durations.json, which `make durations` renews.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

DURATIONS = Path(__file__).with_suffix(".json")
UNKNOWN_SECONDS = 5.0
TASKS = ("sentiment", "generate", "translate", "speech")


def group_of(nodeid: str) -> str:
    """What one process takes as a whole: all files of a task, a chapter of the README, or a file.

    >>> group_of("tests/tasks/speech/test_lite.py::test_a"), group_of("tests/cli/test_speech.py::b")
    ('speech', 'speech')
    >>> group_of("tests/core/test_files.py::test_b[1]")
    'tests/core/test_files.py'
    """
    path = nodeid.partition("::")[0]
    for task in TASKS:  # its tests use the same trained models
        if path.startswith(f"tests/tasks/{task}/") or path == f"tests/cli/test_{task}.py":
            return task
    return nodeid if "_of_the_readme_" in nodeid else path


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--renew-durations", action="store_true", help="write tests/durations.json")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("renew_durations") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Renewal())


@pytest.hookimpl(trylast=True)  # what pytest-randomly has shuffled stays so within a group
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    known: dict[str, float] = json.loads(DURATIONS.read_bytes())
    seconds: Counter[str] = Counter()
    for part in {_part(item.nodeid) for item in items}:
        seconds[group_of(part)] += known.get(part, UNKNOWN_SECONDS)
    items.sort(key=lambda item: (-seconds[group_of(item.nodeid)], group_of(item.nodeid)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadFileScheduling

    class ByGroup(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    return ByGroup(config, log) if config.getoption("dist") == "loadfile" else None


class Renewal:
    """Writes down how long each file took."""

    def __init__(self) -> None:
        self._seconds: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[_part(report.nodeid)] += report.duration

    def pytest_sessionfinish(self) -> None:
        # Zero is worth noting too: it is not unknown.
        rounded = {part: round(s, 1) for part, s in sorted(self._seconds.items())}
        lines = (f"  {json.dumps(part)}: {s}" for part, s in rounded.items())
        DURATIONS.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def _part(nodeid: str) -> str:
    """The unit of durations.json: a file, or a chapter of the README."""
    return nodeid if "_of_the_readme_" in nodeid else nodeid.partition("::")[0]
