"""A warning if a run is tested on examples that the run it starts from has read."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.tasks.tiny import WRITERS, tiny_config
from textapps.core.notices import NOTICE
from textapps.tasks import lifecycle
from textapps.tasks.registry import get_task

KIND = {"sentiment": "lstm", "translate": "transformer"}
AS_TEXT = {"sentiment": ("text",), "translate": ("source", "target")}


def rows_of(path: Path) -> list[dict[str, str]]:
    """Those of a table, without the test rows that it has in the training split too."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    first = next(iter(rows[0]))
    known = {row[first] for row in rows if row["split"] == "train"}
    return [row for row in rows if row["split"] != "test" or row[first] not in known]


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def begin(
    untrained: Callable[..., Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> Callable[..., list[str]]:
    """`begin("translate", path)` is what the log says when a run on these data is begun."""

    def make(name: str, source: Path, start: Any = None) -> list[str]:
        start = start or untrained(name, KIND[name]).run
        config = tiny_config(name, KIND[name], source, **{"start.init_from": start.origin})
        caplog.clear()
        with caplog.at_level(NOTICE, "textapps"):
            lifecycle.begin(get_task(name), config, tmp_path / "models")
        return [line for line in caplog.messages if "test split of" in line]

    return make


@pytest.mark.parametrize("name", KIND)
def test_test_examples_that_were_read_are_counted(
    name: str, toy_data: Callable[[str], Path], begin: Callable[..., list[str]], tmp_path: Path
) -> None:
    rows = rows_of(toy_data(name))
    assert begin(name, toy_data(name)) == []  # splits of the same data
    assert begin(name, write(tmp_path / "same.csv", rows)) == []  # a copy of them
    # Two of the test split in other case and punctuation; one that was tested before as well.
    read = list({tuple(row[key] for key in AS_TEXT[name]): row for row in rows}.values())
    read = [row for row in read if row["split"] == "train"][:2]
    for row in read:
        rows.append({**row, **{key: f"{row[key].upper()} !" for key in AS_TEXT[name]}})
        rows[-1]["split"] = "test"
    total = sum(row["split"] == "test" for row in rows)
    (line,) = begin(name, write(tmp_path / "more.csv", rows))
    assert f"was trained on 2 of the {total} examples of the test split of more" in line


def test_of_data_that_have_changed_it_cannot_be_told(
    copied: Callable[[Any], Any],
    untrained: Callable[..., Any],
    toy_data: Callable[[str], Path],
    begin: Callable[..., list[str]],
    tmp_path: Path,
) -> None:
    (tmp_path / "own").mkdir()
    source = WRITERS["sentiment"](tmp_path / "own")
    run = copied(untrained("sentiment", "lstm")).run
    config = run.path / "config.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace(str(toy_data("sentiment")), str(source)), encoding="utf-8")
    rows = rows_of(source)
    other = write(tmp_path / "other.csv", rows)
    assert begin("sentiment", other, run) == []
    write(source, rows[1:])
    (line,) = begin("sentiment", other, run)
    assert line.endswith("has read examples of the test split of other cannot be told")
    source.unlink()
    assert begin("sentiment", other, run) == []
