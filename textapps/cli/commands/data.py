"""`textapps data`: what data sets there are, what one holds, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textapps.cli.clip_sets import check_clips, show_clips
from textapps.cli.corpora import check_corpus, show_corpus
from textapps.cli.options import Choice
from textapps.cli.pair_sets import check_pairs, show_pairs
from textapps.cli.tables import (
    length_rows,
    plain_twins,
    print_findings,
    print_json,
    print_table,
    print_twins,
    refuse,
    short,
)
from textapps.core.errors import DataError

if TYPE_CHECKING:
    from textapps.datasets.config import ClipsConfig, CorpusConfig, DataConfig, PairsConfig
    from textapps.datasets.texts.inspection import SplitSummary

TASKS = ("sentiment", "generate", "translate", "speech")
# Which of the options a task reads, and what the others are refused with.
_READS = {
    "sentiment": ({"text_column", "label_column"}, "labelled texts are no pairs and no recordings"),
    "generate": ({"text_column"}, "a text to continue has no labels and no pairs"),
    "translate": (
        {"source_column", "target_column", "target_file"},
        "pairs have --source-column and --target-column",
    ),
    "speech": ({"commands"}, "recordings have only --commands"),
}

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
    """All that `_READS` names, as `**columns`."""
    for name, text in (
        ("--commands", "Spoken words to tell apart, such as yes,no; others are unknown."),
        ("--target-file", "Translations of the file of sentences, line by line."),
        ("--target-column", "Column of the translations."),
        ("--source-column", "Column of the sentences to translate."),
        ("--label-column", "Column of the labels."),
        ("--text-column", "Column of the texts."),
    ):
        command = click.option(name, help=text)(command)
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
    from textapps.datasets.config import ClipsConfig, CorpusConfig, PairsConfig

    config = _config(source, task, data_dir, columns)
    if isinstance(config, CorpusConfig):
        show_corpus(config, as_json=as_json)
        return
    if isinstance(config, PairsConfig):
        show_pairs(config, as_json=as_json)
        return
    if isinstance(config, ClipsConfig):
        show_clips(config, as_json=as_json)
        return
    from textapps.datasets.texts.inspection import summarise

    with _other_task_named(source, task):
        name, splits = summarise(config)
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
    from textapps.datasets.config import ClipsConfig, CorpusConfig, PairsConfig

    config = _config(source, task, data_dir, columns)
    if isinstance(config, CorpusConfig):
        check_corpus(config, as_json=as_json)
        return
    if isinstance(config, PairsConfig):
        check_pairs(config, as_json=as_json)
        return
    if isinstance(config, ClipsConfig):
        check_clips(config, as_json=as_json)
        return
    from textapps.datasets.texts.inspection import check

    with _other_task_named(source, task):
        found = check(config)
    if as_json:
        answer = {
            "name": found.name,
            "splits": _plain(found.splits),
            "defects": [defect._asdict() for defect in found.defects],
            "empty": found.empty,
            "duplicates": [twin._asdict() for twin in found.duplicates],
            "conflicts": [twin._asdict() for twin in found.conflicts],
            "shared": plain_twins(found.shared),
        }
        print_json(answer)
    else:
        _print_splits(found.name, found.splits)
        click.echo()
        print_findings("rows without text, left out", found.empty)
        print_twins("rows repeated in their split", found.duplicates)
        print_twins("rows with the text of another class", found.conflicts)
        for splits, twins in found.shared.items():
            print_twins(f"rows in {splits.replace('+', ' and ')}", twins)
        print_findings("defects", [f"{place}: {message}" for place, message in found.defects])
    refuse(found.name, found.defects)


def _config(
    source: str, task: str | None, data_dir: Path | None, columns: Mapping[str, str | None]
) -> DataConfig | CorpusConfig | PairsConfig | ClipsConfig:
    """The [data] section of the task that the source is to be read for."""
    from textapps.core.config import resolve
    from textapps.datasets.catalogue import task_of
    from textapps.datasets.config import ClipsConfig, CorpusConfig, DataConfig, PairsConfig

    given = {name: value for name, value in columns.items() if value is not None}
    if task is None:
        hinted = (name for name in ("translate", "speech") if given.keys() & _READS[name][0])
        task = task_of(source) or next(hinted, "sentiment")
    known, why = _READS[task]
    if other := sorted(given.keys() - known):
        raise click.UsageError(f"--{other[0].replace('_', '-')}: {why}")
    values: dict[str, object] = {"source": source, "data_dir": _text(data_dir), **given}
    if "target_file" in given:
        values["source_file"] = values.pop("source")
    if task == "sentiment":
        return resolve(DataConfig, flags=values)
    if task == "generate":
        return resolve(CorpusConfig, flags=values)
    if task == "speech":
        return resolve(ClipsConfig, flags=values)
    return resolve(PairsConfig, flags=values)


@contextmanager
def _other_task_named(source: str, task: str | None) -> Iterator[None]:
    """Adds to a DataError how to look at a text that was never meant to have labels."""
    from textapps.datasets.corpus.files import is_table

    try:
        yield
    except DataError as error:
        path = Path(source).expanduser()
        if task is not None or is_table(path) or not path.exists():
            raise
        raise DataError(f"{error}; or, for a text without labels, --task generate") from None


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
        table += length_rows(kind, [getattr(one, kind) for one in summaries])
    print_table(table, numbers=True)


def _plain(splits: Mapping[str, SplitSummary]) -> dict[str, Any]:
    from dataclasses import asdict

    return {split: asdict(summary) for split, summary in splits.items()}


def _text(path: Path | None) -> str | None:
    return str(path) if path else None
