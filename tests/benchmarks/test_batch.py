"""What the benchmark of batch inference makes of what it measures; nothing is timed here."""

import gzip
import json
from pathlib import Path

import pytest

from benchmarks import batch_inference, results, results_page
from benchmarks.child import Child
from tests.serving import models


def test_figures_and_their_place_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def answer(command: list[str]) -> Child:
        asked.append(command)
        folder = Path(command[-1])
        folder.mkdir()
        for number in range(3):
            (folder / f"part-{number}.jsonl.gz").write_bytes(
                gzip.compress(b"{}\n" * (2, 2, 1)[number])
            )
        return Child("", 0.5, 0.7, 1234)

    monkeypatch.setattr(batch_inference.child, "run", answer)
    monkeypatch.setattr(batch_inference, "alone_seconds", lambda *_: 4.0)
    monkeypatch.setattr(batch_inference, "ROWS_IN_A_FILE", 2)
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results")
    figures = batch_inference.measure(tmp_path / "model", 5, 8, tmp_path)
    assert len(list((tmp_path / "texts").iterdir())) == figures["files"] == 3
    assert figures["rows_per_second"] == 10
    assert figures["one_by_one"]["rows_per_second"] == 1.2
    assert figures["times_one_by_one"] == 8
    assert "--model" in asked[0]
    assert "Rows a second: not measured." in results_page.render()
    results.write_result(batch_inference.NAME, figures)
    assert "| 5 | 10 | 1 | 8.0 | 1,234 |" in results_page.render()
    with pytest.raises(RuntimeError, match="5 answers to 6 rows"):
        batch_inference.measure(tmp_path / "model", 6, 8, tmp_path)


def test_one_by_one_asks_about_each_row(tmp_path: Path) -> None:
    export = models.classifier(tmp_path / "model")
    (file,) = batch_inference.write_texts(tmp_path / "texts", 4)
    with gzip.open(file, "rt") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    assert len(texts) == 4
    assert all(3 <= len(text.split()) <= 30 for text in texts)
    assert batch_inference.one_by_one(export, file, 3) > 0
