"""`textapps data`: what data sets there are, what one holds, and what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textapps.errors import DataError

if TYPE_CHECKING:
    from textapps.datasets.config import DataConfig
    from textapps.datasets.inspection import SplitSummary, Twin

_SHOWN = 5
"""Rows named for each kind of finding; --json names all."""

_LENGTHS = {
    "shortest": "shortest",
    "median": "median",
    "percent_95": "95 % up to",
    "longest": "longest",
}

_data_dir = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    help="Folder of prepared TensorFlow Datasets (TFDS_DATA_DIR, else ~/tensorflow_datasets).",
)
_json = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


def _columns(command: Callable[..., None]) -> Callable[..., None]:
    command = click.option("--label-column", help="Column of the labels.")(command)
    return click.option("--text-column", help="Column of the texts.")(command)


@click.group("data")
def data_group() -> None:
    """List, show and check data sets.

    \b
    Examples:
      textapps data list
      textapps data show sample
      textapps data check reviews.csv --text-column review --label-column stars
    """


@data_group.command("list")
@_data_dir
@_json
def list_command(data_dir: Path | None, as_json: bool) -> None:
    """List the sets that --data knows by name.

    \b
    Example:
      textapps data list --data-dir ~/tensorflow_datasets
    """
    from textapps.datasets.catalogue import catalogue
    from textapps.datasets.prepared import default_data_dir

    entries = catalogue(data_dir.expanduser() if data_dir else default_data_dir())
    if as_json:
        _print_json([{**one._asdict(), "directory": _text(one.directory)} for one in entries])
    else:
        _print_table([[one.name, one.state, one.description] for one in entries])


@data_group.command("show")
@click.argument("source", metavar="NAME_OR_PATH")
@_columns
@_data_dir
@_json
def show_command(
    source: str,
    text_column: str | None,
    label_column: str | None,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Show rows, classes, lengths and examples of a set.

    \b
    Examples:
      textapps data show imdb_reviews
      textapps data show reviews.tsv.gz --label-column stars
    """
    from textapps.datasets.inspection import summarise

    name, splits = summarise(_config(source, text_column, label_column, data_dir))
    if as_json:
        _print_json({"name": name, "splits": _plain(splits)})
        return
    _print_splits(name, splits)
    click.echo("\nfirst of each class in train")
    for example in splits["train"].examples:
        click.echo(f"  {_short(example['label'], 30)}: {_short(example['text'], 100)}")


@data_group.command("check")
@click.argument("source", metavar="PATH")
@_columns
@_data_dir
@_json
def check_command(
    source: str,
    text_column: str | None,
    label_column: str | None,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Look for bad, empty and repeated rows in a set.

    Ends with exit code 3 where training would stop.

    \b
    Example:
      textapps data check reviews.csv
    """
    from textapps.datasets.inspection import check

    found = check(_config(source, text_column, label_column, data_dir))
    if as_json:
        answer = {
            "name": found.name,
            "splits": _plain(found.splits),
            "defects": [defect._asdict() for defect in found.defects],
            "empty": found.empty,
            "duplicates": [twin._asdict() for twin in found.duplicates],
            "conflicts": [twin._asdict() for twin in found.conflicts],
            "shared": {
                pair: [twin._asdict() for twin in twins] for pair, twins in found.shared.items()
            },
        }
        _print_json(answer)
    else:
        _print_splits(found.name, found.splits)
        click.echo()
        _print_findings("rows without text, left out", found.empty)
        _print_findings("rows repeated in their split", _pairs(found.duplicates))
        _print_findings("rows with the text of another class", _pairs(found.conflicts))
        for pair, twins in found.shared.items():
            _print_findings(f"rows in {pair.replace('+', ' and ')}", _pairs(twins))
        _print_findings("defects", [f"{place}: {message}" for place, message in found.defects])
    if found.defects:
        place, message = found.defects[0]
        count = f"{len(found.defects):,} " + ("defect" if len(found.defects) == 1 else "defects")
        raise DataError(f"{found.name} has {count} that stop training: {place}: {message}")


def _config(
    source: str, text_column: str | None, label_column: str | None, data_dir: Path | None
) -> DataConfig:
    from textapps.datasets.config import DataConfig

    return DataConfig(
        source=source,
        text_column=text_column,
        label_column=label_column,
        data_dir=_text(data_dir),
    )


def _print_splits(name: str, splits: Mapping[str, SplitSummary]) -> None:
    """A column for each split."""
    summaries = list(splits.values())
    click.echo(name)
    if not summaries:
        return
    table = [["", *splits], ["rows", *(f"{one.rows:,}" for one in summaries)]]
    for label in summaries[0].classes:
        shares = (f"{one.classes[label] / one.rows:.1%}" for one in summaries)
        counts = (f"{one.classes[label]:,}" for one in summaries)
        cells = [f"{count} ({share})" for count, share in zip(counts, shares, strict=True)]
        table.append([f"  {_short(label, 30)}", *cells])
    for kind in ("words", "characters"):
        for key, title in _LENGTHS.items():
            lengths = (getattr(one, kind)[key] for one in summaries)
            table.append([f"{kind}, {title}", *(f"{length:,}" for length in lengths)])
    _print_table(table, numbers=True)


def _print_findings(title: str, places: Sequence[str]) -> None:
    click.echo(f"{title}: {len(places):,}")
    for place in places[:_SHOWN]:
        click.echo(f"  {place}")
    if len(places) > _SHOWN:
        click.echo(f"  … and {len(places) - _SHOWN:,} more")


def _print_table(rows: Sequence[Sequence[str]], *, numbers: bool = False) -> None:
    """Columns two spaces apart; with `numbers` all but the first are flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.rjust(width) if numbers and place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _plain(splits: Mapping[str, SplitSummary]) -> dict[str, Any]:
    from dataclasses import asdict

    return {split: asdict(summary) for split, summary in splits.items()}


def _pairs(twins: Sequence[Twin]) -> list[str]:
    return [f"{twin.place} as {twin.first}" for twin in twins]


def _short(text: str, length: int) -> str:
    """One line of printable characters: a text may hold what moves a terminal's cursor."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * length]).split())
    return line if len(line) <= length else f"{line[: length - 1]}…"


def _text(path: Path | None) -> str | None:
    return str(path) if path else None
