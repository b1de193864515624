"""What `textapps data` prints of recordings of spoken words."""

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
    from textapps.datasets.clips.inspection import ClipsSummary
    from textapps.datasets.config import ClipsConfig


def show_clips(config: ClipsConfig, *, as_json: bool) -> None:
    """Prints the classes, rates and durations of each split; DataError as in loading."""
    from dataclasses import asdict

    from textapps.datasets.clips.inspection import summarise_clips

    name, splits = summarise_clips(config)
    if as_json:
        print_json({"name": name, "splits": {split: asdict(one) for split, one in splits.items()}})
    else:
        _print_splits(name, splits)


def check_clips(config: ClipsConfig, *, as_json: bool) -> None:
    """Prints the same and what looks wrong; DataError where training would stop."""
    from dataclasses import asdict

    from textapps.datasets.clips import inspection as clips_inspection

    found = clips_inspection.check_clips(config)
    if as_json:
        print_json(
            {
                "name": found.name,
                "splits": {split: asdict(one) for split, one in found.splits.items()},
                "defects": [defect._asdict() for defect in found.defects],
                "still": found.still,
                "duplicates": [twin._asdict() for twin in found.duplicates],
                "shared": plain_twins(found.shared),
                "shared_speakers": found.shared_speakers,
                "scarce": found.scarce,
            }
        )
    else:
        _print_splits(found.name, found.splits)
        click.echo()
        print_findings("clips of nothing but zeros", found.still)
        print_twins("clips repeated in their split", found.duplicates)
        for splits, twins in found.shared.items():
            print_twins(f"clips in {splits.replace('+', ' and ')}", twins)
        for splits, speakers in found.shared_speakers.items():
            print_findings(f"speakers in {splits.replace('+', ' and ')}", speakers)
        print_findings("classes of fewer than two clips", found.scarce)
        print_findings("defects", [f"{place}: {message}" for place, message in found.defects])
    refuse(found.name, found.defects)


def _print_splits(name: str, splits: Mapping[str, ClipsSummary]) -> None:
    """A column for each split."""
    click.echo(name)
    if not splits:
        return
    summaries = list(splits.values())
    table = [["", *splits], ["clips", *(f"{one.clips:,}" for one in summaries)]]
    for label in summaries[0].classes:
        cells = (
            f"{one.classes[label]:,} ({one.classes[label] / one.clips:.1%})" for one in summaries
        )
        table.append([f"  {short(label, 30)}", *cells])
    table.append(["other words left out", *(f"{one.left_out:,}" for one in summaries)])
    table.append(["speakers known", *(f"{one.speakers:,}" for one in summaries)])
    for rate_hz in sorted({rate for one in summaries for rate in one.rates_hz}):
        counts = (f"{one.rates_hz.get(rate_hz, 0):,}" for one in summaries)
        table.append([f"of {rate_hz:,} Hz", *counts])
    table += length_rows("milliseconds", [one.milliseconds for one in summaries])
    print_table(table, numbers=True)
