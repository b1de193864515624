"""From the [data] section to one long text for each split."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from textapps.core.errors import DataError
from textapps.datasets.bundled import bundled_dir
from textapps.datasets.config import CorpusConfig
from textapps.datasets.corpus.files import TableDocuments, TextFile, TextFolder, is_table
from textapps.datasets.prepared import default_data_dir, download, find_prepared
from textapps.datasets.source import SPLITS
from textapps.datasets.splits import split_of
from textapps.datasets.texts.load import no_file
from textapps.datasets.tfds import TfdsSource

SHARE_OF_PART = 0.05  # of a text that is cut by position: for validation, and again for test


@dataclass(frozen=True)
class Corpus:
    """One split of a text.

    name: what reports and file names call the set
    documents: of how many pieces the text was joined, by a blank line
    """

    name: str
    text: str
    documents: int = 1

    def __len__(self) -> int:
        return len(self.text)

    @cached_property
    def fingerprint(self) -> str:
        """sha256 (64 hexadecimal digits) of the text in UTF-8."""
        return hashlib.sha256(self.text.encode()).hexdigest()


class Documents(Protocol):
    """A source of texts before it is split."""

    name: str

    @property
    def own_splits(self) -> frozenset[str]:
        """Those of train, validation and test that the source has; empty: it is not split."""

    def texts(self, split: str | None) -> list[str]:
        """The texts of an own split, or with None those of a source that is not split."""


def load_corpus(config: CorpusConfig, split: str) -> Corpus:
    """The text of one split, as `load_corpora` has it."""
    return load_corpora(config, (split,))[0]


def load_corpora(config: CorpusConfig, splits: Sequence[str]) -> list[Corpus]:
    """The texts of some of train, validation and test; the source is opened once.

    Own splits of the source are honoured. Without them the rows of a table or of a set of
    TensorFlow Datasets are split by the hash of their text, 80/10/10, and other texts by position:
    the last 5 % are for test, the 5 % before them for validation. A `validation_source` or
    `test_source` takes the place of such a part.

    Raises:
        DataError: data that are missing, empty or no text.
    """
    main = open_documents(config.source, config)
    given = {"validation": config.validation_source, "test": config.test_source}
    missing = [name for name, source in given.items() if source is None]
    corpora = []
    for split in splits:
        documents = main
        if source := given.get(split):
            documents = open_documents(source, config)
            own = documents.own_splits
            if own and split not in own:
                found = ", ".join(sorted(own))
                raise DataError(f"{documents.name}: no {split} split, only {found}")
            texts = documents.texts(split if own else None)
        else:
            texts = _part(main, split, missing, config.split)
        corpus = Corpus(documents.name, _join(texts), len(texts))
        if not corpus.text:
            remedy = "" if split == "train" else f": use more, or give --{split}-data or --split"
            raise DataError(f"{corpus.name}: no text for {split}{remedy}")
        corpora.append(corpus)
    return corpora


def open_documents(source: str, config: CorpusConfig) -> Documents:
    """The source that a name or path stands for; a set not yet on disk is downloaded.

    DataError where it is nothing that can be found.
    """
    if source == "sample":
        return TextFile(bundled_dir() / "verses.txt", name="sample")
    path = Path(source).expanduser()
    if path.is_dir():
        folder = path.absolute()
        if prepared := find_prepared(folder.name, folder.parent):
            return TfdsSource(prepared.directory, str(prepared), config.text_column)
        return TextFolder(path)
    if path.exists():
        return TableDocuments(path, config.text_column) if is_table(path) else TextFile(path)
    # a colon stands before the version of a set: tiny_shakespeare:1.0.0
    if (path.suffix and ":" not in source) or source.startswith((".", "/", "~")):
        raise DataError(no_file(path))
    data_dir = Path(config.data_dir).expanduser() if config.data_dir else default_data_dir()
    prepared_set = find_prepared(source, data_dir)
    directory = prepared_set.directory if prepared_set else download(source, data_dir)
    return TfdsSource(directory, source, config.text_column)


def _part(
    documents: Documents, split: str, missing: Sequence[str], share: float | None
) -> list[str]:
    """The texts of one split of a source; `missing` are the splits it must give but train."""
    own = documents.own_splits
    if share is not None:
        parts: list[str | None] = [*sorted(own, key=SPLITS.index)] or [None]
        texts = [text for part in parts for text in documents.texts(part)]
        # a set of TensorFlow Datasets with a text in each split is one text that was cut
        is_one = isinstance(documents, TfdsSource) and len(texts) == len(parts)
        whole = "".join(texts) if is_one else _join(texts)
        cut = int(share * len(whole))
        return [whole[:cut] if split == "train" else whole[cut:]]
    carved = [name for name in missing if name not in own]
    if split in own and (split != "train" or not carved):
        return documents.texts(split)
    if own and "train" not in own:
        raise DataError(f"{documents.name}: no train split, only {', '.join(sorted(own))}")
    texts = documents.texts("train" if own else None)
    if isinstance(documents, TableDocuments) or (
        isinstance(documents, TfdsSource) and len(texts) > 1
    ):
        return [text for text in texts if _split_of(text, carved) == split]
    whole = _join(texts)
    size = int(SHARE_OF_PART * len(whole))
    ends = len(whole) - size * len(carved)
    if split == "train":
        return [whole[:ends]]
    begin = ends + size * carved.index(split)
    return [whole[begin : begin + size] if split != carved[-1] else whole[begin:]]


def _split_of(text: str, carved: Sequence[str]) -> str:
    split = split_of(text)
    return split if split in carved else "train"


def _join(texts: Sequence[str]) -> str:
    if len(texts) == 1:
        return texts[0]
    return "\n".join(text.rstrip("\n") + "\n" for text in texts)
