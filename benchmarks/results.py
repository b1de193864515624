"""Where measured figures are: docs/results/<name>.json, with the machine they were measured on."""

import datetime
import json
import os
import platform
import resource
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.processes import MEGABYTE
from textapps.core.files import write_file

FOLDER = Path(__file__).parent.parent / "docs" / "results"
PACKAGES = ("tensorflow", "keras", "numpy", "scikit-learn")
IDLE = 0.5  # processes that ran on average in the minute before, at most

Figures = dict[str, Any]


class Results(NamedTuple):
    """The results in a folder."""

    folder: Path = FOLDER

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def names(self) -> list[str]:
        return sorted(path.stem for path in self.folder.glob("*.json"))

    def read(self, name: str) -> Figures | None:
        path = self.path(name)
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None

    def write(self, name: str, figures: Figures, words: Sequence[str], at: Figures) -> Path:
        """Writes the figures, the words of the command and `at`, the machine."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        result = {"benchmark": name, **figures, "command": command(words), "machine": at}
        write_file(path, json.dumps(result, indent=2) + "\n")
        return path


def command(words: Sequence[str]) -> str:
    """A command line, with the names of folders left out.

    >>> command(["sentiment", "--data-dir", "/home/me/tfds"])
    'python -m benchmarks sentiment --data-dir tfds'
    """
    shown = [Path(word).name if "/" in word else word for word in words]
    return " ".join(["python", "-m", "benchmarks", *shown])


def rounded(figures: Mapping[str, Any], digits: int) -> Figures:
    """The figures with so many digits after the point, where they have more."""
    return {k: round(v, digits) if isinstance(v, float) else v for k, v in figures.items()}


def machine() -> Figures:
    """What a reader needs to compare timings; `idle`: nearly nothing else ran the minute before."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "idle": os.getloadavg()[0] < IDLE,
    }


def peak_memory_mb() -> int:
    """The most memory that this process has held so far, in units of 2^20 bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // MEGABYTE
