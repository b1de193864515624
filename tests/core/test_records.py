"""Records: written whole, refused when they are damaged or of another format."""

import json

import pytest

from textapps.core.errors import TextappsError
from textapps.core.records import (
    FormatError,
    RecordError,
    dump_record,
    read_described,
    read_record,
    write_described,
)


def test_a_record_begins_with_its_format_and_comes_back(tmp_path) -> None:
    fields = {"labels": ["schlecht", "好"], "seconds": 0.1, "best": None}
    (tmp_path / "r.json").write_text(dump_record(fields, indent=2), encoding="utf-8")
    assert next(iter(json.loads((tmp_path / "r.json").read_bytes()))) == "format"
    assert read_record(tmp_path / "r.json") == {"format": 1, **fields}


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("", RecordError, "is damaged"),
        ('{"format": 1, "lab', RecordError, "is damaged"),
        ("\xff", RecordError, "is damaged"),
        ("[1]", RecordError, "it has no format"),
        ('{"labels": []}', RecordError, "it has no format"),
        ('{"format": 2}', FormatError, "has format 2, this version of textapps reads format 1"),
        ('{"format": "1"}', FormatError, "has format '1'"),
    ],
)
def test_what_is_no_record_of_this_format(tmp_path, text, kind, message) -> None:
    path = tmp_path / "r.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(TextappsError, match=message) as raised:
        read_record(path)
    assert type(raised.value) is kind
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_is_described_by_the_record_beside_it(tmp_path) -> None:
    path = tmp_path / "words.txt"
    write_described(path, "wörd")
    assert read_described(path) == "wörd".encode()
    # echo -n wörd | sha256sum
    expected = "4fd6266fbbeca97d3e531639d8430bdcfbcad4365de1be914c78cbefeeadc545"
    assert read_record(tmp_path / "words.json") == {"format": 1, "sha256": expected}
    write_described(path, b"\0\xff")
    assert read_described(path) == b"\0\xff"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["words.json", "words.txt"]


def test_a_changed_file_is_refused_by_name(tmp_path) -> None:
    path = tmp_path / "words.txt"
    write_described(path, b"word")
    path.write_bytes(b"ward")
    with pytest.raises(RecordError, match=r"words\.txt is not what was written"):
        read_described(path)
    (tmp_path / "words.json").unlink()  # as earlier versions left it
    assert read_described(path) == b"ward"
    path.unlink()
    with pytest.raises(FileNotFoundError):
        read_described(path)
