"""Where measured figures go: docs/results/<name>.json, with the machine they were measured on."""

import datetime
import json
import os
import platform
import resource
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent.parent / "docs" / "results"
PACKAGES = ("tensorflow", "keras", "numpy", "scikit-learn")


def read_result(name: str) -> dict[str, Any] | None:
    """A result of before; None if it was never measured."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.is_file() else None


def write_result(name: str, figures: dict[str, Any]) -> Path:
    """Writes the figures, the command that gave them and the machine; returns the file."""
    path = RESULTS / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    result = {"benchmark": name, **figures, "command": command(), "machine": machine()}
    aside = path.with_suffix(".aside")
    aside.write_text(json.dumps(result, indent=2) + "\n")
    aside.replace(path)
    return path


def command() -> str:
    """The command line of this process, with the names of folders left out."""
    module = sys.modules["__main__"].__spec__
    words = [Path(word).name if "/" in word else word for word in sys.argv[1:]]
    return " ".join(["python", "-m", module.name if module else Path(sys.argv[0]).stem, *words])


def machine() -> dict[str, Any]:
    """What a reader needs to compare timings, and no names or paths."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


def peak_memory_mb() -> int:
    """The most memory that this process has held so far, in units of 2^20 bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (1024 * 1024 if sys.platform == "darwin" else 1024)
