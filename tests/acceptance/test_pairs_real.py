"""Real sentence pairs as they are published: no training, half a minute."""

from pathlib import Path

import pytest

from textapps.datasets.config import PairsConfig
from textapps.datasets.pairs.loader import load_pairs
from textapps.datasets.source import SPLITS

pytestmark = pytest.mark.acceptance


def test_multi30k(shared_data: Path) -> None:
    """Three files; the one sentence that stands in two of them is Multi30k's own doing."""
    folder = shared_data / "multi30k"
    names = [f"{name}.en-de.tsv.gz" for name in ("train", "val", "test_2016_flickr")]
    config = dict(
        zip(
            ("source", "validation_source", "test_source"),
            (str(folder / name) for name in names),
            strict=True,
        )
    )
    loaded = load_pairs(PairsConfig.model_validate(config), SPLITS)
    assert [len(pairs.sources) for pairs in loaded] == [29_000, 1_014, 1_000]
    assert loaded[0].name == "train.en-de"
    assert loaded[0].sources[0] == "Two young, White males are outside near many bushes."
    assert loaded[2].targets[-1].endswith(".")
    train, validation, test = (set(pairs.sources) for pairs in loaded)
    assert train & validation == {"A man in a black shirt is singing into a microphone."}
    assert not train & test
    assert not validation & test


@pytest.mark.parametrize(
    ("name", "pairs", "sentences"),
    [("spa-eng", 118_964, 102_904), ("cmn-eng_simplified", 29_155, None)],
)
def test_tatoeba(shared_data: Path, name: str, pairs: int, sentences: int | None) -> None:
    """One file, of which no English sentence is in two splits, in either direction."""
    source = str(shared_data / "tatoeba" / f"{name}.tsv.gz")
    loaded = load_pairs(PairsConfig(source=source), SPLITS)
    sizes = [len(split.sources) for split in loaded]
    assert sum(sizes) == pairs
    assert [size / pairs for size in sizes] == pytest.approx([0.8, 0.1, 0.1], abs=0.005)
    english = [set(split.sources) for split in loaded]
    distinct = len(set.union(*english))
    assert sum(map(len, english)) == distinct
    assert sentences in (distinct, None)
    turned = load_pairs(PairsConfig(source=source, reverse=True), SPLITS)
    assert [set(split.targets) for split in turned] == english
    assert [split.targets for split in turned] == [split.sources for split in loaded]
