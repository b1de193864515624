"""`textapps data`: what data sets there are, what one holds, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textapps.cli.corpora import check_corpus, show_corpus
from textapps.cli.options import Choice
from textapps.cli.tables import print_findings, print_json, print_table, short
from textapps.errors import DataError

if TYPE_CHECKING:
    from textapps.datasets.config import CorpusConfig, DataConfig
    from textapps.datasets.inspection import SplitSummary, Twin

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
_task = click.option(
    "--task",
    type=Choice("task", ("sentiment", "generate")),
    help="Read it as this task does.  [default: generate for tiny_shakespeare, else sentiment]",
)


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
      textapps data show book.txt --task generate
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
        print_json([{**one._asdict(), "directory": _text(one.directory)} for one in entries])
    else:
        print_table([[one.name, one.state, one.task, one.description] for one in entries])


@data_group.command("show")
@click.argument("source", metavar="NAME_OR_PATH")
@_task
@_columns
@_data_dir
@_json
def show_command(
    source: str,
    task: str | None,
    text_column: str | None,
    label_column: str | None,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Show rows, classes, lengths and examples of a set, or the characters of a text.

    \b
    Examples:
      textapps data show imdb_reviews
      textapps data show reviews.tsv.gz --label-column stars
      textapps data show sample --task generate
    """
    if _is_corpus(source, task):
        show_corpus(_corpus_config(source, text_column, label_column, data_dir), as_json=as_json)
        return
    from textapps.datasets.inspection import summarise

    with _other_task_named(source, task):
        name, splits = summarise(_config(source, text_column, label_column, data_dir))
    if as_json:
        print_json({"name": name, "splits": _plain(splits)})
        return
    _print_splits(name, splits)
    click.echo("\nfirst of each class in train")
    for example in splits["train"].examples:
        click.echo(f"  {short(example['label'], 30)}: {short(example['text'], 100)}")


@data_group.command("check")
@click.argument("source", metavar="PATH")
@_task
@_columns
@_data_dir
@_json
def check_command(
    source: str,
    task: str | None,
    text_column: str | None,
    label_column: str | None,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Look for bad, empty and repeated rows in a set, or odd characters in a text.

    Ends with exit code 3 where training would stop.

    \b
    Examples:
      textapps data check reviews.csv
      textapps data check books/ --task generate
    """
    if _is_corpus(source, task):
        check_corpus(_corpus_config(source, text_column, label_column, data_dir), as_json=as_json)
        return
    from textapps.datasets.inspection import check

    with _other_task_named(source, task):
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
        print_json(answer)
    else:
        _print_splits(found.name, found.splits)
        click.echo()
        print_findings("rows without text, left out", found.empty)
        print_findings("rows repeated in their split", _pairs(found.duplicates))
        print_findings("rows with the text of another class", _pairs(found.conflicts))
        for pair, twins in found.shared.items():
            print_findings(f"rows in {pair.replace('+', ' and ')}", _pairs(twins))
        print_findings("defects", [f"{place}: {message}" for place, message in found.defects])
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


def _is_corpus(source: str, task: str | None) -> bool:
    from textapps.datasets.catalogue import task_of

    return (task or task_of(source)) == "generate"


@contextmanager
def _other_task_named(source: str, task: str | None) -> Iterator[None]:
    """Adds to a DataError how to look at a text that was never meant to have labels."""
    from textapps.datasets.corpus_files import is_table

    try:
        yield
    except DataError as error:
        path = Path(source).expanduser()
        if task is not None or is_table(path) or not path.exists():
            raise
        raise DataError(f"{error}; or, for a text without labels, --task generate") from None


def _corpus_config(
    source: str, text_column: str | None, label_column: str | None, data_dir: Path | None
) -> CorpusConfig:
    from textapps.datasets.config import CorpusConfig

    if label_column is not None:
        raise click.UsageError("--label-column: a text to continue has no labels")
    return CorpusConfig(source=source, text_column=text_column, data_dir=_text(data_dir))


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
        table.append([f"  {short(label, 30)}", *cells])
    for kind in ("words", "characters"):
        for key, title in _LENGTHS.items():
            lengths = (getattr(one, kind)[key] for one in summaries)
            table.append([f"{kind}, {title}", *(f"{length:,}" for length in lengths)])
    print_table(table, numbers=True)


def _plain(splits: Mapping[str, SplitSummary]) -> dict[str, Any]:
    from dataclasses import asdict

    return {split: asdict(summary) for split, summary in splits.items()}


def _pairs(twins: Sequence[Twin]) -> list[str]:
    return [f"{twin.place} as {twin.first}" for twin in twins]


def _text(path: Path | None) -> str | None:
    return str(path) if path else None
