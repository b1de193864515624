"""Loading texts without their labels, and without those that a classifier is evaluated on."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

import numpy as np

from textapps.core.counted import counted
from textapps.core.errors import DataError
from textapps.core.notices import muted, notice
from textapps.core.part import Part
from textapps.datasets.config import DataConfig
from textapps.datasets.source import SPLITS, Skipped, Source, stop
from textapps.datasets.splits import Splitter, bucket_share
from textapps.datasets.stratify import carve_classes
from textapps.datasets.texts.config import PlainTextsConfig
from textapps.datasets.texts.examples import LabelledTexts, plain
from textapps.datasets.texts.sources import Text, open_texts
from textapps.datasets.texts.text_loader import TextLoader

_EVALUATED = ("validation", "test")
_Carved = Callable[[str, Sequence[Text], Collection[str]], Mapping[str, Sequence[Text]]]


def load_plain_texts(config: PlainTextsConfig) -> tuple[LabelledTexts, LabelledTexts]:
    """The texts to train on and those to validate on; their labels are 0.

    A source with labels or with splits of its own is split as for a classifier, and only its
    training split is taken. Of a source without labels all texts are taken. Texts that stand in a
    validation or test split of any source are left out, in whatever case, spacing and punctuation;
    a notice counts them, and another one the texts of those splits. A share of the rest,
    chosen by the hash of the group or of the text, is for validation.

    Raises:
        DataError: data are missing or wrong, or there are fewer than two texts.
    """
    found: dict[str, list[Text]] = {split: [] for split in SPLITS}
    names, unread = [], 0
    for name in config.sources:
        section = _section(name, config)
        source, parts = _parts(section, _carved)
        names.append(source)
        for split, rows in parts.items():
            filled = [row for row in rows if row.text.strip()]
            found[split] += filled
            if split in _EVALUATED and not getattr(section, f"{split}_source"):
                unread += len(filled)
    evaluated = {plain(row.text) for split in _EVALUATED for row in found[split]}
    rows = [row for row in found["train"] if plain(row.text) not in evaluated]
    if unread:
        notice(
            "%s: %s of validation and test left out: a classifier is evaluated on them",
            ", ".join(names),
            counted(unread, "text"),
        )
    if left_out := len(found["train"]) - len(rows):
        notice(
            "%s left out: they also stand in a validation or test split", counted(left_out, "text")
        )
    if len(rows) < 2:
        raise DataError(f"{', '.join(names)}: fewer than two texts to train on")
    # From the end of the range of the hash, where the rule of the splits has training texts.
    places = np.array([bucket_share(row.group or row.text) for row in rows])
    held = places >= min(1 - config.validation_share, places.max())
    name = "+".join(names)
    if held.all():
        raise DataError(
            f"{name}: all texts are equal or of one group, so none would be left to train on: "
            "give others too"
        )
    return _texts(name, "train", rows, ~held), _texts(name, "validation", rows, held)


def _texts(name: str, split: str, rows: list[Text], chosen: np.ndarray) -> LabelledTexts:
    texts = [row.text for row, own in zip(rows, chosen, strict=True) if own]
    labels = np.zeros(len(texts), np.int32)
    return LabelledTexts(texts, labels, (), name, Part(split, len(texts), len(rows)))


def load_unlabelled(config: DataConfig, *labelled: LabelledTexts) -> tuple[str, ...]:
    """The texts of `config.unlabelled`, each once; of a source with splits those for training.

    Labels are not read, so a source without splits is taken whole.

    Left out are texts that stand in `labelled` or in any validation or test split, in whatever
    case, spacing and punctuation; a notice counts them.

    Raises:
        DataError: data are missing or wrong, or nothing is left.
    """
    with muted():  # what is to be said of these rows is said when they are loaded
        test = [row.text for row in TextLoader(config).rows("test")[1]]
    seen = {plain(text) for text in test}
    seen.update(plain(text) for split in labelled for text in split.texts)
    names, found = [], []
    for source in config.unlabelled:
        update = {"source": source, "validation_source": None, "test_source": None}
        name, parts = _parts(config.model_copy(update={**update, "label_column": None}), _whole)
        names.append(name)
        found += [row.text for row in parts["train"] if row.text.strip()]
        seen.update(plain(row.text) for split in _EVALUATED for row in parts[split])
    kept = []
    for text in found:
        words = plain(text)
        if words not in seen:
            seen.add(words)
            kept.append(text)
    what = ", ".join(names)
    if not kept:
        raise DataError(
            f"{what}: no unlabelled text that is not in the data to train or to evaluate on; "
            "name others with --unlabelled"
        )
    left_out = len(found) - len(kept)
    notice(
        "%s: %s%s",
        what,
        counted(len(kept), "unlabelled text"),
        f", without {left_out:,} that the data to train or to evaluate on have, or that come twice"
        if left_out
        else "",
    )
    return tuple(kept)


def _section(name: str, config: PlainTextsConfig) -> DataConfig:
    first = name == config.source
    return DataConfig(
        source=name,
        text_column=config.text_column,
        label_column=config.label_column if first else None,
        validation_source=config.validation_source if first else None,
        test_source=config.test_source if first else None,
        **{key: getattr(config, key) for key in ("data_dir", "encoding", "delimiter", "sheet")},
        skip_bad=config.skip_bad,
    )


def _parts(section: DataConfig, carved: _Carved) -> tuple[str, dict[str, Sequence[Text]]]:
    """The name of the source of a section, and the texts of its splits, carved if it has none."""
    skipped = Skipped()
    report = skipped if section.skip_bad else stop
    open_plain = partial(open_texts, config=section, report=report, labelled=False)
    source: Source[Text] = open_plain(section.source)
    splitter: Splitter[Text] = Splitter(
        lambda: source, section, open_plain, partial(carved, source.name)
    )
    parts = {split: splitter.examples(split)[1] for split in SPLITS}
    skipped.warn(source.name)
    return source.name, parts


def _whole(
    name: str, rows: Sequence[Text], missing: Collection[str]
) -> Mapping[str, Sequence[Text]]:
    """All texts are for training."""
    return {"train": rows, **{split: [] for split in missing}}


def _carved(
    name: str, rows: Sequence[Text], missing: Collection[str]
) -> Mapping[str, Sequence[Text]]:
    """Labelled texts by the rule for classifiers; all others are for training."""
    if not any(row.label for row in rows):
        notice(
            "%s: no labels found, so all of its texts are read; if a classifier is to be evaluated "
            "on some of them, name the column of their labels by --label-column",
            name,
        )
        return _whole(name, rows, missing)
    labelled = [row for row in rows if row.label]
    parts = carve_classes(
        labelled,
        missing,
        lambda row: row.group or row.text,
        lambda row: row.label if row.text.strip() else None,
        name=name,
        report=None,
    )
    parts["train"] += [row for row in rows if not row.label]
    return parts
