"""The pictures and coloured texts of a report as SVG files, for pages, slides and worksheets."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from markupsafe import escape

from textapps.evaluation.reports.page import TEMPLATES, write_markup
from textapps.evaluation.reports.svg import inline_svg
from textapps.interpret.report import Inspection
from textapps.interpret.section import Coloured, Picture

NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
PIXELS_A_POINT = 4 / 3
COLUMNS = 64  # characters in a line of a coloured text
ADVANCE, LEADING, MARGIN = 8, 20, 10  # pixels from a character, and from a line, to the next


def write_pictures(folder: Path, inspection: Inspection) -> list[Path]:
    """Writes each picture to `<section>-<run>.svg`, with runs numbered in their order from 1.

    Further pictures of a section are `<section>-<run>-2.svg` and so on; coloured texts count as
    pictures. A picture has a background of its own, and the colours of a light or a dark page as
    its reader prefers.

    Raises:
        OSError: the file system does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for number, run in enumerate(inspection.runs, 1):
        for section in run.sections:
            pictures = [part for part in section.parts if isinstance(part, Picture | Coloured)]
            for count, picture in enumerate(pictures, 1):
                name = f"{section.key}-{number}" + (f"-{count}" if count > 1 else "")
                path = folder / f"{name}.svg"
                svg = text_as_file(picture) if isinstance(picture, Coloured) else as_file(picture)
                write_markup(path, svg)
                written.append(path)
    return written


def as_file(picture: Picture) -> str:
    """The picture as an SVG document."""
    svg = str(inline_svg(picture.figure, picture.alt, 1))
    head, body = svg.split(">", 1)
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', head)
    assert box  # matplotlib always writes one
    width, height = (round(PIXELS_A_POINT * float(size)) for size in box.groups())
    head = head.replace("<svg", f'<svg {NAMESPACES} width="{width}" height="{height}"', 1)
    return f"{head}>{_ground('system-ui, sans-serif')}{body}"


def text_as_file(part: Coloured) -> str:
    """The coloured text as an SVG document, in lines of at most 64 characters."""
    lines = list(_lines(part))
    width = 2 * MARGIN + ADVANCE * COLUMNS
    height = 2 * MARGIN + LEADING * len(lines)
    drawn = []
    for row, line in enumerate(lines):
        top = MARGIN + LEADING * row
        places = [MARGIN + ADVANCE * column for column in range(len(line))]
        drawn += [
            f'<rect x="{x}" y="{top}" width="{ADVANCE}" height="{LEADING - 2}" '
            f'style="fill: var(--{"first" if value > 0 else "second"})" '
            f'fill-opacity="{0.6 * min(abs(value), 1):.2f}"/>'
            for x, (_, value) in zip(places, line, strict=True)
            if abs(value) >= 0.01
        ]
        text = escape("".join(character for character, _ in line).replace("\t", "⇥"))
        positions = " ".join(map(str, places))
        drawn.append(f'<text x="{positions}" y="{top + 13}" xml:space="preserve">{text}</text>')
    return (
        f'<svg {NAMESPACES} role="img" aria-label="{escape(part.caption)}" '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f"{_ground('ui-monospace, monospace')}"
        f'<g font-size="13" style="fill: var(--ink)">{"".join(drawn)}</g></svg>'
    )


def _lines(part: Coloured) -> Iterator[list[tuple[str, float]]]:
    """The characters of each line with their values; line breaks are left out."""
    line: list[tuple[str, float]] = []
    for piece, value in zip(part.pieces, np.nan_to_num(np.asarray(part.values)), strict=True):
        for character in piece:
            if character == "\n" or len(line) == COLUMNS:
                yield line
                line = []
            if character != "\n":
                line.append((character, float(value)))
    yield line


def _ground(fonts: str) -> str:
    """The colours of the report, which its stylesheet begins with, and a background."""
    style = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    palette = style.partition("* {")[0]
    return (
        f"<style>{palette}svg text {{ font-family: {fonts} !important; }}</style>"
        '<rect width="100%" height="100%" style="fill: var(--card)"/>'
    )
