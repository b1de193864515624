"""Notices: what a user should know of a run that is as it should be."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

NOTICE = 25
"""Between INFO, which --verbose shows, and WARNING."""


def notice(message: str, *arguments: object) -> None:
    """Log a line that the command line prints on stderr unless --quiet, without `warning:`."""
    logging.getLogger("textapps").log(NOTICE, message, *arguments)


Said = list[tuple[int, str]]
"""What was logged: levels and messages."""


@contextmanager
def recorded() -> Iterator[Said]:
    """Collects the notices and warnings that are logged within it, even where they are muted."""
    logger = logging.getLogger("textapps")
    level, found = logger.level, Said()

    def collect(record: logging.LogRecord) -> bool:
        found.append((record.levelno, record.getMessage()))
        return record.levelno >= shown

    shown = logger.getEffectiveLevel()
    logger.addFilter(collect)
    logger.setLevel(min(shown, NOTICE))
    try:
        yield found
    finally:
        logger.setLevel(level)
        logger.removeFilter(collect)


@contextmanager
def muted() -> Iterator[None]:
    """Within it, notices and warnings are not logged: for data that are read a second time."""
    logger = logging.getLogger("textapps")
    level = logger.level
    logger.setLevel(max(level, logging.ERROR))
    try:
        yield
    finally:
        logger.setLevel(level)
