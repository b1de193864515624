"""What `textapps data` prints of sentence pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

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

if TYPE_CHECKING:
    from textapps.datasets.config import PairsConfig
    from textapps.datasets.pairs.inspection import PairsSummary


def show_pairs(config: PairsConfig, *, as_json: bool) -> None:
    """Prints how many pairs each split has and how long they are; DataError as in loading."""
    from dataclasses import asdict

    from textapps.datasets.pairs.inspection import summarise_pairs

    name, splits = summarise_pairs(config)
    if as_json:
        print_json({"name": name, "splits": {split: asdict(one) for split, one in splits.items()}})
        return
    _print_splits(name, splits)
    click.echo("\nfirst of train")
    for example in splits["train"].examples:
        click.echo(f"  {short(example['source'], 50)} → {short(example['target'], 50)}")


def check_pairs(config: PairsConfig, *, as_json: bool) -> None:
    """Prints the same and what looks wrong; DataError where training would stop."""
    from dataclasses import asdict

    from textapps.datasets.pairs import inspection as pairs_inspection

    found = pairs_inspection.check_pairs(config)
    if as_json:
        print_json(
            {
                "name": found.name,
                "splits": {split: asdict(one) for split, one in found.splits.items()},
                "defects": [defect._asdict() for defect in found.defects],
                "duplicates": [twin._asdict() for twin in found.duplicates],
                "variants": [twin._asdict() for twin in found.variants],
                "shared_sources": plain_twins(found.shared_sources),
                "shared_targets": plain_twins(found.shared_targets),
            }
        )
    else:
        _print_splits(found.name, found.splits)
        click.echo()
        print_twins("pairs repeated in their split", found.duplicates)
        print_twins("sources with another translation", found.variants)
        for side, shared in (("sources", found.shared_sources), ("targets", found.shared_targets)):
            for splits, twins in shared.items():
                print_twins(f"{side} in {splits.replace('+', ' and ')}", twins)
        print_findings("defects", [f"{place}: {message}" for place, message in found.defects])
    refuse(found.name, found.defects)


def _print_splits(name: str, splits: Mapping[str, PairsSummary]) -> None:
    """A column for each split."""
    click.echo(name)
    if not splits:
        return
    summaries = list(splits.values())
    table = [["", *splits], ["pairs", *(f"{one.pairs:,}" for one in summaries)]]
    table.append(["distinct sources", *(f"{one.distinct:,}" for one in summaries)])
    for kind in ("source words", "target words", "source characters", "target characters"):
        lengths = [getattr(one, kind.replace(" ", "_")) for one in summaries]
        table += length_rows(kind, lengths)
    print_table(table, numbers=True)
