"""Loading splits of tables that are kept in the cache."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from textapps.cache.store import Cache
from textapps.datasets.source import SPLITS
from textapps.datasets.splits import homes_of
from textapps.datasets.stratify import moves, splits_made, tell
from textapps.datasets.texts.examples import LabelledTexts, fingerprint_of
from textapps.datasets.texts.kept import KeptRows, KeptTable
from textapps.datasets.texts.sources import Text
from textapps.datasets.texts.text_loader import TextLoader


class KeptLoader(TextLoader):
    """As `TextLoader`, by columns: labels and hashes are in memory, texts are not.

    Raises:
        NotKept: of its methods; the cache cannot be written.
    """

    kind = KeptTable

    def rows(self, split: str) -> tuple[str, Sequence[Text]]:
        """The name of the source and the rows of a split, including those without text."""
        return self._splitter.examples(split)

    def labelled(self, split: str, name: str, rows: Sequence[Text]) -> LabelledTexts:
        """As `TextLoader.labelled`; the texts are on disk."""
        filled = _kept(rows)
        filled = filled.chosen(~filled.values("blank"))
        self._warn_of_blanks(split, name, len(rows) - len(filled))
        names, table = self.label_names, filled.table
        written = [self._label(label) for label in table.labels]
        index = {label: number for number, label in enumerate(names)}
        numbers = np.array([index.get(label, -1) for label in written], np.int32)
        codes = filled.values("labels")
        labels = numbers[codes]
        for place in np.flatnonzero(labels < 0):
            self._report_unknown(written[codes[place]], table.place(int(filled.rows[place])))
        self._skipped.warn(name)
        known = filled.chosen(labels >= 0)
        labels = labels[labels >= 0]
        part = self._checked(split, name, labels)
        fingerprint = _fingerprint(table.cache, known, labels, names)
        return LabelledTexts(known.texts, labels, names, name, part, known_fingerprint=fingerprint)

    def _labels_of(self, rows: Sequence[Text]) -> Iterable[str]:
        kept = _kept(rows)
        found = np.unique(kept.values("labels"))
        return (self._label(kept.table.labels[code]) for code in found)

    @staticmethod
    def _joined(parts: list[Sequence[Text]]) -> Sequence[Text]:
        return KeptRows.joined(list(map(_kept, parts)))

    def _carved(
        self, rows: Sequence[Text], missing: Collection[str]
    ) -> Mapping[str, Sequence[Text]]:
        """As `carve_classes`: a group is known by the hash on which its split depends."""
        kept = _kept(rows)
        names = sorted(set(self._labels_of(rows)))
        report = self._report_of_classes(len(names), len(kept))
        index = {name: number for number, name in enumerate(names)}
        # Those of other splits are not among them.
        numbers = np.array([index.get(self._label(label), -1) for label in kept.table.labels])
        labels, hashes = numbers[kept.values("labels")], kept.values("hashes")
        homes = homes_of(hashes, missing)
        filled = ~kept.values("blank")
        found = _Groups(names, labels[filled], hashes[filled], homes[filled], missing)
        moved: Counter[tuple[str, str]] = Counter()
        for key, to in found.moves.to.items():
            here = hashes == np.uint64(key)
            homes[here] = SPLITS.index(to)
            moved.update((names[label], to) for label in labels[here & filled])
        if report is not None:
            tell(self._main.name, found.moves.lacking, found.rows, moved, missing, report)
        return {split: kept.chosen(homes == SPLITS.index(split)) for split in splits_made(missing)}


class _Groups:
    """The groups of rows that have text, and which of them must move.

    rows: how many rows each class has
    """

    def __init__(
        self,
        names: Sequence[str],
        labels: NDArray[np.int64],
        hashes: NDArray[np.uint64],
        homes: NDArray[np.int8],
        missing: Collection[str],
    ) -> None:
        counts = np.bincount(labels, minlength=len(names)).tolist()
        self.rows = {name: count for name, count in zip(names, counts, strict=True) if count}
        places = labels * len(SPLITS) + homes
        present = np.bincount(places, minlength=len(names) * len(SPLITS)).reshape(-1, len(SPLITS))
        made = [SPLITS.index(split) for split in splits_made(missing)]
        scarce = np.array(counts).astype(bool) & ~present[:, made].all(axis=1)
        groups: dict[int, set[str]] = {}
        counted: Counter[tuple[str, str]] = Counter()
        if scarce.any():
            # Each class of each group once.
            order = np.lexsort((labels, hashes))
            ordered = np.stack([hashes[order], labels[order].astype(np.uint64)])
            first = np.ones(len(order), bool)
            first[1:] = (ordered[:, 1:] != ordered[:, :-1]).any(axis=0)
            kept = order[first]
            for place, count in Counter(places[kept].tolist()).items():
                counted[names[place // len(SPLITS)], SPLITS[place % len(SPLITS)]] = count
            needed = np.isin(hashes[kept], hashes[scarce[labels]])
            for row in kept[needed].tolist():
                groups.setdefault(int(hashes[row]), set()).add(names[labels[row]])
        self.moves = moves(groups, missing, counted)


def _kept(rows: Sequence[Text]) -> KeptRows:
    assert isinstance(rows, KeptRows)  # all sources are tables
    return rows


def _fingerprint(
    cache: Cache, rows: KeptRows, labels: NDArray[np.int32], names: Sequence[str]
) -> str:
    """That of `LabelledTexts`; reading all texts for it takes a while, so it is noted."""
    chosen = fingerprint_of([rows.table.content], np.concatenate([rows.rows, labels]))
    key = {"of": "texts", **rows.table.key, "chosen": chosen, "labels": list(names)}
    return cache.noted(key, lambda: fingerprint_of(chain(names, rows.texts), labels))
