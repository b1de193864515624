import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textapps.core.errors import DataError
from textapps.datasets.config import PairsConfig
from textapps.datasets.pairs.sources import Pair, ParallelFiles, one_line, open_pairs
from textapps.datasets.source import Defect, stop

# What may stand in a sentence: all but surrogates, NUL and what ends a cell or a line.
SENTENCE = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\t\r\n"), min_size=1, max_size=9
).filter(str.strip)
EN_DE = {"source_column": "en", "target_column": "DE"}


def pairs(path: Path, report=stop, **columns: str) -> list[Pair]:
    return open_pairs(str(path), PairsConfig(**columns), report).examples(None)


def sides(found: list[Pair]) -> list[tuple[str, str]]:
    return [(pair.source, pair.target) for pair in found]


@given(rows=st.lists(st.tuples(SENTENCE, SENTENCE), min_size=1, max_size=5), packed=st.booleans())
def test_what_was_written_as_tsv_is_read(tmp_path_factory, rows, packed: bool) -> None:
    raw = "".join(f"{source}\t{target}\n" for source, target in rows).encode()
    path = tmp_path_factory.mktemp("pairs") / ("rows.tsv.gz" if packed else "rows.tsv")
    path.write_bytes(gzip.compress(raw) if packed else raw)
    # a mark before the first sentence of a file is none of its characters
    first = (rows[0][0].removeprefix("\ufeff"), rows[0][1])
    if first[0].strip():
        expected = [(source.strip(), target.strip()) for source, target in [first, *rows[1:]]]
        assert sides(pairs(path)) == expected


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=9))
def test_a_sentence_is_one_line(text: str) -> None:
    line = one_line(text)
    assert not set(line) & set("\t\r\n")
    assert one_line(line) == line
    assert line.split() == text.split()


def test_tsv_without_header_takes_two_columns_and_quotes_nothing(write) -> None:
    path = write("set.tsv", '"Go," he said.\t Geh. \tCC-BY\r\n\n  \nStop\u2028!\tHalt\n')
    assert pairs(path) == [
        Pair('"Go," he said.', "Geh.", f"{path}:1"),
        Pair("Stop\u2028!", "Halt", f"{path}:4"),
    ]


def test_columns_of_tables(write) -> None:
    expected = [("a cat", "eine Katze"), ("a dog", "ein Hund")]
    tsv = write("rows.tsv", "id\tde\ten\n1\teine Katze\ta cat\n2\tein Hund\ta dog\n")
    assert sides(pairs(tsv, **EN_DE)) == expected
    csv = write("rows.csv", 'TGT,n,Source\n"eine\n Katze",1,a cat\nein Hund,2,a dog\n')
    assert sides(pairs(csv)) == expected
    rows = [{"input": source, "translation": target} for source, target in expected]
    lines = write("rows.jsonl.GZ", gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    assert sides(pairs(lines)) == expected


@pytest.mark.parametrize(
    ("name", "content", "columns", "message"),
    [
        ("rows.tsv", "a\tb\n\nonly\n", {}, "rows.tsv:3: no target sentence in this pair"),
        ("rows.tsv", "a\tb\nc\t \td\n", {}, "rows.tsv:2: no target sentence"),
        ("rows.tsv", " \tb\n", {}, "rows.tsv:1: no source sentence"),
        ("rows.tsv", "only\n", {}, "rows.tsv:1: no target sentence"),
        ("rows.tsv", "\n \n", {}, "rows.tsv: no rows in this file"),
        ("rows.tsv", b"\x89PNG\r\n", {}, "rows.tsv:1: not UTF-8 (byte 0x89 at position 1)"),
        ("rows.tsv", b"a\tb\0\n", {}, "rows.tsv:1: a NUL character: UTF-16 or binary"),
        ("rows.csv", "en,de\na,b\n", {}, "no source column, the columns are en, de; name it with"),
        (
            "rows.csv",
            "en,dee\na,b\n",
            EN_DE,
            "no column 'DE', the columns are en, dee; name it with --target-column",
        ),
        (
            "rows.csv",
            "en,de\na,b\n",
            dict.fromkeys(EN_DE, "de"),
            "column 'de' cannot be both source and target",
        ),
        ("rows.txt", "a\tb\n", {}, ".xlsx, or --source-file and --target-file"),
        ("train.en", "a\n", {}, "train.en: unknown kind of file, use .csv"),
    ],
)
def test_files_that_cannot_be_used(write, name, content, columns, message: str) -> None:
    with pytest.raises(DataError) as caught:
        pairs(write(name, content), **columns)
    assert message in str(caught.value)


def test_rows_without_a_side(write) -> None:
    path = write("rows.jsonl", '{"source": "a", "target": "b"}\n{"source": "c"}\n{}\n')
    defects: list[Defect] = []
    assert sides(pairs(path, defects.append)) == [("a", "b")]
    assert defects == [
        Defect(f"{path}:2", "no target sentence in this pair"),
        Defect(f"{path}:3", "no source and no target sentence in this pair"),
    ]


def test_parallel_files(write) -> None:
    english = write("news.v2.en.gz", gzip.compress(b"\xef\xbb\xbfa cat\n\n a dog\n"))
    german = write("news.v2.de", "eine Katze\r\n \r\nein Hund")
    source = ParallelFiles(english, german)
    assert (source.name, source.own_splits) == ("news.v2", frozenset())
    assert source.examples(None) == [
        Pair("a cat", "eine Katze", f"{english}:1"),
        Pair("a dog", "ein Hund", f"{english}:3"),
    ]


def test_parallel_files_of_unequal_length_are_named_with_their_counts(write) -> None:
    english, german = write("a.en", "a\nb\nc\n"), write("a.de", "a\n" * 1200)
    expected = f"unequal numbers of lines, 3 in {english} and 1,200 in {german}: line n of one"
    with pytest.raises(DataError) as caught:
        ParallelFiles(english, german).examples(None)
    assert str(caught.value).startswith(expected)


@pytest.mark.parametrize(
    ("english", "german", "message"),
    [
        ("a\n\nc\n", "a\nb\nc\n", r"a\.en:2: no source sentence"),
        ("a\nb\nc\n", "a\nb\n \n", r"a\.de:3: no target sentence"),
        ("", "", r"a\.en and .*a\.de: no sentence pairs in these files"),
        ("\n\n", " \n\n", r"a\.en and .*a\.de: no sentence pairs in these files"),
        ("a\n", b"\xff\xfd\n", r"a\.de:1: not UTF-8"),
    ],
)
def test_bad_parallel_files(write, english: str, german: str | bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        ParallelFiles(write("a.en", english), write("a.de", german)).examples(None)
