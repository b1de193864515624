"""Notices: what a user should know of a run that is as it should be."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

NOTICE = 25
"""Between INFO, which --verbose shows, and WARNING."""


def notice(message: str, *arguments: object) -> None:
    """Log a line that the command line prints on stderr unless --quiet, without `warning:`."""
    logging.getLogger("textapps").log(NOTICE, message, *arguments)


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
