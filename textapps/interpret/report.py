"""Writes the report of `inspect` as one HTML file that needs no network and no server."""

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from textapps.core.records import dump_record
from textapps.evaluation.reports.page import write_page
from textapps.evaluation.reports.svg import inline_svg
from textapps.interpret.section import Clip, Coloured, Links, Picture, Section, Table

DIGITS = 4  # significant ones, of the numbers in the JSON
KINDS: dict[type, str] = {
    Picture: "picture",
    Table: "table",
    Coloured: "coloured",
    Links: "links",
    Clip: "clip",
}


@dataclass(frozen=True, kw_only=True)
class InspectedRun:
    """What was seen of one run.

    facts: about it, by name; all runs of a report have the same names.
    """

    name: str
    facts: Mapping[str, str]
    sections: Sequence[Section]


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """Runs side by side."""

    task: str
    runs: Sequence[InspectedRun]

    @property
    def rows(self) -> Iterator[list[tuple[int, str, Section]]]:
        """The sections of each key, with the number and the name of their run."""
        keys = dict.fromkeys(section.key for run in self.runs for section in run.sections)
        for key in keys:
            yield [
                (number, run.name, section)
                for number, run in enumerate(self.runs)
                for section in run.sections
                if section.key == key
            ]


def document(inspection: Inspection) -> dict[str, Any]:
    """The numbers of a report, of types that JSON has; what is not finite is None.

    The weights of links are whole percentages of the largest of each target, as
    [index of the first source, [weight, …]], without the zeros around them.
    """
    return {
        "task": inspection.task,
        "runs": [
            {
                "run": run.name,
                "facts": dict(run.facts),
                "sections": {section.key: _numbers(section) for section in run.sections},
            }
            for run in inspection.runs
        ],
    }


def write_inspection(path: Path, inspection: Inspection) -> None:
    """Writes the report to `path` atomically. Raises OSError if the file system does."""
    numbers = iter(range(1, 1_000_000))
    filters: dict[str, Callable[..., Any]] = {
        "kind": lambda part: KINDS[type(part)],
        "painted": painted,
        "lit": lit,
        "base64": lambda raw: base64.b64encode(raw).decode(),
        "svg": lambda part: inline_svg(part.figure, part.alt, next(numbers)),
    }
    # In a script element "<" could end it.
    data = dump_record(document(inspection)).strip().replace("<", "\\u003c")
    runs = inspection.runs
    write_page(
        path,
        "textapps.interpret",
        "inspect.html.j2",
        filters,
        inspection=inspection,
        columns=["", *(run.name for run in runs)],
        facts=[(name, *(run.facts[name] for run in runs)) for name in runs[0].facts],
        data=Markup(data),
    )


def painted(part: Coloured) -> Iterator[tuple[str, str, int, str]]:
    """Of each piece: how it is shown, the class of its colour, its strength in %, and its title."""
    titles = part.titles or [f"{value:.2f}" for value in np.asarray(part.values)]
    for piece, value, title in zip(part.pieces, np.asarray(part.values), titles, strict=True):
        strength = round(100 * min(abs(float(np.nan_to_num(value))), 1.0))
        yield visible(piece), ("p" if value > 0 else "n"), strength, title


def lit(part: Links) -> list[tuple[str, int]]:
    """How each source is shown, and its strength in % for the target that is shown at first."""
    first, weights = _row(np.asarray(part.weights, np.float64)[part.shown])
    by_source = dict(enumerate(weights, first))
    return [(visible(piece), by_source.get(i, 0)) for i, piece in enumerate(part.sources)]


def visible(piece: str) -> str:
    """Line breaks and tabs with signs that one can point at.

    >>> visible("\\n")
    '↵\\n'
    """
    return piece.replace("\n", "↵\n").replace("\t", "⇥")


def plain(value: Any) -> Any:
    """A value of types that JSON has, numbers with four significant digits.

    >>> plain({"a": np.array([1.23456, np.nan]), "b": (np.int64(3), None)})
    {'a': [1.235, None], 'b': [3, None]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        if not np.isfinite(value):
            return None
        rounded = float(f"{value:.{DIGITS}g}")
        return int(rounded) if rounded.is_integer() and abs(rounded) < 1e6 else rounded
    return value


def _numbers(section: Section) -> dict[str, Any]:
    links = [_links(part) for part in section.parts if isinstance(part, Links)]
    found = {"title": section.title, "note": section.note, "data": plain(section.data)}
    return {**found, "links": links} if links else found


def _links(part: Links) -> dict[str, Any]:
    weights = np.asarray(part.weights, np.float64)
    targets = None if part.targets is None else list(part.targets)
    rows = [_row(row) for row in weights]
    return {"sources": list(part.sources), "targets": targets, "rows": rows}


def _row(weights: Any) -> tuple[int, list[int]]:
    """The first source that has a weight, and the weights from there on, in % of the largest."""
    largest = weights.max(initial=0.0)
    percent = np.zeros(len(weights), np.int64)
    if np.isfinite(largest) and largest > 0:
        percent = np.round(100 * weights / largest).astype(np.int64)
    used = np.flatnonzero(percent)
    if not len(used):
        return 0, []
    return int(used[0]), percent[used[0] : used[-1] + 1].tolist()
