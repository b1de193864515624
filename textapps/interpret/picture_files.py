"""The pictures of a report as SVG files, for pages, slides and worksheets."""

import re
from pathlib import Path

from textapps.core.files import write_file
from textapps.evaluation.reports.svg import inline_svg
from textapps.interpret.report import Inspection
from textapps.interpret.section import Picture

NAMESPACES = (
    'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'font-family="system-ui, sans-serif"'
)
PIXELS_A_POINT = 4 / 3


def write_pictures(folder: Path, inspection: Inspection) -> list[Path]:
    """Writes each picture to `<section>-<run>.svg`, with runs numbered in their order from 1.

    Further pictures of a section are `<section>-<run>-2.svg` and so on. A picture has a background
    of its own, and the colours of a light or a dark page as its reader prefers.

    Raises:
        OSError: the file system does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for number, run in enumerate(inspection.runs, 1):
        for section in run.sections:
            pictures = [part for part in section.parts if isinstance(part, Picture)]
            for count, picture in enumerate(pictures, 1):
                name = f"{section.key}-{number}" + (f"-{count}" if count > 1 else "")
                path = folder / f"{name}.svg"
                write_file(path, as_file(picture).encode())
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
    style = f"<style>{_palette()}svg text {{ font-family: inherit !important; }}</style>"
    ground = '<rect width="100%" height="100%" style="fill: var(--card)"/>'
    return f"{head}>{style}{ground}{body}"


def _palette() -> str:
    """The colours of the report, which its stylesheet begins with."""
    style = (Path(__file__).parent / "templates" / "inspect.css").read_text(encoding="utf-8")
    return style.partition("* {")[0]
