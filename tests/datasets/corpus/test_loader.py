from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textapps.core.errors import DataError
from textapps.datasets.bundled import bundled_dir
from textapps.datasets.config import CorpusConfig
from textapps.datasets.corpus.loader import load_corpora
from textapps.datasets.source import SPLITS

SHAKESPEARE = {"train": 1_003_854, "validation": 55_770, "test": 55_770}


def texts(source: object, **config: object) -> list[str]:
    """Those of train, validation and test."""
    given = CorpusConfig.model_validate({"source": str(source), **config})
    return [corpus.text for corpus in load_corpora(given, SPLITS)]


def test_a_text_is_cut_by_position(write) -> None:
    path = write("poem.txt", "".join(map(chr, range(1000, 1059))))
    train, validation, test = texts(path)
    assert (len(train), len(validation), len(test)) == (55, 2, 2)
    assert train + validation + test == path.read_text(encoding="utf-8")


@given(text=st.text(min_size=40, max_size=99, alphabet="ab\n詩"), share=st.floats(0.1, 0.9))
def test_nothing_is_lost_between_the_parts(tmp_path_factory, text: str, share: float) -> None:
    path = tmp_path_factory.mktemp("text") / "poem.txt"
    path.write_text(text, encoding="utf-8", newline="")
    assert "".join(texts(path)) == text
    train, validation, test = texts(path, split=share)
    assert (train + validation, test) == (text, validation)
    assert len(train) == int(share * len(text))


def test_a_share_joins_own_splits_first(write) -> None:
    rows = [("one", "train"), ("three", "test"), ("two", "dev")]
    table = "text\tsplit\n" + "".join(f"{text}\t{split}\n" for text, split in rows)
    path = write("rows.tsv", table)
    assert texts(path) == ["one", "two", "three"]
    train, rest, _ = texts(path, split=0.5)
    assert train + rest == "one\n\ntwo\n\nthree\n"
    assert len(train) == 8


def test_rows_are_joined_by_blank_lines(write) -> None:
    path = write("rows.csv", "text\none\ntwo\nthree\na fine film\n")
    corpora = load_corpora(CorpusConfig(source=str(path)))
    assert [corpus.text for corpus in corpora] == ["one\n\nthree\n", "a fine film", "two"]
    assert [(corpus.name, corpus.documents) for corpus in corpora[:2]] == [("rows", 2), ("rows", 1)]


def test_validation_and_test_can_come_from_elsewhere(write) -> None:
    main = write("main.txt", "m" * 60)
    other = write("other/validation.txt", "v" * 7).parent
    write("other/train.txt", "o" * 5)
    assert [len(part) for part in texts(main, validation_source=str(other))] == [57, 7, 3]
    # a source without splits is used whole
    assert [len(part) for part in texts(main, test_source=str(main))] == [57, 3, 60]
    both = {"validation_source": str(main), "test_source": str(main)}
    assert [len(part) for part in texts(main, **both)] == [60, 60, 60]


def test_only_missing_splits_are_carved_and_from_train(write) -> None:
    folder = write("songs/train.txt", "t" * 38 + "vv").parent
    write("songs/test.txt", "e" * 6)
    assert texts(folder) == ["t" * 38, "vv", "e" * 6]
    write("songs/dev.txt", "d" * 5)
    assert texts(folder) == ["t" * 38 + "vv", "d" * 5, "e" * 6]


def test_parts_without_text(write) -> None:
    path = write("poem.txt", "a cat")
    with pytest.raises(DataError, match="poem: no text for validation: use more, or give --valid"):
        texts(path)
    with pytest.raises(DataError, match=r"poem: no text for train$"):
        texts(path, split=0.1)
    rows = write("rows.tsv", "text\tsplit\na\ttest\nb\tdev\n")
    with pytest.raises(DataError, match="rows: no train split, only test, validation"):
        texts(rows)


def test_the_bundled_sample() -> None:
    corpora = load_corpora(CorpusConfig(source="sample"))
    verses = (bundled_dir() / "verses.txt").read_text(encoding="utf-8")
    assert "".join(corpus.text for corpus in corpora) == verses
    assert set(corpora[0].text) >= set(verses)


def test_the_fingerprint_is_that_of_the_text(write) -> None:
    config = CorpusConfig(source=str(write("poem.txt", "Größe" * 9)), split=0.5)
    first, again, test = load_corpora(config, ["train", "train", "test"])
    assert first.fingerprint == again.fingerprint != test.fingerprint
    assert (len(first.fingerprint), len(first)) == (64, 22)


def test_one_text_in_splits_is_put_together_again(prepare) -> None:
    directory = prepare("plays", train=[("to be, ", 0)], test=[("question", 0)], dev=[("or ", 0)])
    train, rest, _ = texts(directory.parent, split=0.5)
    assert (train, rest) == ("to be, or", " question")


def test_tiny_shakespeare(shared_data: Path) -> None:
    data_dir = str(shared_data / "tfds")
    parts = texts("tiny_shakespeare", data_dir=data_dir)
    assert dict(zip(SPLITS, map(len, parts), strict=True)) == SHAKESPEARE
    (whole,) = {"".join(texts(shared_data / "tinyshakespeare.txt.gz"))}
    assert "".join(parts) == whole
    train, rest, _ = texts("tiny_shakespeare", data_dir=data_dir, split=0.9)
    assert (train + rest, len(train)) == (whole, 1_003_854)


def test_tang_poems(shared_data: Path) -> None:
    path = shared_data / "poetry" / "tang_poems.tsv.gz"
    corpora = load_corpora(CorpusConfig(source=str(path)), SPLITS)
    assert sum(corpus.documents for corpus in corpora) == 57_599
    assert len(set(corpora[0].text)) > 9_000


def test_bad_rows_of_a_table_can_be_skipped(write, caplog: pytest.LogCaptureFixture) -> None:
    sentences = [f"text {number}" for number in range(60)]
    path = write("a.csv", "\n".join(["id,text", *(f"1,{text}" for text in sentences), "only", ""]))
    with pytest.raises(DataError, match=r"a\.csv:62: 1 cell in 2 columns"):
        load_corpora(CorpusConfig(source=str(path)))
    with caplog.at_level("WARNING", "textapps"):
        loaded = load_corpora(CorpusConfig(source=str(path), skip_bad=True))
    found = [text for corpus in loaded for text in corpus.text.strip().split("\n\n")]
    assert sorted(found) == sorted(sentences)
    assert caplog.messages == [f"a: 1 bad row skipped: {path}:62: 1 cell in 2 columns"]


def test_an_encoding_can_be_named(write) -> None:
    path = write("a.txt", ("né à 5€ " * 40).encode("cp1252"))
    (train,) = load_corpora(CorpusConfig(source=str(path), encoding="cp1252"), ["train"])
    assert train.text.startswith("né à 5€ né")
