import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textapps.core.errors import DataError
from textapps.datasets.pairs.files import Pair, PairFile, ParallelFiles, one_line
from textapps.datasets.source import Defect

# What may stand in a sentence: all but surrogates, NUL and what ends a cell or a line.
SENTENCE = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\t\r\n"), min_size=1, max_size=9
).filter(str.strip)


def sides(source: PairFile | ParallelFiles, split: str | None = None) -> list[tuple[str, str]]:
    return [(pair.source, pair.target) for pair in source.pairs(split)]


@given(rows=st.lists(st.tuples(SENTENCE, SENTENCE), min_size=1, max_size=5), packed=st.booleans())
def test_what_was_written_as_tsv_is_read(tmp_path_factory, rows, packed: bool) -> None:
    raw = "".join(f"{source}\t{target}\n" for source, target in rows).encode()
    path = tmp_path_factory.mktemp("pairs") / ("rows.tsv.gz" if packed else "rows.tsv")
    path.write_bytes(gzip.compress(raw) if packed else raw)
    # a mark before the first sentence of a file is none of its characters
    first = (rows[0][0].removeprefix("\ufeff"), rows[0][1])
    if first[0].strip():
        expected = [(source.strip(), target.strip()) for source, target in [first, *rows[1:]]]
        assert sides(PairFile(path)) == expected


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=9))
def test_a_sentence_is_one_line(text: str) -> None:
    line = one_line(text)
    assert not set(line) & set("\t\r\n")
    assert one_line(line) == line
    assert line.split() == text.split()


def test_tsv_without_header_takes_two_columns_and_quotes_nothing(write) -> None:
    path = write("set.en-de.tsv", '"Go," he said.\t Geh. \tCC-BY\r\n\n  \nStop\u2028!\tHalt\n')
    source = PairFile(path)
    assert (source.name, source.own_splits) == ("set.en-de", frozenset())
    assert source.pairs(None) == [
        Pair('"Go," he said.', "Geh.", f"{path}:1"),
        Pair("Stop\u2028!", "Halt", f"{path}:4"),
    ]


def test_columns_of_tables(write) -> None:
    expected = [("a cat", "eine Katze"), ("a dog", "ein Hund")]
    tsv = write("rows.tsv", "id\tde\ten\n1\teine Katze\ta cat\n2\tein Hund\ta dog\n")
    assert sides(PairFile(tsv, "en", "DE")) == expected
    csv = write("rows.csv", 'TGT,n,Source\n"eine\n Katze",1,a cat\nein Hund,2,a dog\n')
    assert sides(PairFile(csv)) == expected
    rows = [{"input": source, "translation": target} for source, target in expected]
    lines = write("rows.jsonl.GZ", gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    assert sides(PairFile(lines)) == expected
    assert PairFile(lines).name == "rows"


def test_a_split_column_makes_own_splits(write) -> None:
    path = write("rows.csv", "source,target,split\na,b,Train\nc,d,dev\ne,f,train\n")
    source = PairFile(path)
    assert source.own_splits == {"train", "validation"}
    assert sides(source, "train") == [("a", "b"), ("e", "f")]
    assert sides(source, "validation") == [("c", "d")]
    for value in ("", "some"):
        write("rows.csv", f"source,target,split\na,b,{value}\n")
        with pytest.raises(DataError, match=f"rows.csv:2: unknown split '{value}', write one of"):
            PairFile(path).pairs(None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a\tb\n\nonly\n", r"rows\.tsv:3: no target sentence in this pair"),
        ("a\tb\nc\t \td\n", r"rows\.tsv:2: no target sentence"),
        (" \tb\n", r"rows\.tsv:1: no source sentence"),
        ("", r"rows\.tsv: no sentence pairs in this file"),
        ("\n \n", r"rows\.tsv: no sentence pairs in this file"),
        (b"\x89PNG\r\n\x1a\n", r"rows\.tsv:1: not UTF-8 \(byte 0x89 at position 1\)"),
        (b"a\tb\0\n", r"rows\.tsv:1: a NUL character: UTF-16 or binary"),
    ],
)
def test_bad_rows(write, content: str | bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        PairFile(write("rows.tsv", content)).pairs(None)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ((None, None), "no source column, the columns are en, de; name it with --source-column"),
        (("en", "dee"), "no column 'dee', .* with --target-column; did you mean 'de'"),
        (("de", "de"), "column 'de' cannot be both source and target"),
    ],
)
def test_wrong_columns(write, columns: tuple[str | None, str | None], message: str) -> None:
    with pytest.raises(DataError, match=rf"rows\.csv: {message}"):
        PairFile(write("rows.csv", "en,de\na,b\n"), *columns).pairs(None)


def test_rows_of_tables_without_a_side(write) -> None:
    path = write("rows.jsonl", '{"source": "a", "target": "b"}\n{"source": "c"}\n{}\n')
    with pytest.raises(DataError, match=r"rows\.jsonl:2: no target sentence"):
        PairFile(path).pairs(None)
    defects: list[Defect] = []
    assert sides(PairFile(path, report=defects.append)) == [("a", "b")]
    assert defects == [
        Defect(f"{path}:2", "no target sentence in this pair"),
        Defect(f"{path}:3", "no source and no target sentence in this pair"),
    ]


def test_other_files_are_refused(write, tmp_path: Path) -> None:
    for name in ("rows.txt", "rows.xlsx", "train.en"):
        with pytest.raises(DataError, match=rf"{name}: unknown kind .*or --source-file and"):
            PairFile(write(name, "a\tb\n"))
    with pytest.raises(DataError, match="damaged or not gzip"):
        PairFile(write("rows.tsv.gz", "a\tb\n")).pairs(None)
    with pytest.raises(DataError, match=r"cannot read .*none\.tsv: No such file"):
        PairFile(tmp_path / "none.tsv").pairs(None)


def test_parallel_files(write) -> None:
    english = write("news.v2.en.gz", gzip.compress(b"\xef\xbb\xbfa cat\n\n a dog\n"))
    german = write("news.v2.de", "eine Katze\r\n \r\nein Hund")
    source = ParallelFiles(english, german)
    assert (source.name, source.own_splits) == ("news.v2", frozenset())
    assert source.pairs(None) == [
        Pair("a cat", "eine Katze", f"{english}:1"),
        Pair("a dog", "ein Hund", f"{english}:3"),
    ]


def test_parallel_files_of_unequal_length_are_named_with_their_counts(write) -> None:
    english, german = write("a.en", "a\nb\nc\n"), write("a.de", "a\n" * 1200)
    expected = f"unequal numbers of lines, 3 in {english} and 1,200 in {german}: line n of one"
    with pytest.raises(DataError) as caught:
        ParallelFiles(english, german).pairs(None)
    assert str(caught.value).startswith(expected)


@pytest.mark.parametrize(
    ("english", "german", "message"),
    [
        ("a\n\nc\n", "a\nb\nc\n", r"a\.en:2: no source sentence"),
        ("a\nb\nc\n", "a\nb\n \n", r"a\.de:3: no target sentence"),
        ("", "", r"a\.en and .*a\.de: no sentence pairs in these files"),
        ("\n\n", " \n\n", r"a\.en and .*a\.de: no sentence pairs in these files"),
        ("a\n", b"\xff\xfe\n", r"a\.de:1: not UTF-8"),
    ],
)
def test_bad_parallel_files(write, english: str, german: str | bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        ParallelFiles(write("a.en", english), write("a.de", german)).pairs(None)
