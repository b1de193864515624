import pytest

from textapps.core.errors import DataError
from textapps.datasets.config import PairsConfig
from textapps.datasets.inspection import Twin
from textapps.datasets.pairs.inspection import check, summarise
from textapps.datasets.pairs.loader import load_pairs
from textapps.datasets.source import SPLITS, Defect

ROWS = (
    ("a cat", "eine Katze", "train"),
    ("a big red dog", "ein Hund", "train"),
    ("a cat", "eine Katze", "train"),
    ("a cat", "ein Kater", "train"),
    ("a cat", "eine Mieze", "dev"),
    ("the dog", "ein Hund", "test"),
)


@pytest.fixture
def path(write) -> str:
    lines = "".join(f"{','.join(row)}\n" for row in ROWS)
    return str(write("pets.csv", f"source,target,split\n{lines}"))


def test_summary(path: str) -> None:
    config = PairsConfig(source=path)
    overview, _, first = summarise(config)
    splits = overview.splits
    assert (overview.name, first[1]) == ("pets", "a big red dog → ein Hund")
    train, validation, _ = splits.values()
    assert (train.pairs, train.distinct, validation.pairs) == (4, 2, 1)
    lengths = {"shortest": 2, "median": 2, "percent_95": 2, "longest": 4}
    assert train.source_words == lengths
    assert set(train.target_words.values()) == {2}
    assert (train.source_characters["longest"], train.target_characters["longest"]) == (13, 10)
    assert train.examples == [{"source": row[0], "target": row[1]} for row in ROWS[:3]]
    loaded = load_pairs(config, SPLITS)
    assert [one.fingerprint for one in splits.values()] == [one.fingerprint for one in loaded]
    turned = summarise(PairsConfig(source=path, reverse=True))[0].splits["train"]
    assert (turned.distinct, turned.target_words) == (3, lengths)


def test_findings(path: str) -> None:
    found = check(PairsConfig(source=path))
    assert found.splits == summarise(PairsConfig(source=path))[0].splits
    place = [f"{path}:{number}" for number in range(9)]
    assert found.defects == []
    assert found.duplicates == [Twin(place[4], place[2])]
    assert found.variants == [Twin(place[5], place[2]), Twin(place[6], place[2])]
    assert found.shared_sources == {"train+validation": [Twin(place[6], place[2])]}
    assert found.shared_targets == {"train+test": [Twin(place[7], place[3])]}
    turned = check(PairsConfig(source=path, reverse=True))
    assert turned.shared_sources == found.shared_targets


def test_oddities_of_all_splits(write) -> None:
    lines = [f"{n} cats\t{n} Katzen" for n in range(12)] + ["a dog\ta dog", "猫\tkaksi kissaa"]
    path = write("pets.tsv", "\n".join(["en\tFI", *lines]))
    found = check(PairsConfig(source=str(path)))
    assert found.copies == [f"{path}:14"]
    assert found.other_scripts == [f"{path}:15: source in Cjk, not Latin"]
    assert found.headings == [f"{path}:1: en, FI"]
    assert (found.odd_lengths, found.single_words) == ([], [])


def test_all_defects_are_found(write) -> None:
    path = write("pets.tsv", b"one\teins\ntwo\t\n\xff\tb\nthree\n")
    found = check(PairsConfig(source=str(path)))
    assert [defect.place for defect in found.defects[:3]] == [f"{path}:{n}" for n in (2, 3, 4)]
    assert found.defects[3:] == [
        Defect(split, f"pets: no pairs for {split}: use more, or give --{split}-data")
        for split in ("validation", "test")
    ]
    assert found.splits["train"].examples[0] == {"source": "one", "target": "eins"}


def test_what_cannot_be_read_cannot_be_looked_at(write) -> None:
    files = {"source_file": str(write("a.en", "a\n")), "target_file": str(write("a.de", "a\nb\n"))}
    for look in (summarise, check):
        with pytest.raises(DataError, match="unequal numbers of lines, 1 in"):
            look(PairsConfig(**files))
