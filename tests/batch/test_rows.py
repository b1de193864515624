"""One row for each that stands in a file, whatever is wrong with some."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given

from tests.batch.files import FORMATS, encoded, rows, write
from textapps.batch.rows import read_rows
from textapps.core.errors import DataError
from textapps.datasets.clips import bytes as recording_bytes


@pytest.mark.parametrize("suffix", [*FORMATS, *(f"{suffix}.gz" for suffix in FORMATS[:-1])])
def test_every_row_is_there_once_and_in_order(tmp_path: Path, suffix: str) -> None:
    @given(rows)
    def check(drawn: list[str | int]) -> None:
        path = write(tmp_path / f"in{suffix}", encoded(suffix.removesuffix(".gz"), drawn))
        found = list(read_rows(path, "text", None))
        assert [row.position for row in found] == list(range(len(drawn)))
        assert [bool(row.reason) for row in found] == [isinstance(row, int) for row in drawn]
        for row, text in zip(found, drawn, strict=True):
            if isinstance(text, str):
                # a byte order mark at the very beginning of a file is none of the text
                first = row.line == 1 and text.startswith("\ufeff") and suffix != ".parquet"
                assert row.text == (text[1:] if first else text)
                assert row.payload == row.text.encode()

    check()


def test_a_row_says_where_it_stands_and_what_is_wrong(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", b'text,id\n"two\nlines",1\nonly\n"\xff",3\n')
    two, short, undecodable = read_rows(path, "text", None)
    assert (two.line, two.text, two.reason) == (2, "two\nlines", "")
    assert (short.line, short.reason) == (4, "1 cell in 2 columns")
    assert (undecodable.line, undecodable.text) == (5, "")
    assert undecodable.reason.startswith("not UTF-8 (byte 0xff at position 2)")


def test_a_row_of_json_may_lack_the_column(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", b'{"id": 1}\n{"review": "good"}\n\n{"review": null}\n{}\n')
    found = list(read_rows(path, "text", None))
    assert [row.line for row in found] == [1, 2, 4, 5]
    assert found[0].reason == "no text column, the columns are id; name it with --text-column"
    assert [row.text for row in found[1:3]] == ["good", ""]
    assert found[3].reason


@pytest.mark.parametrize(
    ("content", "column", "texts"),
    [
        (b"1,good\n2\n3,bad\n", "2", ["good", "bad"]),
        (b'id,data\n1,{}\n2,"{""text"": ""good""}"\n3,{}\n', "data.text", ["good"]),
        (
            b'id,data\n1,"{""text"": ""good""}"\n2,"{""text"": ""cut \\ud83d""}"\n',
            "data.text",
            ["good"],
        ),
    ],
)
def test_a_row_of_csv_without_the_cell_is_a_bad_row(
    tmp_path: Path, content: bytes, column: str, texts: list[str]
) -> None:
    found = list(read_rows(write(tmp_path / "a.csv", content), "text", column))
    assert [row.text for row in found if not row.reason] == texts
    assert all(row.text == "" for row in found if row.reason)
    assert len(found) > len(texts)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"id,name\n1,2\n", "no text column, the columns are id, name; name it with"),
        ("a.tsv", b"te\xffxt\tid\nx\t1\n", "a.tsv:1: not UTF-8"),
        ("a.parquet", b"no parquet", "damaged or not Parquet"),
        ("a.jsonl.gz", b"", "damaged or not gzip"),
    ],
)
def test_a_file_that_cannot_be_read(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content or b"no gzip")
    with pytest.raises(DataError, match=message):
        list(read_rows(path, "text", None))


def test_the_column_that_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", b"source\ttitle\none\ttwo\n")
    assert [row.text for row in read_rows(path, "source", None)] == ["one"]
    assert [row.text for row in read_rows(path, "source", "title")] == ["two"]


def test_a_path_becomes_the_bytes_of_a_recording(tmp_path: Path) -> None:
    wave = np.sin(np.arange(1_600) / 9).astype(np.float32) / 2
    for name in ("a.wav", "b.flac"):
        soundfile.write(tmp_path / name, wave, 16_000)
    soundfile.write(tmp_path / "long.wav", np.zeros(31 * 4_000), 4_000)
    (tmp_path / "c.wav").write_bytes(b"RIFF and no more")
    (tmp_path / "d.ogg").write_bytes(b"no audio")
    names = ("a.wav", "b.flac", "c.wav", "d.ogg", "long.wav", "none.wav")
    listed = "".join(f"{tmp_path / name}\n" for name in names) + "\n"
    path = write(tmp_path / "list.txt", listed.encode())
    found = list(read_rows(path, "path", None))
    assert found[0].payload == (tmp_path / "a.wav").read_bytes()
    again = tmp_path / "again.wav"
    again.write_bytes(found[1].payload)
    np.testing.assert_allclose(soundfile.read(again)[0], wave, atol=1e-4)
    wrong = ["no audio that can be read"] * 2
    wrong += ["31.0 s long", "cannot be read (No such", "no path in"]
    for row, reason in zip(found[2:], wrong, strict=True):
        assert reason in row.reason


def test_a_large_recording_is_refused_as_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the words of `predict`, before its size is told."""
    monkeypatch.setattr(recording_bytes, "_LARGEST_BYTES", 1_000)
    for name, seconds, reason in (("a.wav", 31, "31.0 s long"), ("b.wav", 1, "larger than 0 MB")):
        soundfile.write(tmp_path / name, np.zeros(seconds * 8_000), 8_000)
        with pytest.raises(DataError, match=f"{name}: {reason}"):
            recording_bytes.wav_bytes(str(tmp_path / name))
