"""Summary and findings of labelled texts."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from textapps.datasets.config import DataConfig
from textapps.datasets.inspection import (
    Findings,
    Lengths,
    Overview,
    Seen,
    Shared,
    Twin,
    count,
    lengths,
    lengths_of,
    shares,
    short,
    summaries,
    twins,
)
from textapps.datasets.labels import alike, scarce, to_balance
from textapps.datasets.source import SPLITS, Defect
from textapps.datasets.texts.examples import LabelledTexts, plain, unspaced
from textapps.datasets.texts.loader import load_texts
from textapps.datasets.texts.text_loader import TextLoader


@dataclass(frozen=True)
class TextsSummary:
    """One split; `examples` has the first row of each class."""

    rows: Annotated[int, count("rows")]
    classes: Annotated[dict[str, int], shares]
    words: Annotated[Lengths, lengths("words")]
    characters: Annotated[Lengths, lengths("characters")]
    examples: list[dict[str, str]]


@dataclass(frozen=True)
class TextsFindings(Findings):
    """Only `defects` stop training."""

    defects: Annotated[list[Defect], "defects"]
    empty: Annotated[list[str], "rows without text, left out"]
    duplicates: Annotated[list[Twin], "rows repeated in their split"]
    conflicts: Annotated[list[Twin], "rows whose text also has another label"]
    shared: Annotated[Shared, "rows in {}"]
    alike: Annotated[list[str], "labels that --fold-labels would merge"]
    scarce: Annotated[list[str], "classes of few rows"]
    unequal: Annotated[list[str], "unequal classes"]
    near: Annotated[Shared, "rows in {} that differ in case, blanks or punctuation"]
    unspaced: Annotated[list[str], "texts without blanks between words"]


def summarise(config: DataConfig) -> tuple[Overview, str, list[str]]:
    """As `Inspection` has it."""
    loaded = load_texts(config)
    splits = dict(zip(SPLITS, map(_summary, loaded), strict=True))
    first = [
        f"{short(one['label'], 30)}: {short(one['text'], 100)}" for one in splits["train"].examples
    ]
    return Overview(loaded[0].name, splits), "first of each class in train", first


def check(config: DataConfig) -> TextsFindings:
    """As `Inspection` has it."""
    defects: list[Defect] = []
    loader = TextLoader(config, report=defects.append)
    loaded = {split: loader.rows(split) for split in SPLITS}
    name = loaded["train"][0]
    rows = {split: rows for split, (_, rows) in loaded.items()}
    filled = {split: [row for row in part if row.text.strip()] for split, part in rows.items()}
    splits = summaries(
        filled, lambda split, part: _summary(loader.labelled(split, name, part)), defects
    )
    empty = [row.place for part in rows.values() for row in part if not row.text.strip()]
    seen = {
        split: [Seen(row.text, row.place, row.label) for row in part]
        for split, part in filled.items()
    }
    few = [line for split, one in splits.items() for line in scarce(split, one.classes)]
    train = splits.get("train")
    uneven = to_balance(train.classes) if train else []
    same = alike(row.label for part in filled.values() for row in part)
    exact = twins(seen)
    near = _near(seen, exact[2])
    long = [] if (told := unspaced(row.text for row in filled["train"])) is None else [told]
    return TextsFindings(name, splits, defects, empty, *exact, same, few, uneven, near, long)


def _near(seen: dict[str, list[Seen]], exact: Shared) -> Shared:
    """Rows that an earlier split has in another spelling."""
    spelled = {
        split: [one._replace(key=key) for one in part if (key := plain(str(one.key)))]
        for split, part in seen.items()
    }
    known = {key: {one.place for one in found} for key, found in exact.items()}
    shared = {
        key: [one for one in found if one.place not in known.get(key, ())]
        for key, found in twins(spelled)[2].items()
    }
    return {key: found for key, found in shared.items() if found}


def _summary(data: LabelledTexts) -> TextsSummary:
    counted = np.bincount(data.labels, minlength=len(data.label_names)).tolist()
    first = {label: row for row, label in reversed(list(enumerate(data.labels.tolist())))}
    return TextsSummary(
        rows=len(data),
        classes=dict(zip(data.label_names, counted, strict=True)),
        words=lengths_of([len(text.split()) for text in data.texts]),
        characters=lengths_of([len(text) for text in data.texts]),
        examples=[
            {"label": data.label_names[label], "text": data.texts[first[label]]}
            for label in sorted(first)
        ],
    )
