"""Writes a template as one HTML file that needs no network and no server."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from textapps.core.files import write_file
from textapps.evaluation.reports.sections import cell

PACKAGE = "textapps.evaluation.reports"
TEMPLATES = Path(__file__).parent / "templates"
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def write_page(
    path: Path,
    package: str,
    template: str,
    filters: Mapping[str, Callable[..., Any]],
    **values: object,
) -> None:
    """Renders a template, which escapes the values, and writes it to `path` atomically.

    Args:
        package: that has the template. It may use `page.css` and `table.html.j2` of this package.
        filters: for the template, by name, beside `cell`.
        values: for the template, by name.

    Raises:
        OSError: the file system does.
    """
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(package), jinja2.PackageLoader(PACKAGE)]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update({"cell": cell, "kinds_of_columns": kinds_of_columns, **filters})
    write_markup(path, environment.get_template(template).render(values))


def kinds_of_columns(rows: Sequence[Sequence[str | float]]) -> defaultdict[int, str]:
    """By column "number", aligned on the right, or "words", if most cells begin with a letter.

    >>> kinds = kinds_of_columns([("gru", "91.2 %", "to its end"), ("lstm", "", "1/9")])
    >>> kinds[0], kinds[1], kinds[2]
    ('words', 'number', 'number')
    """
    kinds: defaultdict[int, str] = defaultdict(lambda: "number")
    for column, cells in enumerate(zip(*rows, strict=True)):
        texts = [str(value) for value in cells if value != ""]
        if 2 * sum(text[0].isalpha() for text in texts) > len(texts):
            kinds[column] = "words"
    return kinds


def write_markup(path: Path, text: str) -> None:
    """Writes HTML or SVG to `path` atomically; control characters, which neither may hold, go."""
    # Lone surrogates, which JSON can contain, cannot be encoded as UTF-8.
    write_file(path, CONTROL.sub("\ufffd", text).encode("utf-8", "replace"))
