"""What a run says that was made from another one without training."""

from pathlib import Path

from textapps.core.records import RecordError, read_record
from textapps.training.run_directory import RunDirectory

DERIVED = "derived.json"


def derivation(run: RunDirectory) -> str:
    """How it was made, "" of a run that was trained."""
    path = run.path / DERIVED
    if not path.is_file():
        return ""
    try:
        how = read_record(path)
    except (OSError, RecordError):
        return "made from another run without training"
    change = f": {how['told']}" if "told" in how else ""
    return f"made from {Path(str(how.get('run'))).name} without training{change}"
