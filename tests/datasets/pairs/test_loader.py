from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textapps.core.config import resolve
from textapps.core.errors import ConfigurationError, DataError
from textapps.datasets.config import PairsConfig
from textapps.datasets.pairs.examples import Pairs
from textapps.datasets.pairs.loader import load_pairs
from textapps.datasets.source import SPLITS
from textapps.datasets.splits import split_of

ROWS = [(f"sentence {number // 2}", f"Satz {number}") for number in range(80)]


def load(source: object = "sample", **config: object) -> list[Pairs]:
    """Train, validation and test."""
    return load_pairs(PairsConfig.model_validate({"source": str(source), **config}), SPLITS)


def rows(pairs: Pairs) -> list[tuple[str, str]]:
    return list(zip(pairs.sources, pairs.targets, strict=True))


def table(pairs: list[tuple[str, str]]) -> str:
    return "".join(f"{source}\t{target}\n" for source, target in pairs)


@given(
    st.lists(
        st.tuples(st.text("ab ", min_size=1, max_size=4), st.text("xyz", min_size=1, max_size=3)),
        min_size=1,
        max_size=30,
    )
)
def test_translations_of_a_sentence_stay_together(tmp_path_factory, drawn) -> None:
    fixed = [("one", "1"), ("a fine film", "2"), ("two", "3")]  # one for each split
    given_rows = [(source.strip() or "c", target) for source, target in drawn] + fixed
    path = tmp_path_factory.mktemp("pairs") / "rows.tsv"
    path.write_text(table(given_rows), encoding="utf-8", newline="")
    loaded = load(path)
    assert sorted(row for pairs in loaded for row in rows(pairs)) == sorted(given_rows)
    train, validation, test = (set(pairs.sources) for pairs in loaded)
    assert len(train) + len(validation) + len(test) == len(train | validation | test)
    for forward, backward in zip(loaded, load(path, reverse=True), strict=True):
        assert (backward.sources, backward.targets) == (forward.targets, forward.sources)


def test_two_files_take_the_place_of_the_source(write) -> None:
    english = write("rows.en", "".join(f"{source}\n" for source, _ in ROWS))
    german = write("rows.de", "".join(f"{target}\n" for _, target in ROWS))
    files = {"source_file": str(english), "target_file": str(german)}
    assert load(**files) == load(write("rows.tsv", table(ROWS)))
    reverse = load(**files, reverse=True)[0]
    assert reverse.sources[0].startswith("Satz")
    with pytest.raises(DataError, match=r"no such file or folder: .*none\.de"):
        load(**{**files, "target_file": str(german.with_name("none.de"))})


@pytest.mark.parametrize("half", ["source_file", "target_file", "source_column", "target_column"])
def test_half_of_what_goes_together(half: str) -> None:
    kind = half.partition("_")[2]
    message = f"^source_{kind} and target_{kind} go together: give both or none$"
    with pytest.raises(ConfigurationError, match=message):
        resolve(PairsConfig, flags={half: "a.en"})


def test_other_sources_are_turned_too(write) -> None:
    main = write("rows.csv", "source,target\n" + "".join(f"{a},{b}\n" for a, b in ROWS))
    other = write("other.tsv", "a\tb\nc\td\n")
    train, validation, test = load(main, test_source=str(other), reverse=True)
    assert len(train) + len(validation) == len(ROWS)
    assert (rows(test), test.name) == ([("b", "a"), ("d", "c")], "other")


def test_bad_rows_can_be_skipped(write, caplog: pytest.LogCaptureFixture) -> None:
    good = "".join(f"{number} cats\tKATZEN {number}\n" for number in range(90))
    path = write("a.tsv", good.encode() + b"no \xff\ttext\nno target\t\n")
    with caplog.at_level("WARNING", "textapps"):
        found = [row for pairs in load(path, skip_bad=True) for row in rows(pairs)]
    assert sorted(found) == sorted(tuple(line.split("\t")) for line in good.splitlines())
    (said,) = caplog.messages
    assert said.startswith(f"{path}: 2 bad rows skipped: {path}:91: not UTF-8")


def test_parts_without_pairs(write) -> None:
    with pytest.raises(DataError, match="rows: no pairs for validation: use more, or give --valid"):
        load(write("rows.tsv", "one\teins\n"))
    with pytest.raises(DataError, match=r"rows: no pairs for train$"):
        load(write("rows.tsv", "two\tzwei\n"))


def test_the_fingerprint_is_of_pairs_and_their_order(write) -> None:
    contents = ("a\tb\nc\td\n", "a\tb\nc\td\te\n", "c\td\na\tb\n", "a\td\nc\tb\n")
    other = {"validation_source": "sample", "test_source": "sample"}
    found = [load(write("rows.tsv", text), **other)[0].fingerprint for text in contents]
    found.append(load(write("rows.tsv", contents[0]), **other, reverse=True)[0].fingerprint)
    assert found[0] == found[1]
    assert (len(set(found)), len(found[0])) == (4, 64)


def test_the_bundled_sample() -> None:
    loaded = load()
    assert {pairs.name for pairs in loaded} == {"sample"}
    assert [len(pairs.sources) for pairs in loaded] == [3218, 399, 383]
    # learned by heart none of it can be answered
    train, *others = loaded
    assert not any(set(train.sources) & set(other.sources) for other in others)
    assert not any(set(train.targets) & set(other.targets) for other in others)


@pytest.fixture
def talks(prepare_pairs: Callable[..., Path]) -> Path:
    """A set from Portuguese to English, which is not the order of the names."""
    pairs = [*ROWS, ("", "nothing"), ("um\n dois", "\tone two")]
    return prepare_pairs("talks", ("pt", "en"), "pt_to_en", train=pairs, test=[("olá", "hello")])


def test_translation_sets_of_tensorflow_datasets(
    talks: Path, caplog: pytest.LogCaptureFixture
) -> None:
    expected = [*ROWS, ("um dois", "one two")]
    train, validation, test = load(talks.parents[1])
    assert rows(validation) == [row for row in expected if split_of(row[0]) == "validation"]
    assert rows(train) == [row for row in expected if split_of(row[0]) != "validation"]
    assert rows(test) == [("olá", "hello")]
    assert caplog.messages[0] == (
        "1 row left out, such as talks-pt_to_en/train:81: no source sentence in this pair"
    )
    reverse = load(talks.parents[1], reverse=True)[2]
    assert rows(reverse) == [("hello", "olá")]


def test_columns_of_translation_sets(talks: Path, prepare_pairs: Callable[..., Path]) -> None:
    named = load(talks.parents[1], source_column="en", target_column="PT")
    assert rows(named[2]) == [("hello", "olá")]
    with pytest.raises(
        DataError, match="no column 'de', the columns are en, pt; name it with --so"
    ):
        load(talks.parents[1], source_column="de", target_column="pt")
    plain = prepare_pairs("plain", ("pt", "en"), keys=False, train=ROWS)
    with pytest.raises(DataError, match="no source column, the columns are en, pt; name it with"):
        load(plain.parent)
    assert rows(load(plain.parent, source_column="pt", target_column="en")[0])[0] == ROWS[0]


def test_resolved_makes_all_paths_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("val.tsv").touch()
    config = PairsConfig(
        source_file="a.en", target_file="a.de", validation_source="val.tsv", test_source="sample"
    )
    assert config.resolved() == PairsConfig(
        source_file=str(tmp_path / "a.en"),
        target_file=str(tmp_path / "a.de"),
        validation_source=str(tmp_path / "val.tsv"),
        test_source="sample",
    )
