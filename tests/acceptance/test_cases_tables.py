"""Files as people bring them, in ../shared/cases: read as they are, or refused with a reason."""

import csv
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.acceptance

Textapps = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def trained(textapps: Textapps) -> Textapps:
    """The command line with a small classifier in its folder."""
    options = ("--preset", "tiny", "--backbone", "simple_rnn", "--epochs", "1")
    done = textapps("sentiment", "train", "--data", "sample", *options, timeout=300)
    assert done.returncode == 0, done.stderr
    return textapps


def test_predict_reads_the_columns_of_a_table(trained: Textapps, texts: Path) -> None:
    path = texts / "whole_file.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    done = trained("sentiment", "predict", "--input", str(path), "--output-format", "jsonl")
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["input"] for row in found] == [row["text"] for row in rows]
    assert {row["label"] for row in found} <= {"neg", "pos"}


def test_bytes_that_are_not_utf_8(trained: Textapps, texts: Path) -> None:
    done = trained("sentiment", "predict", "--input", str(texts / "bad8.txt"), "--json")
    assert done.returncode == 3
    assert "bad8.txt:1: not UTF-8 (byte 0xe9 at position 4)" in done.stderr


def test_encodings(textapps: Textapps, texts: Path) -> None:
    done = textapps("data", "check", str(texts / "excel_utf16.csv"))
    assert "read as UTF-16, by its byte order mark" in done.stderr
    assert "not UTF-8" not in done.stdout
    assert "excel_utf16.csv:2: 4 cells in 2 columns" in done.stdout  # its commas are not quoted
    path = str(texts / "cp1252.csv")
    done = textapps("data", "check", path)
    assert done.returncode == 3
    assert "cp1252.csv:2: not UTF-8" in done.stdout
    assert "--encoding cp1252" in done.stderr
    done = textapps("data", "show", path, "--encoding", "cp1252")
    assert done.returncode == 0, done.stderr
    assert "café" in done.stdout


@pytest.mark.parametrize(
    ("name", "options", "rows", "said"),
    [
        ("semicolon.csv", "Review Sentiment", 120, "cells are separated by semicolons"),
        ("tabs.csv", "", 120, "cells are separated by tabs"),
        ("fasttext.txt", "", 150, ""),
        ("nested.jsonl", "data.text annotations.0.label", 100, "reads text from 'data.text'"),
    ],
)
def test_tables(
    textapps: Textapps, texts: Path, name: str, options: str, rows: int, said: str
) -> None:
    names = ("--text-column", "--label-column")
    named = [part for pair in zip(names, options.split(), strict=False) for part in pair]
    done = textapps("data", "show", str(texts / name), "--json", *named)
    assert done.returncode == 0, done.stderr
    splits = json.loads(done.stdout)["splits"].values()
    assert sum(split["rows"] for split in splits) == rows
    assert said in done.stderr


def test_columns_of_the_same_name_are_refused(textapps: Textapps, texts: Path) -> None:
    done = textapps("sentiment", "train", "--data", str(texts / "hdr_dup.csv"))
    assert done.returncode == 3
    assert "two columns are called 'text'" in done.stderr


def test_bad_rows_are_skipped_on_request(textapps: Textapps, texts: Path) -> None:
    """The commas of one file are not quoted, the other one ends inside a quoted cell."""
    small = ("--preset", "tiny", "--backbone", "simple_rnn", "--epochs", "1")
    cut = ("quoted_newlines.csv", "--text-column", "Review Text")
    for name, *columns in (("excel_utf16.csv",), cut):
        options = ("--data", str(texts / name), *columns, *small)
        done = textapps("sentiment", "train", *options, timeout=300)
        assert done.returncode == 3, done.stderr
        done = textapps("sentiment", "train", *options, "--skip-bad", timeout=300)
        assert done.returncode == 0, done.stderr
        assert re.search(r"bad rows? skipped: ", done.stderr)
