"""The rule, and which split of which source an example comes from."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textapps.core.errors import DataError
from textapps.datasets.clips.config import ClipsConfig
from textapps.datasets.clips.loader import load_clips
from textapps.datasets.config import CorpusConfig, DataConfig, PairsConfig
from textapps.datasets.corpus.loader import load_corpora
from textapps.datasets.pairs.loader import load_pairs
from textapps.datasets.source import SPLITS
from textapps.datasets.splits import Splitter, carve, split_of
from textapps.datasets.texts.loader import load_texts

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
# By the rule: "one" trains, "a fine film" validates, "two" tests.
KEYS = {"train": "one", "validation": "a fine film", "test": "two"}


def warden(key: str) -> str:
    """The rule as the Speech Commands paper spells it, in percent."""
    number = int(hashlib.sha1(key.encode("utf-8")).hexdigest(), 16)
    percentage = (number % 2**27) * (100.0 / (2**27 - 1))
    if percentage < 10:
        return "validation"
    return "test" if percentage < 20 else "train"


@given(TEXT)
def test_rule(key: str) -> None:
    assert split_of(key) == warden(key)


def test_shares() -> None:
    splits = [split_of(str(number)) for number in range(4000)]
    assert 0.08 < splits.count("validation") / 4000 < 0.12
    assert 0.08 < splits.count("test") / 4000 < 0.12


@given(
    st.lists(st.tuples(TEXT, st.sampled_from(["", "a", "two", "a fine film"])), max_size=20),
    st.sets(st.sampled_from(SPLITS[1:])),
)
def test_groups_stay_together_and_nothing_is_lost(
    rows: list[tuple[str, str]], missing: Collection[str]
) -> None:
    parts = carve(rows, missing, lambda row: row[1] or row[0])
    assert set(parts) == {"train", *missing}
    for split, part in parts.items():
        assert part == [
            row
            for row in rows
            if (warden(row[1] or row[0]) if warden(row[1] or row[0]) in missing else "train")
            == split
        ]


@dataclass
class Stub:
    """A source of texts by split, which notes what is read of it."""

    name: str
    texts: dict[str | None, list[str]]
    read: list[str | None] = field(default_factory=list)

    @property
    def own_splits(self) -> frozenset[str]:
        return frozenset(split for split in self.texts if split)

    def examples(self, split: str | None) -> list[str]:
        self.read.append(split)
        return self.texts[split]


def splitter(main: Stub, **given: Stub) -> Splitter[str]:
    return Splitter(
        lambda: main,
        DataConfig(**{f"{split}_source": split for split in given}),
        given.__getitem__,
        lambda texts, missing: carve(texts, missing, str),
    )


ALL = [*KEYS.values(), "three"]  # "three" trains too


@pytest.mark.parametrize(
    ("main", "given_for", "parts"),
    [
        ({None: ALL}, {}, (["one", "three"], ["a fine film"], ["two"])),
        # rows that the rule would put into test are for training where test is the set's own
        (
            {"train": ALL, "test": ["x"]},
            {},
            (["one", "two", "three"], ["a fine film"], ["x"]),
        ),
        ({"train": ALL, "validation": ["y"], "test": ["x"]}, {}, (ALL, ["y"], ["x"])),
        # a source given for one split takes its place; what is not split is taken whole
        ({None: ALL}, {"test": {None: ["z"]}}, (["one", "two", "three"], ["a fine film"], ["z"])),
        ({"train": ALL, "test": ["x"]}, {"test": {None: ["z"]}}, (None, ["a fine film"], ["z"])),
        ({None: ALL}, {key: {None: ["z"]} for key in SPLITS[1:]}, (ALL, ["z"], ["z"])),
        # of a source with splits its part of this name, or the only one it has
        ({None: ALL}, {"test": {"train": ["a"], "test": ["b"]}}, (None, None, ["b"])),
        ({None: ALL}, {"validation": {"test": ["b"]}}, (None, ["b"], ["two"])),
    ],
)
def test_which_examples_a_split_has(main, given_for, parts) -> None:
    given = {split: Stub(f"other {split}", texts) for split, texts in given_for.items()}
    loader = splitter(Stub("main", main), **given)
    for split, expected in zip(SPLITS, parts, strict=True):
        name, found = loader.examples(split)
        assert expected in (None, found)
        assert name == (f"other {split}" if split in given else "main")


def test_the_main_source_is_read_once_and_test_not_at_all() -> None:
    main = Stub("main", {"train": ALL, "test": ["x"]})
    loader = splitter(main)
    assert [loader.examples(split)[1] for split in SPLITS[:2]] == [ALL[:1] + ALL[2:], ALL[1:2]]
    assert main.read == ["train"]


@pytest.mark.parametrize(
    ("main", "given_for", "split", "message"),
    [
        ({"test": ["x"]}, {}, "train", "main: no train split, only test"),
        ({"test": ["x"]}, {}, "validation", "main: no train split, only test"),
        (
            {None: ALL},
            {"validation": {"test": ["b"], "train": ["a"]}},
            "validation",
            "other: no validation split, only test, train",
        ),
    ],
)
def test_splits_that_a_source_lacks(main, given_for, split: str, message: str) -> None:
    given = {name: Stub("other", texts) for name, texts in given_for.items()}
    with pytest.raises(DataError, match=f"^{message}$"):
        splitter(Stub("main", main), **given).examples(split)


@pytest.mark.parametrize(
    ("main", "given_for", "part", "rows"),
    [
        ({None: ALL}, {}, "all", ALL),
        ({"train": ALL, "test": ["x"]}, {}, "test", ["x"]),
        ({"validation": ["y"]}, {}, "validation", ["y"]),
        ({"train": ALL}, {}, "all", ALL),
        ({None: ALL}, {"test": {None: ["z"]}}, "test", ["z"]),
    ],
)
def test_which_part_of_other_data_is_evaluated(main, given_for, part: str, rows) -> None:
    given = {split: Stub(f"other {split}", texts) for split, texts in given_for.items()}
    loader = splitter(Stub("main", main), **given)
    assert loader.to_evaluate(None) == part
    assert loader.examples(part)[1] == rows
    assert [loader.to_evaluate(split) for split in (*SPLITS, "all")] == [*SPLITS, "all"]


def test_other_data_without_a_test_split_need_a_choice() -> None:
    loader = splitter(Stub("main", {"validation": ["y", "w"], "train": ALL}))
    with pytest.raises(DataError, match=r"no test split, only train, validation; .* --split all"):
        loader.to_evaluate(None)
    assert loader.examples("all") == ("main", [*ALL, "y", "w"])


# sha256 of each split of each sample; another value is another split, and other figures of runs
PINNED = {
    "texts": (
        "b074bfe760b78f99c6972b726931a052ee28f1deb28da6bd3b1a8c5970657d5e",
        "099265f71e6287d78993736c56c4b921cae160b9e0fef6afac6317135a0c596d",
        "bbacf8830ddc5ccf4868315116ab9bfac21a8f2a5e4d09489cd03cf960a68d59",
    ),
    "corpus": (
        "a5b090b08fa9c9d1e13e2f59b1ef12f7d012179ab077e76bc748a98ff951739d",
        "8a262d5030f150e759d773b314370b6782cc69bc0ddc11093b1b184be9319926",
        "8740f2df9b9eed2b0b27ec4c5c48ed296dc3b64deb069be564d710ceb438c328",
    ),
    "pairs": (
        "ff192e228aa1c23dd975238d3f4f02294157283ffdf4b7d3522753d7d224ed86",
        "f826f428745a7bacadf5069682b939ff6e561e79d84d6d811592d021c1eba394",
        "862f8ef1519116a2adb0704a66d427bc7e811bb0fb4827d7d6b9061e9c43ae22",
    ),
    "clips": (
        "a6ec802dd72fe3f4c17eec76b9e6a707fe64210274c58004a5496a90f63ba7a5",
        "d7780e69d98004f7dd51d0dc10d152eb0a5fa81cf633721d599b9117728caf22",
        "b6f327e7845d11e7023c5e49c5c7b85ab112d98529ad0acb204f96a9737a4e23",
    ),
}


@pytest.mark.parametrize("kind", PINNED)
def test_the_samples_are_split_as_they_always_were(kind: str) -> None:
    loaded = {
        "texts": lambda: load_texts(DataConfig(source="sample")),
        "corpus": lambda: load_corpora(CorpusConfig(source="sample")),
        "pairs": lambda: load_pairs(PairsConfig(source="sample")),
        "clips": lambda: load_clips(
            ClipsConfig(source="sample", commands=("bado", "doba")),
            SPLITS,
            lambda wave, _: wave,
            lambda wave, _: wave,
        ),
    }[kind]()
    assert tuple(split.fingerprint for split in loaded) == PINNED[kind]
    assert {split.name for split in loaded} == {"sample"}


# The same rows in a table of each kind. The key is "one", "a fine film" or "two"; its other cells
# would fall elsewhere.
ROWS = [(split, f"{key} x", key) for split, key in KEYS.items() for _ in range(2)]


@pytest.mark.parametrize("kind", ["texts", "corpus", "pairs"])
def test_the_key_of_each_kind(write, kind: str) -> None:
    header, cells = {
        "texts": ("label,text,group", lambda other, key, n: f"{n % 2},{other} {n},{key}"),
        "corpus": ("n,text", lambda other, key, n: f"{n},{key}"),
        "pairs": ("target,source", lambda other, key, n: f"{other},{key}"),
    }[kind]
    rows = [cells(other, key, number) for number, (_, other, key) in enumerate(ROWS)]
    path = str(write("rows.csv", "\n".join([header, *rows])))
    loaded = {
        "texts": lambda: [split.texts for split in load_texts(DataConfig(source=path))],
        "corpus": lambda: [
            split.text.split("\n")[:-1:2] for split in load_corpora(CorpusConfig(source=path))
        ],
        "pairs": lambda: [split.targets for split in load_pairs(PairsConfig(source=path))],
    }[kind]()
    column = {"texts": 1, "corpus": 1, "pairs": 0}[kind]
    for split, found in zip(SPLITS, loaded, strict=True):
        own = [row for row, (rule, _, _) in zip(rows, ROWS, strict=True) if rule == split]
        assert list(found) == [row.split(",")[column] for row in own]


LOADERS = {
    "texts": lambda path, split: load_texts(DataConfig(source=path), (split,)),
    "corpus": lambda path, split: load_corpora(CorpusConfig(source=path), (split,)),
    "pairs": lambda path, split: load_pairs(PairsConfig(source=path), (split,)),
}


@pytest.mark.parametrize("kind", LOADERS)
def test_the_part_of_a_table(write, kind: str) -> None:
    """The columns fit all kinds; a corpus counts characters, which are as many as the rows here."""
    rows = [f"{key},{number % 2},{key}" for number, (_, _, key) in enumerate(ROWS)]
    width = dict.fromkeys(("texts", "pairs"), len).get(kind, lambda keys: len("".join(keys)))
    keys = [key for _, _, key in ROWS]

    def part(name: str, content: list[str], split: str | None) -> tuple[str, int, int | None]:
        [found] = LOADERS[kind](str(write(name, "\n".join(content))), split)
        return found.part[:3]

    header = "text,label,target" if kind != "pairs" else "source,label,target"
    plain = [header, *rows]
    assert part("plain.csv", plain, None) == ("all", width(keys), width(keys))
    assert part("plain.csv", plain, "all") == ("all", width(keys), width(keys))
    assert part("plain.csv", plain, "test") == ("test", width(["two", "two"]), width(keys))
    splits = ["train", "train", *["test"] * 4]
    own = [f"{header},split", *map(",".join, zip(rows, splits, strict=True))]
    assert part("own.csv", own, None) == ("test", width(keys[2:]), width(keys))
    assert part("own.csv", own, "all") == ("all", width(keys), width(keys))
