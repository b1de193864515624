"""The table of TensorFlow Serving's answers, replayed; docs/serve.md lists the differences."""

import gzip
import json
import math
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.serving.asking import Asker, Loaded
from textapps.serving.repository import Repository

HERE = Path(__file__).parent
PAGE = (HERE.parent.parent / "docs" / "serve.md").read_text(encoding="utf-8")
ROWS: list[dict[str, Any]] = tomllib.loads(
    (HERE / "tensorflow_serving.toml").read_text(encoding="utf-8")
)["rows"]


@pytest.fixture(scope="module")
def repository(loaded: Loaded) -> Repository:
    names = ("counter", "echo", "failing", "flowers", "lengths", "scalar", "sums")
    return loaded(*names, two=("half_plus", 2), three=("half_plus", 3))


def name(row: dict[str, Any]) -> str:
    sent = row.get("body", row.get("bytes", ""))
    return f"{row.get('verb', 'POST')} {row['path'].format(row['model'])} {sent[:60]}"


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_answers(ask: Asker, row: dict[str, Any]) -> None:
    sent = bytes.fromhex(row["bytes"]) if "bytes" in row else row.get("body", "").encode()
    headers = {"host": "localhost", **{k.lower(): v for k, v in row.get("headers", {}).items()}}
    if headers.get("content-encoding") == "gzip" and not row.get("raw"):
        sent = gzip.compress(sent)
    path = row["path"].format(f"/v1/models/{row['model']}")
    raw_headers = [(name.encode(), value.encode()) for name, value in headers.items()]
    status, given, body = ask.raw(row.get("verb", "POST"), path, sent, raw_headers)
    expected = row.get("differs", row)
    assert status == expected["status"], body
    assert given["content-type"] == "application/json"
    if expected.get("answer") == "error":
        (error,) = json.loads(body).items()
        assert error[0] == "error"
        assert isinstance(error[1], str)
    elif "answer" in expected:
        assert same(json.loads(body), json.loads(expected["answer"])), body


def same(found: Any, expected: Any) -> bool:
    """Whether values are equal; numbers may be written with the digits of float32."""
    if type(found) is not type(expected):
        return False
    if isinstance(found, dict):
        keys = found.keys() == expected.keys()
        return keys and all(same(found[key], expected[key]) for key in found)
    if isinstance(found, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(found, float):
        nan = math.isnan(found) and math.isnan(expected)
        return nan or math.isclose(found, expected, rel_tol=1e-7)
    return bool(found == expected)


def test_the_page_lists_the_differences() -> None:
    reasons = Counter(row["differs"]["reason"] for row in ROWS if "differs" in row)
    section = PAGE.partition("## Differences from TensorFlow Serving\n")[2].partition("\n## ")[0]
    listed = [line[2:] for line in section.splitlines() if line.startswith("- ")]
    assert Counter(listed) == reasons
    assert f"{len(ROWS)} requests" in section
    assert len(ROWS) >= 150
    assert len(listed) <= 8


def test_the_rows_differ() -> None:
    told = ("status", "answer", "remark", "differs")
    requests = Counter(
        json.dumps({key: value for key, value in row.items() if key not in told}) for row in ROWS
    )
    assert [request for request, count in requests.items() if count > 1] == []
    for row in ROWS:
        differs = row.get("differs", {})
        assert (differs.get("status"), differs.get("answer")) != (row["status"], row.get("answer"))
