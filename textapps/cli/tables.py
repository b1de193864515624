"""Findings and figures of data sets on a terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from textapps.core.errors import DataError

if TYPE_CHECKING:
    from textapps.datasets.source import Defect
    from textapps.datasets.texts.inspection import Lengths, Twin

_SHOWN = 5
"""Rows named for each kind of finding; --json names all."""

_LENGTHS = {
    "shortest": "shortest",
    "median": "median",
    "percent_95": "95 % up to",
    "longest": "longest",
}


def print_json(value: Any) -> None:
    """Indented, and not escaped beyond need."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_findings(title: str, findings: Sequence[str]) -> None:
    """How many there are, and the first of them."""
    click.echo(f"{title}: {len(findings):,}")
    for finding in findings[:_SHOWN]:
        click.echo(f"  {finding}")
    if len(findings) > _SHOWN:
        click.echo(f"  … and {len(findings) - _SHOWN:,} more")


def print_table(rows: Sequence[Sequence[str]], *, numbers: bool = False) -> None:
    """Columns two spaces apart; with `numbers` all but the first are flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.rjust(width) if numbers and place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())


def length_rows(kind: str, lengths: Sequence[Lengths]) -> list[list[str]]:
    """A row for the shortest, the median and so on, with a cell for each split."""
    return [
        [f"{kind}, {title}", *(f"{one[key]:,}" for one in lengths)]
        for key, title in _LENGTHS.items()
    ]


def print_twins(title: str, twins: Sequence[Twin]) -> None:
    """`print_findings` of rows that stand elsewhere too."""
    print_findings(title, [f"{twin.place} as {twin.first}" for twin in twins])


def plain_twins(shared: Mapping[str, Sequence[Twin]]) -> dict[str, list[dict[str, str]]]:
    """The same for JSON, by the splits that share them."""
    return {splits: [twin._asdict() for twin in twins] for splits, twins in shared.items()}


def refuse(name: str, defects: Sequence[Defect]) -> None:
    """DataError where there is anything that stops a training."""
    if defects:
        place, message = defects[0]
        count = f"{len(defects):,} " + ("defect" if len(defects) == 1 else "defects")
        raise DataError(f"{name} has {count} that stop training: {place}: {message}")


def short(text: str, length: int) -> str:
    """One line of printable characters: a text may hold what moves a terminal's cursor."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * length]).split())
    return line if len(line) <= length else f"{line[: length - 1]}…"
