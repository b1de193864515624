"""Writes a report as one self-contained HTML file, without network access or scripts."""

import re
from pathlib import Path

import jinja2

from textapps.core.files import write_file
from textapps.evaluation.reports.sections import (
    Headline,
    Paragraph,
    Plot,
    Report,
    Spectrograms,
    Surprise,
    Table,
    Texts,
    cell,
)
from textapps.evaluation.reports.spectrogram import drawn
from textapps.evaluation.reports.surprise import level_names, painted
from textapps.evaluation.reports.svg import inline_svg

LONGEST_TEXT = 1000  # shown characters of an example
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
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
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("textapps.evaluation.reports"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["cell"] = cell
    environment.filters["excerpt"] = _excerpt
    environment.filters["svg"] = inline_svg
    environment.filters["painted"] = painted
    environment.filters["spectrogram"] = drawn
    environment.globals["level_names"] = level_names()
    sections = [(KINDS[type(section)], section) for section in report.sections]
    page = environment.get_template("report.html.j2").render(report=report, sections=sections)
    # Lone surrogates, which JSON can contain, cannot be encoded as UTF-8.
    write_file(path, CONTROL.sub("\ufffd", page).encode("utf-8", "replace"))


def _excerpt(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + " …"
