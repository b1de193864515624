"""Findings and figures of data sets on a terminal."""

import json
from collections.abc import Sequence
from typing import Any

import click

_SHOWN = 5
"""Rows named for each kind of finding; --json names all."""


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


def short(text: str, length: int) -> str:
    """One line of printable characters: a text may hold what moves a terminal's cursor."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * length]).split())
    return line if len(line) <= length else f"{line[: length - 1]}…"
