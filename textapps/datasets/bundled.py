"""The folder of the bundled data."""

from pathlib import Path

from textapps.core.errors import DataError


def bundled_dir() -> Path:
    """In the installed package, or `data/` of a checkout; DataError if it is missing."""
    package = Path(__file__).parents[1]
    for folder in (package / "bundled", package.parent / "data"):
        if (folder / "sentiment.csv").is_file():
            return folder
    raise DataError(f"the bundled data are missing beside {package}; install textapps again")
