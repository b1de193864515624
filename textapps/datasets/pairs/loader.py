"""Loading sentence pairs."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from textapps.core.part import Part
from textapps.datasets.config import PairsConfig
from textapps.datasets.pairs.examples import Pairs
from textapps.datasets.pairs.sources import Pair, PairSource, ParallelFiles, open_pairs
from textapps.datasets.source import SPLITS, Report, Skipped, stop
from textapps.datasets.splits import Splitter, carve, nothing_for


def load_pairs(
    config: PairsConfig, splits: Sequence[str | None] = SPLITS, report: Report = stop
) -> list[Pairs]:
    """Load splits.

    A source's own splits are used. Missing splits are carved by the hash of the source sentence,
    80/10/10, so that all translations of a sentence stay together; `reverse` swaps the sides after
    that. `validation_source` and `test_source` replace a split. `all` is the whole source, and None
    the part of it that `Splitter.to_evaluate` chooses. DataError if data are missing or
    empty, or if a pair lacks a side.
    """
    skipped = Skipped()
    if config.skip_bad and report is stop:
        report = skipped
    loaded = load_rows(config, splits, report)
    skipped.warn(config.source_file or config.source)
    return [as_pairs(*rows, reverse=config.reverse) for rows in loaded]


def as_pairs(name: str, rows: Sequence[Pair], part: Part, *, reverse: bool = False) -> Pairs:
    """The pairs of a split, one side apart from the other; DataError if there are none."""
    if not rows:
        raise nothing_for(part.split, name, "pairs")
    source, target = tuple(row.source for row in rows), tuple(row.target for row in rows)
    return Pairs(name, target, source, part) if reverse else Pairs(name, source, target, part)


def load_rows(
    config: PairsConfig, splits: Sequence[str | None] = SPLITS, report: Report = stop
) -> list[tuple[str, Sequence[Pair], Part]]:
    """The name of the source, the pairs of each split before `reverse`, and which part they are.

    A split may be empty; errors as in `load_pairs`.
    """

    whole = stop if config.skip_bad else report  # line n must stay line n
    other = partial(open_pairs, config=config, report=report)

    def main() -> PairSource:
        if config.source_file and config.target_file:
            source, target = Path(config.source_file), Path(config.target_file)
            return ParallelFiles(source.expanduser(), target.expanduser(), whole, config.encoding)
        return other(config.source)

    carved = partial(carve, key=lambda pair: pair.source)
    splitter: Splitter[Pair] = Splitter(main, config, other, carved)
    loaded = []
    for split in map(splitter.to_evaluate, splits):
        name, rows = splitter.examples(split)
        loaded.append((name, rows, splitter.part(split, len(rows))))
    return loaded
