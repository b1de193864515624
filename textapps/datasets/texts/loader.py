"""Loading labelled texts."""

from collections.abc import Sequence

from textapps.datasets.config import DataConfig
from textapps.datasets.large import are_large
from textapps.datasets.source import SPLITS
from textapps.datasets.texts.examples import LabelledTexts
from textapps.datasets.texts.kept import NotKept
from textapps.datasets.texts.kept_loader import KeptLoader
from textapps.datasets.texts.text_loader import TextLoader


def load_texts(
    config: DataConfig,
    splits: Sequence[str | None] = SPLITS,
    label_names: Sequence[str] | None = None,
) -> list[LabelledTexts]:
    """Load splits; no more of a source is read than they need.

    A source's own splits are used. Missing splits are carved by the hash of the group, or of the
    text if it has no group: 80/10/10, except that every split gets a row of every class
    (`textapps.datasets.stratify`). `validation_source` and `test_source` replace a split.
    `all` is the whole source, and None the part of it that `Splitter.to_evaluate` chooses.

    `label_names` are the classes of an earlier training, to which all labels must belong; by
    default those of the source, or of its training texts. DataError if data are missing, wrong or
    empty, or have fewer than two classes.

    The texts of large tables (`textapps.datasets.large`) stay on disk, in the cache; they are the
    same texts in the same splits.
    """
    if are_large(config):
        try:
            return _loaded(KeptLoader(config, label_names), splits)
        except NotKept:  # a warning has been given
            pass
    return _loaded(TextLoader(config, label_names), splits)


def _loaded(loader: TextLoader, splits: Sequence[str | None]) -> list[LabelledTexts]:
    chosen = map(loader.to_evaluate, splits)
    return [loader.labelled(split, *loader.rows(split)) for split in chosen]
