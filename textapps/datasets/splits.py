"""Which split an example belongs to."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from textapps.core.errors import DataError
from textapps.core.part import ALL, Part
from textapps.datasets.config import SourceConfig
from textapps.datasets.source import SPLITS, Source
from textapps.datasets.table import TableSource

E = TypeVar("E")

# The rule of the Speech Commands set (Warden 2018, arXiv:1804.03209, section 7): 27 bits of sha1,
# the first tenth of their range for validation, the second for test.
_BUCKETS = 2**27
_BOUNDS = {
    "validation": (0, _BUCKETS // 10),
    "test": (_BUCKETS // 10, _BUCKETS // 5),
    "train": (_BUCKETS // 5, _BUCKETS),
}


def split_of(key: str | int) -> str:
    """`train` (80 %), `validation` (10 %) or `test` (10 %) for a group key, or its `hash_of`.

    sha1 of the key in UTF-8, as a number modulo 2^27 = 134,217,728: below 13,421,772 validation,
    from there below 26,843,545 test, else train.

    >>> [split_of(key) for key in ("one", "two", "a fine film")]
    ['train', 'test', 'validation']
    """
    bucket = _bucket(key)
    return next(split for split, (_, end) in _BOUNDS.items() if bucket < end)


def home(key: str | int, missing: Collection[str]) -> str:
    """The split of a group of training examples, given the splits to make from them."""
    split = split_of(key)
    return split if split in missing else "train"


def distance(key: str | int, split: str) -> int:
    """How far the hash of a key is from the range of a split; 0 inside."""
    start, end = _BOUNDS[split]
    return max(start - _bucket(key), _bucket(key) - (end - 1), 0)


def bucket_share(key: str) -> float:
    """Where the hash of a key is in its range, from 0 to below 1.

    >>> bucket_share("two") < 0.2 <= bucket_share("one")
    True
    """
    return _bucket(key) / _BUCKETS


def hash_of(key: str) -> int:
    """The last 64 bits of the sha1 of a key, on which the split depends."""
    return int.from_bytes(hashlib.sha1(encoded(key)).digest()[-8:], "big")


def encoded(key: str) -> bytes:
    """A key as bytes; the names of files need not be UTF-8."""
    return key.encode("utf-8", "surrogateescape")


def homes_of(hashes: NDArray[np.uint64], missing: Collection[str]) -> NDArray[np.int8]:
    """As `home`, for what `hash_of` gives: int8[keys], indices into `SPLITS`.

    >>> hashes = np.uint64([hash_of(key) for key in ("one", "two", "a fine film")])
    >>> [SPLITS[place] for place in homes_of(hashes, ("validation",))]
    ['train', 'train', 'validation']
    """
    buckets = hashes % np.uint64(_BUCKETS)
    homes = np.full(len(hashes), SPLITS.index("train"), np.int8)
    for split in missing:
        start, end = _BOUNDS[split]
        homes[(buckets >= start) & (buckets < end)] = SPLITS.index(split)
    return homes


def _bucket(key: str | int) -> int:
    return (hash_of(key) if isinstance(key, str) else key) % _BUCKETS


def carve(
    examples: Sequence[E],
    missing: Collection[str],
    key: Callable[[E], str],
    moved: Mapping[str, str] | None = None,
) -> dict[str, list[E]]:
    """Split examples by the rule: those of a missing split go there, all others to train.

    Examples with the same key stay together. `moved` has the splits of keys that are exceptions.
    """
    parts: dict[str, list[E]] = {split: [] for split in ("train", *missing)}
    for example in examples:
        own = key(example)
        parts[(moved or {}).get(own) or home(own, missing)].append(example)
    return parts


@dataclass
class Splitter(Generic[E]):
    """The examples of each split.

    1) If another source is given for a split, the split of that name is taken from it, or all of a
    source that is not split or has only one split. 2) Otherwise a split of the main source is used
    if it has one of that name. 3) Missing splits are carved from its training examples.

    main: opens the main source, which is read once
    config: names the other sources
    other: opens one of them
    carved: distributes training examples over train and the missing splits
    size: the `Part.size` of examples
    joined: the examples of several splits, one after the other
    """

    main: Callable[[], Source[E]]
    config: SourceConfig
    other: Callable[[str], Source[E]]
    carved: Callable[[Sequence[E], Collection[str]], Mapping[str, Sequence[E]]]
    size: Callable[[Sequence[E]], int] = len
    joined: Callable[[list[Sequence[E]]], Sequence[E]] = lambda parts: list(chain(*parts))

    @property
    def given(self) -> dict[str, str | None]:
        """The names or paths of the other sources, by split."""
        return {"validation": self.config.validation_source, "test": self.config.test_source}

    def examples(self, split: str) -> tuple[str, Sequence[E]]:
        """The name of the source and the examples of a split, which may be empty.

        `all` is the whole main source. DataError if the source has only other splits.
        """
        if split == ALL:
            return self._main.name, self._whole
        if given := self.given.get(split):
            source = self.other(given)
            own = source.own_splits
            if len(own) > 1 and split not in own:
                raise lacks(source.name, source.own_splits, split)
            return source.name, source.examples(split if split in own else next(iter(own), None))
        if split != "train" and split in self._main.own_splits:
            return self._main.name, self._main.examples(split)
        return self._main.name, self._parts[split]

    def to_evaluate(self, split: str | None) -> str:
        """The split, or for None the part to evaluate of data that a model was not trained on.

        That is the test split or the only one, or all of a source that is not split or has only
        training examples. DataError if there are only other splits.
        """
        if split is not None:
            return split
        own = self._main.own_splits
        if self.given["test"] or "test" in own:
            return "test"
        if len(own) > 1:
            raise DataError(
                f"{lacks(self._main.name, own, 'test')}; choose one with --split, or --split all"
            )
        # Of a split that is called train, parts would be left out.
        return ALL if own == {"train"} else next(iter(own), ALL)

    def part(self, split: str, size: int) -> Part:
        """What to say of `size` examples that were taken from a split."""
        if self.given.get(split):
            return Part(split, size)
        if self._main.own_splits and not isinstance(self._main, TableSource):
            return Part(split, size)
        return Part(split, size, self.size(self._whole))

    @cached_property
    def _whole(self) -> Sequence[E]:
        """All examples of the main source, split after split."""
        own = sorted(self._main.own_splits, key=SPLITS.index)
        return self.joined([self._main.examples(split) for split in own]) if own else self.pool

    @cached_property
    def pool(self) -> Sequence[E]:
        """The training examples before missing splits are carved from them."""
        own = self._main.own_splits
        if own and "train" not in own:
            raise lacks(self._main.name, own, "train")
        return self._main.examples("train" if own else None)

    @cached_property
    def _main(self) -> Source[E]:
        return self.main()

    @cached_property
    def _parts(self) -> Mapping[str, Sequence[E]]:
        own = self._main.own_splits
        missing = [name for name, given in self.given.items() if not given and name not in own]
        return self.carved(self.pool, missing)


def nothing_for(split: str, name: str, kind: str, instead: str = "") -> DataError:
    """The error for an empty split, with the remedy."""
    remedy = "" if split in ("train", ALL) else f": use more, or give --{split}-data{instead}"
    return DataError(f"{name}: no {kind} for {split}{remedy}".replace(" for all", ""))


def lacks(name: str, own: Collection[str], split: str) -> DataError:
    """The error for data that have splits, but not this one."""
    return DataError(f"{name}: no {split} split, only {', '.join(sorted(own))}")
