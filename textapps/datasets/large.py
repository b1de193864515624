"""Which data are too large to be held in memory."""

from collections.abc import Iterable
from pathlib import Path

from textapps.cache.place import kept_from_bytes
from textapps.datasets.config import SourceConfig
from textapps.datasets.formats.registry import ending_of

_PACKED = 4
"""So many times larger is the content of a packed file, about."""


def are_large(config: SourceConfig) -> bool:
    """Whether all sources are tables, which together are large enough to be kept in the cache."""
    named = (config.source, config.validation_source, config.test_source)
    paths = [Path(name).expanduser() for name in named if name]
    if not all(ending_of(path) and path.is_file() for path in paths):
        return False
    return content_bytes(paths) >= kept_from_bytes()


def content_bytes(paths: Iterable[Path]) -> int:
    """About how many bytes of text files hold: those of packed files are estimated."""
    packed = (".gz", ".parquet", ".xlsx")
    return sum(
        path.stat().st_size * (_PACKED if path.suffix.lower() in packed else 1) for path in paths
    )
