"""Renders docs/results.md from docs/results/*.json, as page.toml says.

Texts and cells of tables are templates: `{metrics.accuracy:pct}` is a figure by its path and how it
is written, `{a|b}` is the first of two that is there, and `@key` in a path stands for the row's own
key. A cell without one of its figures is empty.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from benchmarks.benchmark import Table, load
from benchmarks.results import Figures, Results
from benchmarks.suites.accuracy import Accuracy

ABSENT = "not measured"
PLACEHOLDER = re.compile(r"\{([^{}:]+):?([^{}]*)\}")


class Row(Table):
    """A row that is a result, or what stands at a path in it; `cells` replace the columns'."""

    label: str
    result: str
    at: str = ""
    cells: tuple[str, ...] | None = None
    optional: bool = False


class Block(Table):
    """A heading, a text, figures of a result, and a table; most blocks have some of them.

    Args:
        result: what `figures` and `each` are of; where it is missing the block says so.
        suite: rows are the cases of this benchmark.
        each: rows are what stands at this path in the result, one for each key or place.
        label: a template of what rows of `each` are called.
        labels: what those of some keys are called instead.
        measured_only: rows of missing results are left out.
        columns: heading and template of each column but the first.
        static: rows as they are.
    """

    heading: str | None = None
    text: str | None = None
    result: str | None = None
    figures: str | None = None
    suite: str | None = None
    rows: tuple[Row, ...] = ()
    each: str | None = None
    label: str = "{key}"
    labels: Mapping[str, str] = Field({})
    measured_only: bool = False
    first: str = ""
    columns: tuple[tuple[str, str], ...] = ()
    static: tuple[tuple[str, ...], ...] = ()

    def render(self, results: Results) -> Iterator[str]:
        yield from filter(None, (self.heading, self.text))
        result = results.read(self.result) if self.result else None
        if self.result and result is None:
            yield f"{ABSENT.capitalize()}."
            return
        if self.figures and result:
            yield filled(self.figures, result)
        rows = [self.cells(*row) for row in self.labelled(results, result)]
        if self.columns:
            heading = (self.first, *(heading for heading, _ in self.columns))
            yield table((heading, ("---",) * len(heading), *rows, *self.static))

    def labelled(self, results: Results, result: Figures | None) -> Iterator[tuple[str, Any, Any]]:
        """Label, figures and own cells of the rows."""
        rows = list(self.rows)
        if self.suite:
            suite = load(self.suite)
            assert isinstance(suite, Accuracy)
            cases = [Row(label=suite.label_of(c), result=suite.result_of(c)) for c in suite.table()]
            rows = cases + rows
        for row in rows:
            found = results.read(row.result)
            if found or not (self.measured_only or row.optional):
                yield filled(row.label, found or {}), found and at(found, row.at), row.cells
        if self.each:
            parts = at(result, self.each)
            for key, part in parts.items() if isinstance(parts, Mapping) else enumerate(parts):
                own = part if isinstance(part, dict) else {"value": part}
                scope = {**own, "key": key, "result": result}
                yield filled(self.labels.get(str(key), self.label), scope), scope, None

    def cells(self, label: str, scope: Any, own: tuple[str, ...] | None) -> tuple[str, ...]:
        """A row of the table; the first figure of a missing result says so."""
        templates = [template for _, template in self.columns] if own is None else own
        found = [ABSENT] if scope is None else [filled(template, scope) for template in templates]
        return (label, *found, *[""] * (len(self.columns) - len(found)))


def at(scope: Any, path: str) -> Any:
    """What stands at a path of keys, None if nothing does."""
    found = scope
    for key in path.split(".") if path else ():
        key = str(scope["key"]) if key == "@key" else key
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def filled(template: str, scope: Any) -> str:
    """A template with its figures, "" if one of them is missing."""
    missing = False

    def figure(match: re.Match[str]) -> str:
        nonlocal missing
        values = [at(scope, path) for path in match[1].split("|")]
        value = next((each for each in values if each is not None), None)
        missing |= value is None
        return "" if value is None else written(value, match[2])

    text = PLACEHOLDER.sub(figure, template)
    return "" if missing else text


def written(value: Any, form: str = "") -> str:
    """A figure as text.

    >>> written(0.12345, "pct"), written([1.5, 2], ".0f"), written({"200": 7}, ","), written(True)
    ('12.35', '2, 2', '200: 7', 'yes')
    """
    if isinstance(value, list):
        # Of a training that was resumed, nobody knows the time.
        return ", ".join(written(each, form) for each in value if each is not None)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {written(each, form)}" for key, each in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    if form in ("pct", "points"):
        return format(100 * value, "+.2f" if form == "points" else ".2f")
    if form == "p" and value < 1e-4:
        return "< 0.0001"
    return format(value, ".4f" if form == "p" else form).replace("%", " %")


def table(rows: Iterator[tuple[str, ...]] | tuple[tuple[str, ...], ...]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def provenance(results: Results) -> str:
    rows = [("figure", "command", "machine", "versions", "date"), ("---",) * 5]
    for name in results.names():
        result = results.read(name) or {}
        at = result["machine"]
        cores = f"{at['cores']} core{'s' if at['cores'] > 1 else ''}, {at['system']}"
        versions = f"TensorFlow {at['tensorflow']}, Keras {at['keras']}"
        command = f"`{result['command']}`"
        rows.append((f"[{name}](results/{name}.json)", command, cores, versions, at["date"]))
    return table(tuple(rows))


def render(results: Results) -> str:
    page = tomllib.loads(Path(__file__).with_name("page.toml").read_text(encoding="utf-8"))
    blocks = [Block.model_validate(block) for block in page["block"]]
    parts = [part for block in blocks for part in block.render(results)]
    return "\n\n".join([*parts, provenance(results), page["end"].strip()]) + "\n"


def write(results: Results) -> Path:
    """Replaces the page beside the folder of results; returns its path."""
    path = results.folder.parent / "results.md"
    path.write_text(render(results), encoding="utf-8")
    return path
