"""What `textapps data` prints of a text to learn to continue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from textapps.cli.tables import print_findings, print_json, print_table, short

if TYPE_CHECKING:
    from textapps.datasets.config import CorpusConfig
    from textapps.datasets.corpus.inspection import CorpusSummary


def show_corpus(config: CorpusConfig, *, as_json: bool) -> None:
    """Prints how much text and which characters each split has; DataError as in loading."""
    from dataclasses import asdict

    from textapps.datasets.corpus.inspection import summarise_corpus

    name, splits = summarise_corpus(config)
    if as_json:
        print_json({"name": name, "splits": {split: asdict(one) for split, one in splits.items()}})
        return
    _print_splits(name, splits)
    click.echo("\nbeginning of train")
    click.echo(f"  {short(splits['train'].beginning, 100)}")


def check_corpus(config: CorpusConfig, *, as_json: bool) -> None:
    """Prints the same and what looks wrong; DataError as in loading."""
    from dataclasses import asdict

    from textapps.datasets.corpus import inspection as corpus_inspection

    found = corpus_inspection.check_corpus(config)
    if as_json:
        print_json(asdict(found))
        return
    _print_splits(found.name, found.splits)
    click.echo()
    for split, summary in found.splits.items():
        if split != "train":
            print_findings(f"characters of {split} that train has not", _named(summary.new))
    for split, counts in found.odd.items():
        print_findings(f"control and replacement characters in {split}", _named(counts))
    for split, lines in found.shared.items():
        print_findings(
            f"lines of {split} that stand in train, of {corpus_inspection.LONG_LINE} characters up",
            [short(line, 100) for line in lines],
        )


def _print_splits(name: str, splits: Mapping[str, CorpusSummary]) -> None:
    """A column for each split."""
    click.echo(name)
    table = [["", *splits]]
    for key in ("characters", "lines", "documents", "distinct"):
        title = "distinct characters" if key == "distinct" else key
        table.append([title, *(f"{getattr(one, key):,}" for one in splits.values())])
    table.append(["  not in train", *(f"{len(one.new):,}" for one in splits.values())])
    print_table(table, numbers=True)


def _named(counts: Mapping[str, int]) -> list[str]:
    """`'é' U+00E9: 3` for each character."""
    return [f"{char!r} U+{ord(char):04X}: {count:,}" for char, count in counts.items()]
