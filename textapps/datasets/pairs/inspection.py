"""What a set of sentence pairs holds, and what looks wrong with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textapps.core.errors import DataError
from textapps.datasets.config import PairsConfig
from textapps.datasets.pairs.files import Pair
from textapps.datasets.pairs.pairs import Pairs, as_pairs, load_pairs, load_rows
from textapps.datasets.source import SPLITS, Defect, Row
from textapps.datasets.texts.inspection import Lengths, Twin, lengths_of, twins

EXAMPLES = 3


@dataclass(frozen=True)
class PairsSummary:
    """How many pairs there are, and how long the sentences of either side.

    distinct: different source sentences
    examples: the first pairs
    """

    pairs: int
    distinct: int
    source_words: Lengths
    target_words: Lengths
    source_characters: Lengths
    target_characters: Lengths
    examples: list[dict[str, str]]
    fingerprint: str


@dataclass(frozen=True)
class PairsFindings:
    """All that `check_pairs` finds; only `defects` stop a training.

    duplicates: pairs that stand earlier in their own split
    variants: pairs whose source stands earlier, in any split, with another translation
    shared_sources: pairs whose source stands in an earlier split, by "train+test" and the like
    shared_targets: the same of translations
    """

    name: str
    splits: dict[str, PairsSummary]
    defects: list[Defect]
    duplicates: list[Twin]
    variants: list[Twin]
    shared_sources: dict[str, list[Twin]]
    shared_targets: dict[str, list[Twin]]


def summarise_pairs(config: PairsConfig) -> tuple[str, dict[str, PairsSummary]]:
    """The name of a set and its splits; DataError as in loading."""
    loaded = load_pairs(config, SPLITS)
    summaries = {split: _summary(pairs) for split, pairs in zip(SPLITS, loaded, strict=True)}
    return loaded[0].name, summaries


def check_pairs(config: PairsConfig) -> PairsFindings:
    """Reads everything, past bad rows; DataError only where nothing can be read."""
    defects: list[Defect] = []
    loaded = load_rows(config, SPLITS, defects.append)
    parts = {split: rows for split, (_, rows) in zip(SPLITS, loaded, strict=True)}
    splits = {}
    for split, (name, rows) in zip(SPLITS, loaded, strict=True):
        try:
            splits[split] = _summary(as_pairs(name, split, rows, reverse=config.reverse))
        except DataError as error:
            defects.append(Defect(split, str(error)))
    # a tab, which no sentence holds
    duplicates, _, _ = _twins(parts, lambda pair: f"{pair.source}\t{pair.target}")
    _, variants, sources = _twins(parts, lambda pair: pair.source, lambda pair: pair.target)
    _, _, targets = _twins(parts, lambda pair: pair.target)
    shared = (targets, sources) if config.reverse else (sources, targets)
    return PairsFindings(loaded[0][0], splits, defects, duplicates, variants, *shared)


def _summary(pairs: Pairs) -> PairsSummary:
    rows = list(zip(pairs.sources, pairs.targets, strict=True))
    return PairsSummary(
        pairs=len(rows),
        distinct=len(set(pairs.sources)),
        source_words=_words(pairs.sources),
        target_words=_words(pairs.targets),
        source_characters=lengths_of([len(text) for text in pairs.sources]),
        target_characters=lengths_of([len(text) for text in pairs.targets]),
        examples=[{"source": source, "target": target} for source, target in rows[:EXAMPLES]],
        fingerprint=pairs.fingerprint,
    )


def _words(texts: Sequence[str]) -> Lengths:
    return lengths_of([len(text.split()) for text in texts])


def _twins(
    parts: dict[str, list[Pair]],
    text: Callable[[Pair], str],
    label: Callable[[Pair], str] = lambda pair: "",
) -> tuple[list[Twin], list[Twin], dict[str, list[Twin]]]:
    """Pairs of equal `text` as rows of a labelled set would be found."""
    return twins(
        {
            split: [Row(text(pair), label(pair), "", pair.place) for pair in pairs]
            for split, pairs in parts.items()
        }
    )
