"""Figures of matplotlib as svg elements in the colours and fonts of a page."""

import io
import re
import warnings
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def inline_svg(figure: "Figure", alt: str, number: int) -> Markup:
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
    body = re.sub(r' id="figure\d+-image\w+"', "", body)  # the same for images that are alike
    colours = {
        plots.INK: "ink",
        plots.MUTED: "muted",
        plots.GRID: "line",
        plots.PAPER: "on-first",
        plots.FIRST: "first",
        plots.SECOND: "second",
        plots.THIRD: "third",
    }
    for colour, name in colours.items():
        body = re.sub(rf"(?<=[:\s]){colour}\b", f"var(--{name})", body)
    label = Markup.escape(alt)
    return Markup(f'<svg role="img" aria-label="{label}" {box.group()}>{body}')
