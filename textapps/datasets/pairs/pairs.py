"""From the [data] section of a translation to split sentence pairs."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from textapps.core.errors import DataError
from textapps.datasets.bundled import bundled_dir
from textapps.datasets.config import PairsConfig
from textapps.datasets.pairs.files import Pair, PairFile, ParallelFiles, whole_pair
from textapps.datasets.prepared import default_data_dir, download, find_prepared
from textapps.datasets.source import Defect, Report, stop
from textapps.datasets.splits import split_of
from textapps.datasets.tables import table_format
from textapps.datasets.texts.load import no_file
from textapps.datasets.tfds import TfdsSource

LOGGER = logging.getLogger("textapps")


@dataclass(frozen=True)
class Pairs:
    """One split: sentences and their translations, and what reports call the set."""

    name: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.sources)

    @cached_property
    def fingerprint(self) -> str:
        """sha256 (64 hexadecimal digits) of all pairs in their order."""
        rows = zip(self.sources, self.targets, strict=True)
        return hashlib.sha256("".join(f"{a}\t{b}\n" for a, b in rows).encode()).hexdigest()


class PairSource(Protocol):
    """Sentence pairs before they are split."""

    name: str

    @property
    def own_splits(self) -> frozenset[str]:
        """Those of train, validation and test that the source has; empty: it is not split."""

    def pairs(self, split: str | None) -> list[Pair]:
        """The pairs of an own split, or with None those of a source that is not split."""


class TfdsPairs:
    """A translation set prepared by TensorFlow Datasets; a pair without a side is left out."""

    def __init__(self, source: TfdsSource, columns: tuple[str | None, str | None]) -> None:
        self.name = source.name
        self.own_splits = source.own_splits
        self._source = source
        self._columns = columns

    def pairs(self, split: str | None) -> list[Pair]:
        """In the order of the records."""
        rows = zip(*self._source.pairs(split, *self._columns), strict=True)
        left_out: list[Defect] = []  # nobody can mend a row of a prepared set
        whole = [
            whole_pair(Pair(source, target, f"{self.name}/{split}:{number}"), left_out.append)
            for number, (source, target) in enumerate(rows, 1)
        ]
        if left_out:
            place, reason = left_out[0]
            LOGGER.warning("%d pairs left out, such as %s: %s", len(left_out), place, reason)
        return [pair for pair in whole if pair is not None]


def load_pairs(config: PairsConfig, splits: Sequence[str], report: Report = stop) -> list[Pairs]:
    """The pairs of some of train, validation and test; the source is read once for each.

    Own splits of a source are honoured; without them pairs are split by the hash of their source
    sentence, 80/10/10, so that all translations of one sentence stay together, also with
    `reverse`, which swaps the sides afterwards. A `validation_source` or `test_source` takes the
    place of such a part.

    Raises:
        DataError: data that are missing or empty, or a pair without one of its sides.
    """
    parts = zip(splits, load_rows(config, splits, report), strict=True)
    return [as_pairs(name, split, rows, reverse=config.reverse) for split, (name, rows) in parts]


def as_pairs(name: str, split: str, rows: Sequence[Pair], *, reverse: bool = False) -> Pairs:
    """The sides of a split's rows apart; DataError where there are no rows."""
    if not rows:
        remedy = "" if split == "train" else f": use more, or give --{split}-data"
        raise DataError(f"{name}: no pairs for {split}{remedy}")
    sides = tuple(row.source for row in rows), tuple(row.target for row in rows)
    return Pairs(name, *(reversed(sides) if reverse else sides))


def load_rows(
    config: PairsConfig, splits: Sequence[str], report: Report = stop
) -> list[tuple[str, list[Pair]]]:
    """The name of the set and the pairs of each split, in the direction of their source.

    A split may be empty; errors as in `load_pairs`.
    """
    main = open_pairs(config, report)
    given = {"validation": config.validation_source, "test": config.test_source}
    carved = [name for name, at in given.items() if at is None and name not in main.own_splits]
    pool: list[Pair] | None = None
    rows = []
    for split in splits:
        source = main
        if other := given.get(split):
            source = _open(other, config, report)
            own = source.own_splits
            if own and split not in own:
                found = ", ".join(sorted(own))
                raise DataError(f"{source.name}: no {split} split, only {found}")
            pairs = source.pairs(split if own else None)
        elif split != "train" and split in main.own_splits:
            pairs = main.pairs(split)
        else:
            if main.own_splits and "train" not in main.own_splits:
                found = ", ".join(sorted(main.own_splits))
                raise DataError(f"{main.name}: no train split, only {found}")
            if pool is None:
                pool = main.pairs("train" if main.own_splits else None)
            pairs = [pair for pair in pool if _part(pair, carved) == split]
        rows.append((source.name, pairs))
    return rows


def open_pairs(config: PairsConfig, report: Report = stop) -> PairSource:
    """The source that the configuration names; a set not yet on disk is downloaded.

    DataError where it is nothing that can be found.
    """
    if config.source_file and config.target_file:
        paths = [Path(one).expanduser() for one in (config.source_file, config.target_file)]
        for path in paths:
            if not path.exists():
                raise DataError(no_file(path))
        return ParallelFiles(paths[0], paths[1], report)
    return _open(config.source, config, report)


def _open(source: str, config: PairsConfig, report: Report) -> PairSource:
    columns = (config.source_column, config.target_column)
    if source == "sample":
        return PairFile(bundled_dir() / "sentences.tsv.gz", report=report, name="sample")
    path = Path(source).expanduser()
    if path.is_dir():
        folder = path.absolute()
        if prepared := find_prepared(folder.name, folder.parent):
            return TfdsPairs(TfdsSource(prepared.directory, str(prepared)), columns)
        raise DataError(f"{path}: a folder is no source of pairs; name a file in it")
    if path.exists():
        return PairFile(path, *columns, report)
    if table_format(path) is not None or source.startswith((".", "/", "~")):
        raise DataError(no_file(path))
    data_dir = Path(config.data_dir).expanduser() if config.data_dir else default_data_dir()
    prepared_set = find_prepared(source, data_dir)
    directory = prepared_set.directory if prepared_set else download(source, data_dir)
    return TfdsPairs(TfdsSource(directory, source), columns)


def _part(pair: Pair, carved: Sequence[str]) -> str:
    split = split_of(pair.source)
    return split if split in carved else "train"
