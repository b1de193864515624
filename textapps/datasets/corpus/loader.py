"""Loading a corpus."""

from collections.abc import Collection, Sequence
from functools import cached_property, partial

from textapps.core.part import ALL
from textapps.datasets.config import CorpusConfig
from textapps.datasets.corpus.examples import HeldCorpus
from textapps.datasets.corpus.sources import DocumentSource, Unit, open_documents
from textapps.datasets.source import SPLITS, Skipped, stop
from textapps.datasets.splits import Splitter, carve, nothing_for

SHARE_OF_PART = 0.05  # for validation, and again for test, of a text that is cut by position


def load_corpora(config: CorpusConfig, splits: Sequence[str | None] = SPLITS) -> list[HeldCorpus]:
    """Load splits.

    A source's own splits are used. Missing splits of tables and of prepared sets are carved by the
    hash of each text, 80/10/10; those of other texts by position: the last 5 % for test, the 5 %
    before them for validation. `validation_source` and `test_source` replace a split. `all` is the
    whole source, and None the part of it that `Splitter.to_evaluate` chooses. DataError if data
    are missing, empty or not text.
    """
    skipped = Skipped()
    other = partial(open_documents, config=config, report=skipped if config.skip_bad else stop)
    main = other(config.source)
    if config.split is not None and ALL not in splits:
        main = CutDocuments(main, config.split)
    splitter: Splitter[str] = Splitter(
        lambda: main, config, other, partial(_carved, main), lambda texts: sum(map(len, texts))
    )
    corpora = []
    for split in map(splitter.to_evaluate, splits):
        name, texts = splitter.examples(split)
        skipped.warn(name)
        part = splitter.part(split, sum(map(len, texts)))
        corpora.append(HeldCorpus(name, joined(texts), len(texts), part))
        if not corpora[-1].text:
            raise nothing_for(split, name, "text", " or --split")
    return corpora


class CutDocuments:
    """All texts of a source as one, cut so that a share is for training."""

    own_splits = frozenset(SPLITS)
    unit: Unit = "document"

    def __init__(self, documents: DocumentSource, share: float) -> None:
        self.name = documents.name
        self._documents = documents
        self._share = share

    def examples(self, split: str | None) -> list[str]:
        """The text before or after the cut; validation and test are the same."""
        cut = int(self._share * len(self._whole))
        return [self._whole[:cut] if split == "train" else self._whole[cut:]]

    @cached_property
    def _whole(self) -> str:
        own = sorted(self._documents.own_splits, key=SPLITS.index)
        texts = [text for split in own or (None,) for text in self._documents.examples(split)]
        return "".join(texts) if self._documents.unit == "part" else joined(texts)


def joined(texts: Sequence[str]) -> str:
    """The texts, joined by blank lines."""
    if len(texts) == 1:
        return texts[0]
    return "\n".join(text.rstrip("\n") + "\n" for text in texts)


def _carved(
    documents: DocumentSource, texts: Sequence[str], missing: Collection[str]
) -> dict[str, list[str]]:
    """Rows are split by the hash of their text; other texts are joined and cut by position."""
    if documents.unit == "row" or not missing:
        return carve(texts, missing, str)
    whole = joined(texts)
    size = int(SHARE_OF_PART * len(whole))
    ends = [len(whole) - size * left for left in range(len(missing), -1, -1)]
    parts = zip(("train", *missing), (0, *ends), ends, strict=False)
    return {split: [whole[begin:end]] for split, begin, end in parts}
