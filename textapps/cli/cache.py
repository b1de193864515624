"""The folder for what can be made again."""

import os
from pathlib import Path

CACHE_VARIABLE = "TEXTAPPS_CACHE_DIR"


def cache_dir() -> Path:
    """TEXTAPPS_CACHE_DIR, else textapps/ in XDG_CACHE_HOME, else in ~/.cache; existing or not."""
    if own := os.environ.get(CACHE_VARIABLE):
        return Path(own).expanduser()
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The specification says that a relative path is to be ignored.
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "textapps"
