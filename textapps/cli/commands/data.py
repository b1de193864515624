"""`textapps data`: what data sets there are, what one holds, and what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textapps.cli.options import Choice
from textapps.core.counted import counted
from textapps.core.errors import DataError, RunError
from textapps.core.names import TASKS

if TYPE_CHECKING:
    from textapps.datasets.inspection import Inspection, Overview

# As textapps.datasets.kinds has them; that module is too slow to import for a --help.
_COLUMNS = {
    "text_column": "Column of the texts.",
    "label_column": "Column of the labels.",
    "source_column": "Column of the sentences to translate.",
    "target_column": "Column of the translations.",
    "target_file": "Translations of the file of sentences, line by line.",
    "encoding": "Encoding of text files, such as cp1252.",
    "delimiter": "What separates the cells of CSV and TSV, such as ';' or 'tab'.",
    "sheet": "Sheet of an Excel workbook.",
    "commands": "Spoken words to tell apart, such as yes,no; others are unknown.",
}
_SHOWN = 5
"""Rows named for each kind of finding; --json names all."""

_data_dir = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    help="Folder of prepared TensorFlow Datasets (TFDS_DATA_DIR, else ~/tensorflow_datasets).",
)
_json = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
_task = click.option(
    "--task",
    type=Choice("task", TASKS),
    help="Read it as this task does.  [default: the task of a well-known set, translate with an "
    "option of pairs, speech with --commands, else sentiment]",
)


def _columns(command: Callable[..., None]) -> Callable[..., None]:
    """All options of kinds of example, as `**columns`."""
    for name, text in reversed(_COLUMNS.items()):
        command = click.option(f"--{name.replace('_', '-')}", help=text)(command)
    return command


@click.group("data")
def data_group() -> None:
    """List, show and check data sets.

    \b
    Examples:
      textapps data list
      textapps data show sample
      textapps data check reviews.csv --text-column review --label-column stars
      textapps data show book.txt --task generate
      textapps data check pairs.tsv.gz --task translate
      textapps data check clips/ --task speech
      textapps data cache --clear
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
        _print_table([[one.name, one.state, one.task, one.description] for one in entries])


@data_group.command("show")
@click.argument("source", metavar="NAME_OR_PATH")
@_task
@_columns
@_data_dir
@_json
def show_command(
    source: str, task: str | None, data_dir: Path | None, as_json: bool, **columns: str | None
) -> None:
    """Show what a set holds: rows, classes and lengths, characters, pairs, or recordings.

    \b
    Examples:
      textapps data show imdb_reviews
      textapps data show reviews.tsv.gz --label-column stars
      textapps data show sample --task generate
      textapps data show train.en --target-file train.de
      textapps data show speech_commands --commands yes,no
    """
    with _inspected(source, task, data_dir, columns) as inspection:
        overview, title, examples = inspection.summarise()
    if as_json:
        _print_json(_plain(overview))
        return
    _print_overview(overview)
    if examples:
        click.echo("\n".join(["", title, *(f"  {line}" for line in examples)]))


@data_group.command("check")
@click.argument("source", metavar="PATH")
@_task
@_columns
@_data_dir
@_json
def check_command(
    source: str, task: str | None, data_dir: Path | None, as_json: bool, **columns: str | None
) -> None:
    """Look for bad, empty and repeated rows, pairs or recordings, or odd characters in a text.

    Ends with exit code 3 where training would stop.

    \b
    Examples:
      textapps data check reviews.csv
      textapps data check books/ --task generate
      textapps data check pairs.csv --source-column en --target-column de
      textapps data check clips/ --task speech --commands yes,no
    """
    with _inspected(source, task, data_dir, columns) as inspection:
        findings = inspection.check()
    if as_json:
        _print_json(_plain(findings))
    else:
        _print_overview(findings)
        click.echo()
        for title, found in findings.found():
            _print_findings(title, found)
    if stops := findings.stops:
        stop = "stops" if len(stops) == 1 else "stop"
        count = counted(len(stops), "defect")
        raise DataError(f"{findings.name} has {count} that {stop} training: {stops[0]}")


