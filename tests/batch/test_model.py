"""What a SavedModel answers to windows, row by row."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.batch.files import texts
from textapps.batch import model as batch_model
from textapps.batch.model import BatchModel
from textapps.batch.rows import Row
from textapps.batch.windows import Window
from textapps.core.errors import ConfigurationError, ExportError

Build = Callable[[str], Path]


def window_of(given_texts: list[str | None]) -> Window:
    """None is a row that could not be read."""
    return Window(
        7,
        [
            Row(number, number + 2, text or "", (text or "").encode(), "" if text else "unread")
            if text != ""
            else Row(number, number + 2, "", b"", "")
            for number, text in enumerate(given_texts)
        ],
    )


def lines(packed: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(packed).splitlines()] if packed else []


def test_good_and_bad_rows_are_all_rows_in_their_order(built: Build) -> None:
    model = BatchModel(built("lengths"), "text", 4)

    @given(st.lists(st.one_of(texts, st.none(), st.just("bad")), max_size=20))
    def check(drawn: list[str | None]) -> None:
        found = model.answer(window_of(drawn), "a.csv")
        good, bad = lines(found.good), lines(found.bad)
        refused = {number for number, text in enumerate(drawn) if text in (None, "bad")}
        assert (found.number, found.rows, found.bad_rows) == (7, len(drawn), len(refused))
        assert good == [
            {"index": number, "input": text, "length": len((text or "").encode())}
            for number, text in enumerate(drawn)
            if number not in refused
        ]
        assert [line["index"] for line in bad] == sorted(refused)
        for line in bad:
            text = drawn[line["index"]]
            assert (line["file"], line["line"]) == ("a.csv", line["index"] + 2)
            assert line["input"] == text
            assert ("unread" if text is None else "a bad text") in line["reason"]

    check()


def test_a_batch_holds_rows_of_nearly_equal_lengths(
    built: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_model, "_TEXT_BYTES", 40)
    model = BatchModel(built("lengths"), "text", 4)
    asked: list[list[int]] = []
    ask = model._ask

    def remembering(rows: Any) -> Any:
        asked.append([len(row.payload) for row in rows])
        return ask(rows)

    monkeypatch.setattr(model, "_ask", remembering)
    sizes = [9, 3, 50, 3, 12, 1, 2, 12, 12, 12]
    model.answer(window_of(["x" * size for size in sizes]), "a.csv")
    assert asked == [[1, 2, 3, 3], [9, 12, 12], [12, 12], [50]]


def test_many_outputs_as_json_has_them(built: Build) -> None:
    model = BatchModel(built("classifier"), "text", 4)
    (good,) = lines(model.answer(window_of(["a good good film"]), "a").good)
    assert list(good) == ["index", "input", "label", "probability", "scores"]
    assert (good["label"], good["scores"]) == ("good", [0.25, 0.75])


def test_what_the_model_calls_an_error_is_a_bad_row(built: Build) -> None:
    model = BatchModel(built("speech"), "path", 4)
    rows = [Row(0, 1, "a.wav", b"RIFF", ""), Row(1, 2, "b.wav", b"OggS", "")]
    found = model.answer(Window(0, rows), "a.txt")
    (good,), (bad,) = lines(found.good), lines(found.bad)
    assert (good["input"], good["label"]) == ("a.wav", "yes")
    assert "error" not in good
    assert (bad["input"], bad["reason"]) == ("b.wav", "not a WAV file")


def test_the_same_window_gives_the_same_bytes(built: Build) -> None:
    drawn: list[str | None] = ["", "dull", None, "good film"]
    first, again = (
        BatchModel(built("classifier"), "text", 3).answer(window_of(drawn), "a") for _ in "ab"
    )
    assert first == again


def test_models_that_cannot_be_asked(built: Build, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="takes 'ids' \\(int32\\), 'weights'"):
        BatchModel(built("sums"), "text", 4)
    (tmp_path / "saved_model.pb").write_bytes(b"nothing")
    with pytest.raises(ExportError, match="cannot load the SavedModel in"):
        BatchModel(tmp_path, "text", 4)
