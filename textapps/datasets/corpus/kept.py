"""Texts that are too large to be held: they are read again, piece by piece."""

import codecs
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from textapps.cache.entry import Entry
from textapps.cache.place import kept_from_bytes
from textapps.cache.store import Cache
from textapps.cache.writing import EntryWriter
from textapps.core.part import Part
from textapps.core.records import sha256_of
from textapps.datasets.config import CorpusConfig
from textapps.datasets.corpus.examples import Corpus
from textapps.datasets.corpus.loader import load_corpora
from textapps.datasets.corpus.parts import Parts, TableParts, TextParts
from textapps.datasets.formats.registry import ending_of, is_table, name_of
from textapps.datasets.large import content_bytes
from textapps.datasets.source import plain_name
from textapps.datasets.splits import lacks, nothing_for
from textapps.datasets.stamp import stamp_of

_BYTES_AT_ONCE = 1 << 22
Normal = Callable[[str], str]


class KeptCorpus:
    """A split of a large file, of which a piece at a time is in memory.

    Attributes:
        name, documents, part: as `Corpus` has them.
        pieces: gives the text in pieces.
    """

    def __init__(
        self, name: str, part: Part, fields: Mapping[str, Any], pieces: Callable[[], Iterator[str]]
    ) -> None:
        self.name = name
        self.part = part
        self.documents = int(fields["documents"])
        self.pieces = pieces
        self._fields = fields

    def __len__(self) -> int:
        return int(self._fields["characters"])

    @property
    def fingerprint(self) -> str:
        """sha256 (64 hexadecimal digits) of the text in UTF-8."""
        return str(self._fields["sha256"])

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each character occurs, in the order in which they appear."""
        return {str(char): int(count) for char, count in self._fields["counts"]}

    @cached_property
    def text(self) -> str:
        """All of it, in memory."""
        return "".join(self.pieces())


def is_large_file(config: CorpusConfig) -> bool:
    """Whether the source is a file, large enough to be kept in the cache."""
    path = Path(config.source).expanduser()
    is_file = config.source != "sample" and path.is_file()
    return is_file and content_bytes([path]) >= kept_from_bytes()


def load_kept(
    config: CorpusConfig, splits: Sequence[str], normal: Normal, form: str
) -> list[Corpus] | None:
    """`load_corpora` of a large file, in the form in which it is trained on.

    The splits are the same. The file is read twice to find them, and for train again whenever its
    text is needed; validation and test are kept in the cache.

    Args:
        splits: among train, validation and test.
        normal: brings whole lines into the form that `form` names.

    Returns:
        None if the text cannot be kept; a warning says why.
    """
    file = _LargeFile(config, normal, form)
    corpora: list[Corpus] = []
    for split in splits:
        if split in file.parts.given:
            (given,) = load_corpora(config, (split,))
            corpora.append(replace(given, text=normal(given.text)))
        elif (found := file.split(split)) is not None:
            corpora.append(found)
        else:
            return None
    return corpora


class _LargeFile:
    """A file, and what the cache knows of its splits."""

    def __init__(self, config: CorpusConfig, normal: Normal, form: str) -> None:
        self.path = Path(config.source).expanduser()
        self.parts: Parts = (TableParts if is_table(self.path) else TextParts)(self.path, config)
        self._config = config
        self._normal = normal
        self._form = form

    def split(self, split: str) -> KeptCorpus | None:
        """A split; None if the cache cannot be written, DataError if it is empty."""
        if (entry := self._entry) is None:
            return None
        splits, name = entry.fields["splits"], plain_name(name_of(self.path))
        if split not in splits:
            raise lacks(name, splits, "train")
        fields = splits[split]
        if not fields["characters"]:
            raise nothing_for(split, name, "text", " or --split")
        total = int(entry.fields["total"]) if self._config.split is None else None
        part = Part(split, int(fields["size"]), total)

        def read() -> Iterator[str]:
            if split != "train":
                return _decoded(entry, split)
            return (self._normal(raw) for of, raw, _ in self.parts.read() if of == "train")

        return KeptCorpus(name, part, fields, read)

    @cached_property
    def _entry(self) -> Entry | None:
        cache = Cache()
        stamp = stamp_of([self.path.absolute()])
        content = cache.noted({"of": "a file", "stamp": stamp}, lambda: sha256_of(self.path))
        key = {
            "sha256": content,
            "ending": ending_of(self.path) or self.path.suffix,
            "column": self._config.text_column,
            "reading": self._config.reading._asdict(),
            "given": sorted(self.parts.given),
            "share": self._config.split,
            "form": self._form,
        }
        return cache.kept("corpus", key, self._write, str(self.path))

    def _write(self, into: EntryWriter) -> None:
        splits = self.parts.splits
        into.create({split: "u1" for split in splits if split != "train"})
        found, total = {split: _Split() for split in splits}, 0
        for split, raw, size in self.parts.read(first=True):
            total += size
            if split in found:  # otherwise it comes from another source
                data = found[split].add(self._normal(raw), size)
                if split != "train":
                    into.append(**{split: np.frombuffer(data, np.uint8)})
        by_row = self.parts.by_row
        into.fields["total"] = total
        into.fields["splits"] = {
            split: each.fields() | ({} if by_row else {"documents": 1})
            for split, each in found.items()
        }


class _Split:
    """What is to be known of a split."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._counts: Counter[str] = Counter()
        self._size = self._documents = 0

    def add(self, piece: str, size: int) -> bytes:
        """Takes the next piece, and how many characters it adds to the size of the split.

        Returns:
            It in UTF-8.
        """
        data = piece.encode()
        self._digest.update(data)
        self._counts.update(piece)
        self._size += size
        self._documents += 1
        return data

    def fields(self) -> dict[str, Any]:
        """What `KeptCorpus` takes."""
        return {
            "characters": self._counts.total(),
            "sha256": self._digest.hexdigest(),
            "counts": list(self._counts.items()),
            "size": self._size,
            "documents": self._documents,
        }


def _decoded(entry: Entry, split: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    for block in entry.arrays[split].blocks(_BYTES_AT_ONCE):
        yield decoder.decode(block.tobytes())