@data_group.command("cache")
@click.option("--clear", is_flag=True, help="Remove everything that no process is writing.")
@_json
def cache_command(clear: bool, as_json: bool) -> None:
    """List what is kept of large data: texts, token ids and n-grams, which training made once.

    The least recently used are removed when all together are larger than TEXTAPPS_CACHE_GB
    (default 50). They are in TEXTAPPS_CACHE_DIR, else in XDG_CACHE_HOME, else in ~/.cache/textapps.

    \b
    Examples:
      textapps data cache
      textapps data cache --clear
    """
    from datetime import datetime

    from textapps.cache.place import CACHE_VARIABLE, limit_bytes
    from textapps.cache.store import Cache

    cache, limit = Cache(), limit_bytes()
    if clear:
        try:
            click.echo(f"removed {_megabytes(cache.clear())} from {cache.root}", err=True)
        except OSError as error:
            raise RunError(
                f"{cache.root} cannot be cleared ({error.strerror}): make it writable, or name "
                f"another folder by {CACHE_VARIABLE}"
            ) from error
    entries = cache.entries()
    total = sum(entry.size_bytes for entry in entries)
    if as_json:
        listed = [entry._asdict() for entry in entries]
        _print_json({"directory": str(cache.root), "limit_bytes": limit, "entries": listed})
        return
    click.echo(f"{cache.root}: {_megabytes(total)} of at most {_megabytes(limit)}")
    if entries:
        rows = [
            [
                _megabytes(one.size_bytes),
                f"{datetime.fromtimestamp(one.used):%Y-%m-%d %H:%M}",
                one.of,
            ]
            for one in entries
        ]
        _print_table([["size", "last used", "of"], *rows])


def _megabytes(size_bytes: int) -> str:
    """At least 0.1 for what is not empty."""
    return f"{max(size_bytes / 1e6, 0.1 * (size_bytes > 0)):,.1f} MB"


@contextmanager
def _inspected(
    source: str, task: str | None, data_dir: Path | None, columns: Mapping[str, str | None]
) -> Iterator[Inspection]:
    """What looks at a source as the task does that it is for."""
    from textapps.datasets.catalogue import task_of
    from textapps.datasets.formats.registry import is_table
    from textapps.datasets.kinds import KINDS

    given = {name: value for name, value in columns.items() if value is not None}
    fitting = (name for name, one in KINDS.items() if given.keys() <= one.options)
    chosen = task or task_of(source) or next(fitting, "sentiment")
    kind = KINDS[chosen]
    if other := sorted(given.keys() - kind.options):
        raise click.UsageError(f"--{other[0].replace('_', '-')}: {kind.refusal}")
    try:
        yield kind.inspect({"source": source, "data_dir": _text(data_dir), **given})
    except DataError as error:
        path = Path(source).expanduser()
        if task or chosen != "sentiment" or is_table(path) or not path.exists():
            raise
        # It may never have been meant to have labels.
        raise DataError(f"{error}; or, for a text without labels, --task generate") from None


def _print_overview(overview: Overview) -> None:
    """The name, and a column for each split."""
    click.echo(overview.name)
    _print_table(overview.table(), numbers=True)


def _print_findings(title: str, found: Sequence[object]) -> None:
    """How many there are, and the first of them."""
    click.echo(f"{title}: {len(found):,}")
    for one in found[:_SHOWN]:
        click.echo(f"  {one}")
    if len(found) > _SHOWN:
        click.echo(f"  … and {len(found) - _SHOWN:,} more")


def _print_table(rows: Sequence[Sequence[str]], *, numbers: bool = False) -> None:
    """Columns two spaces apart; with `numbers` all but the first are flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.rjust(width) if numbers and place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())


def _print_json(value: object) -> None:
    """Indented, and not escaped beyond need."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _plain(value: Any) -> Any:
    """Fields of dataclasses and named tuples as dictionaries, all the way down."""
    from dataclasses import fields, is_dataclass

    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return value._asdict()
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _text(path: Path | None) -> str | None:
    return str(path) if path else None
