"""What a text holds, and what looks wrong with it."""

import unicodedata
from collections import Counter
from dataclasses import dataclass

from textapps.datasets.config import CorpusConfig
from textapps.datasets.corpus.corpus import Corpus, load_corpora
from textapps.datasets.source import SPLITS

LONG_LINE = 40
"""Characters of a line that hardly comes twice by chance."""

Counts = dict[str, int]


@dataclass(frozen=True)
class CorpusSummary:
    """How much text there is, and of which characters.

    distinct: different characters
    new: those that the training text has not, and how often each occurs
    beginning: the first characters
    """

    characters: int
    lines: int
    documents: int
    distinct: int
    new: Counts
    beginning: str
    fingerprint: str


@dataclass(frozen=True)
class CorpusFindings:
    """What `check_corpus` finds; none of it stops a training.

    odd: control characters but for tab and line feed, and U+FFFD, by split
    shared: lines of `LONG_LINE` characters and more that stand in train too, by other split
    """

    name: str
    splits: dict[str, CorpusSummary]
    odd: dict[str, Counts]
    shared: dict[str, list[str]]


def summarise_corpus(config: CorpusConfig) -> tuple[str, dict[str, CorpusSummary]]:
    """The name of a text and its splits; DataError as in loading."""
    return _summaries(load_corpora(config, SPLITS))


def check_corpus(config: CorpusConfig) -> CorpusFindings:
    """Looks for what a model would learn badly or had better not see; DataError as in loading."""
    corpora = load_corpora(config, SPLITS)
    train = set(_long_lines(corpora[0]))
    return CorpusFindings(
        *_summaries(corpora),
        odd={split: _odd(corpus) for split, corpus in zip(SPLITS, corpora, strict=True)},
        shared={
            split: [line for line in _long_lines(corpus) if line in train]
            for split, corpus in zip(SPLITS[1:], corpora[1:], strict=True)
        },
    )


def _summaries(corpora: list[Corpus]) -> tuple[str, dict[str, CorpusSummary]]:
    known = set(corpora[0].text)
    return corpora[0].name, {
        split: _summary(corpus, known) for split, corpus in zip(SPLITS, corpora, strict=True)
    }


def _summary(corpus: Corpus, known: set[str]) -> CorpusSummary:
    counts = Counter(corpus.text)
    return CorpusSummary(
        characters=len(corpus.text),
        lines=corpus.text.removesuffix("\n").count("\n") + 1,
        documents=corpus.documents,
        distinct=len(counts),
        new={char: count for char, count in counts.most_common() if char not in known},
        beginning=corpus.text[:200],
        fingerprint=corpus.fingerprint,
    )


def _odd(corpus: Corpus) -> Counts:
    return {
        char: count
        for char, count in Counter(corpus.text).most_common()
        if char == "\ufffd" or (unicodedata.category(char) == "Cc" and char not in "\t\n")
    }


def _long_lines(corpus: Corpus) -> list[str]:
    return [line for line in corpus.text.split("\n") if len(line) >= LONG_LINE]
