"""Writes a report as one self-contained HTML file, without network access or scripts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from textapps.evaluation.reports.page import PACKAGE, write_page
from textapps.evaluation.reports.sections import (
    Headline,
    Paragraph,
    Plot,
    Report,
    Spectrograms,
    Surprise,
    Table,
    Texts,
)
from textapps.evaluation.reports.spectrogram import drawn
from textapps.evaluation.reports.surprise import level_names, painted
from textapps.evaluation.reports.svg import inline_svg

LONGEST_TEXT = 1000  # shown characters of an example
KINDS = {
    Paragraph: "paragraph",
    Headline: "headline",
    Table: "table",
    Plot: "plot",
    Texts: "texts",
    Surprise: "surprise",
    Spectrograms: "spectrograms",
}


def write_report(path: Path, report: Report) -> None:
    """Writes the report to `path` atomically. Raises OSError if the file system does."""
    filters: dict[str, Callable[..., Any]] = {
        "excerpt": _excerpt,
        "svg": inline_svg,
        "painted": painted,
        "spectrogram": drawn,
    }
    sections = [(KINDS[type(section)], section) for section in report.sections]
    write_page(
        path,
        PACKAGE,
        "report.html.j2",
        filters,
        report=report,
        sections=sections,
        level_names=level_names(),
    )


def _excerpt(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + " …"
