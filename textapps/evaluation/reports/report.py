"""Writes a report as one self-contained HTML file, without network access or scripts."""

import io
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup

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

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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
    environment.filters["svg"] = _svg
    environment.filters["painted"] = painted
    environment.filters["spectrogram"] = drawn
    environment.globals["level_names"] = level_names()
    sections = [(KINDS[type(section)], section) for section in report.sections]
    page = environment.get_template("report.html.j2").render(report=report, sections=sections)
    # Lone surrogates, which JSON can contain, cannot be encoded as UTF-8.
    write_file(path, CONTROL.sub("\ufffd", page).encode("utf-8", "replace"))


def _excerpt(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + " …"


def _svg(figure: "Figure", alt: str, number: int) -> Markup:
    """The figure as an svg element in the colours and fonts of the page.

    `number` makes its identifiers different from those of other figures on the page.
    """
    import matplotlib

    from textapps.evaluation.reports import plots

    buffer = io.StringIO()
    # Text stays text, and identifiers are not random.
    settings = matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "textapps"})
    with settings, warnings.catch_warnings():
        # The page has fonts for names in any script, even if matplotlib has none to measure.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    head, body = svg.split(">", 1)
    box = re.search(r'viewBox="[^"]*"', head)
    assert box  # matplotlib always writes one
    body = re.sub(r'(\bid="|href="#|url\(#)', rf"\1figure{number}-", body)
    colours = {
        plots.INK: "ink",
        plots.MUTED: "muted",
        plots.GRID: "line",
        plots.PAPER: "on-first",
        plots.FIRST: "first",
        plots.SECOND: "second",
    }
    for colour, name in colours.items():
        body = re.sub(rf"(?<=[:\s]){colour}\b", f"var(--{name})", body)
    label = Markup.escape(alt)
    return Markup(f'<svg role="img" aria-label="{label}" {box.group()}>{body}')
