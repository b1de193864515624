"""Summary and findings of sentence pairs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from textapps.datasets.config import PairsConfig
from textapps.datasets.inspection import (
    Findings,
    Lengths,
    Overview,
    Seen,
    Shared,
    Twin,
    count,
    lengths,
    lengths_of,
    short,
    summaries,
    twins,
)
from textapps.datasets.pairs import oddities
from textapps.datasets.pairs.examples import Pairs
from textapps.datasets.pairs.loader import as_pairs, load_pairs, load_rows
from textapps.datasets.pairs.sources import Pair
from textapps.datasets.source import SPLITS, Defect

EXAMPLES = 3


@dataclass(frozen=True)
class PairsSummary:
    """One split; `distinct` counts different source sentences, `examples` are the first pairs."""

    pairs: Annotated[int, count("pairs")]
    distinct: Annotated[int, count("distinct sources")]
    source_words: Annotated[Lengths, lengths("source words")]
    target_words: Annotated[Lengths, lengths("target words")]
    source_characters: Annotated[Lengths, lengths("source characters")]
    target_characters: Annotated[Lengths, lengths("target characters")]
    examples: list[dict[str, str]]
    fingerprint: str


@dataclass(frozen=True)
class PairsFindings(Findings):
    """Only `defects` stop training."""

    defects: Annotated[list[Defect], "defects"]
    duplicates: Annotated[list[Twin], "pairs repeated in their split"]
    variants: Annotated[list[Twin], "sources with another translation"]
    shared_sources: Annotated[Shared, "sources in {}"]
    shared_targets: Annotated[Shared, "targets in {}"]
    copies: Annotated[list[str], "pairs of two equal sentences"]
    odd_lengths: Annotated[list[str], "pairs of odd lengths"]
    other_scripts: Annotated[list[str], "sentences in another script than their column"]
    single_words: Annotated[list[str], "columns of single words"]
    headings: Annotated[list[str], "first pairs that read like a header"]


def summarise(config: PairsConfig) -> tuple[Overview, str, list[str]]:
    """As `Inspection` has it."""
    loaded = load_pairs(config)
    splits = dict(zip(SPLITS, map(_summary, loaded), strict=True))
    first = [
        f"{short(one['source'], 50)} → {short(one['target'], 50)}"
        for one in splits["train"].examples
    ]
    return Overview(loaded[0].name, splits), "first of train", first


def check(config: PairsConfig) -> PairsFindings:
    """As `Inspection` has it."""
    defects: list[Defect] = []
    loaded = dict(zip(SPLITS, load_rows(config, SPLITS, defects.append), strict=True))
    splits = summaries(
        loaded,
        lambda split, part: _summary(as_pairs(*part, reverse=config.reverse)),
        defects,
    )

    def seen(
        key: Callable[[Pair], str | tuple[str, ...]], label: Callable[[Pair], str] = lambda pair: ""
    ) -> dict[str, list[Seen]]:
        return {
            split: [Seen(key(pair), pair.place, label(pair)) for pair in pairs]
            for split, (_, pairs, _) in loaded.items()
        }

    duplicates, _, _ = twins(seen(lambda pair: pair[:2]))
    _, variants, sources = twins(seen(lambda pair: pair.source, lambda pair: pair.target))
    _, _, targets = twins(seen(lambda pair: pair.target))
    shared = (targets, sources) if config.reverse else (sources, targets)
    every = [pair for _, pairs, _ in loaded.values() for pair in pairs]
    first = min(every, key=lambda pair: int(pair.place.rpartition(":")[2]), default=None)
    return PairsFindings(
        loaded["train"][0],
        splits,
        defects,
        duplicates,
        variants,
        *shared,
        copies=[pair.place for pair in every if pair.source == pair.target],
        odd_lengths=oddities.odd_lengths(every),
        other_scripts=oddities.other_scripts(every),
        single_words=oddities.single_words(every),
        headings=oddities.headings([first] if first else []),
    )


def _summary(pairs: Pairs) -> PairsSummary:
    rows = list(zip(pairs.sources, pairs.targets, strict=True))
    return PairsSummary(
        pairs=len(rows),
        distinct=len(set(pairs.sources)),
        source_words=lengths_of([len(text.split()) for text in pairs.sources]),
        target_words=lengths_of([len(text.split()) for text in pairs.targets]),
        source_characters=lengths_of([len(text) for text in pairs.sources]),
        target_characters=lengths_of([len(text) for text in pairs.targets]),
        examples=[{"source": source, "target": target} for source, target in rows[:EXAMPLES]],
        fingerprint=pairs.fingerprint,
    )
