"""Notices: what a user should know of a run that is as it should be."""

import logging

NOTICE = 25
"""Between INFO, which --verbose shows, and WARNING."""


def notice(message: str, *arguments: object) -> None:
    """Log a line that the command line prints on stderr unless --quiet, without `warning:`."""
    logging.getLogger("textapps").log(NOTICE, message, *arguments)
