"""Large tables are loaded from the cache as they would be in memory."""

import json
import logging
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textapps.cache import mapped, writing
from textapps.core.errors import DataError
from textapps.datasets.config import DataConfig
from textapps.datasets.large import are_large
from textapps.datasets.texts import kept
from textapps.datasets.texts.examples import LabelledTexts
from textapps.datasets.texts.kept import KeptTexts
from textapps.datasets.texts.loader import load_texts

PARTS = ("train", "validation", "test", "all")


@pytest.fixture(autouse=True)
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """`cached(False)` holds all in memory."""
    monkeypatch.setenv("TEXTAPPS_CACHE_DIR", str(tmp_path / "cache"))

    def switch(on: bool) -> None:
        monkeypatch.setenv("TEXTAPPS_CACHE_FROM_MB", "0" if on else "1000")

    switch(True)
    return switch


class Loaded:
    """What `load_texts` gives and says, or how it fails."""

    def __init__(self, caplog: pytest.LogCaptureFixture, config: DataConfig, *more: Any) -> None:
        caplog.clear()
        self.kept = False
        try:
            with caplog.at_level(logging.INFO, "textapps"):
                found = load_texts(config, *more)
            self.kept = any(isinstance(each.texts, KeptTexts) for each in found)
            self.value: object = [self.fields(each) for each in found]
        except DataError as error:
            self.value = str(error)
        self.said = [one for one in caplog.messages if "prepared once" not in one]

    @staticmethod
    def fields(data: LabelledTexts) -> tuple[object, ...]:
        labels = (data.labels.tolist(), data.labels.dtype, data.label_names)
        return list(data.texts), *labels, data.name, data.part, len(data), data.fingerprint


words = st.sampled_from(["a fine film", "dull", "größer", "", " ", "映画 を 見た", '"', "x" * 40])
rows = st.lists(
    st.fixed_dictionaries(
        {
            "text": st.builds("{} {}".format, words, st.integers(0, 30)) | words,
            "label": st.sampled_from(["pos", "neg", "Neg", "odd", "pos"]),
            "group": st.sampled_from(["", "", "one", "two", "three"]),
        }
    ),
    min_size=1,
    max_size=60,
)


@given(
    rows,
    st.lists(st.sampled_from(["train", "test", "dev"]), min_size=60, max_size=60) | st.none(),
    st.booleans(),
    st.sampled_from([None, ("neg", "pos"), ("odd", "Neg", "neg", "pos")]),
    st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_it_is_loaded_as_in_memory(
    request: pytest.FixtureRequest,
    rows: list[dict[str, str]],
    splits: list[str] | None,
    fold: bool,
    names: tuple[str, ...] | None,
    skip_bad: bool,
) -> None:
    caplog, cached = (request.getfixturevalue(name) for name in ("caplog", "cached"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pets.jsonl"
        own = [
            row if splits is None else {**row, "split": split}
            for row, split in zip(rows, splits or rows, strict=False)
        ]
        path.write_text("\n".join(json.dumps(row) for row in own), encoding="utf-8")
        config = DataConfig(source=str(path), fold_labels=fold, skip_bad=skip_bad)
        for part in (("train", "validation"), ("test",), ("all",), (None,)):
            cached(False)
            expected = Loaded(caplog, config, part, names)
            cached(True)
            for _ in range(2):  # made, and found
                found = Loaded(caplog, config, part, names)
                assert found.value == expected.value
                if not skip_bad:
                    assert sorted(set(found.said)) == sorted(set(expected.said))
        assert not expected.kept


@pytest.mark.parametrize("name", ["a.csv", "a.tsv.gz", "a.parquet", "a.txt"])
def test_every_format_is_kept(
    write: Callable[..., Path], name: str, tmp_path: Path, cached: Callable[[bool], None], caplog
) -> None:
    rows = [("neg" if n % 3 else "pos", f"text {n} größer") for n in range(70)]
    if name == "a.parquet":
        import pyarrow
        import pyarrow.parquet

        table = pyarrow.table({"label": [a for a, _ in rows], "text": [b for _, b in rows]})
        pyarrow.parquet.write_table(table, tmp_path / name)
    else:
        end = "," if name == "a.csv" else "\t"
        lines = [f"{label}{end}{text}\n" for label, text in rows]
        content = "".join(lines if name == "a.txt" else [f"label{end}text\n", *lines]).encode()
        if name.endswith(".gz"):
            import gzip

            content = gzip.compress(content)
        write(name, content)
    config = DataConfig(source=str(tmp_path / name))
    cached(False)
    expected = Loaded(caplog, config)
    cached(True)
    found = Loaded(caplog, config)
    assert found.kept
    assert (found.value, found.said) == (expected.value, expected.said)


def test_bad_rows_are_named_each_time(write: Callable[..., Path], caplog) -> None:
    rows = "".join(f"{'neg' if n % 2 else 'pos'},text {n}\n" for n in range(90))
    path = write("pets.csv", f"label,text\n{rows},no label\n")
    place = f"{path}:92: no label in this row"
    found = Loaded(caplog, DataConfig(source=str(path)))
    assert found.value == place
    for _ in range(2):
        found = Loaded(caplog, DataConfig(source=str(path), skip_bad=True))
        assert f"pets: 1 bad row skipped: {place}" in found.said


def test_a_copy_is_known_by_its_content_and_a_change_is_seen(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(f"{'neg' if n % 2 else 'pos'},text {n}\n" for n in range(90))
    path, copy = (write(name, f"label,text\n{rows}") for name in ("pets.csv", "pets2.csv"))
    first = load_texts(DataConfig(source=str(path)))

    def made(*_: object) -> None:
        raise AssertionError("the content is known")

    with monkeypatch.context() as patch:
        patch.setattr("textapps.datasets.texts.kept.KeptTable._write", made)
        again = load_texts(DataConfig(source=str(copy)))
    assert [each.fingerprint for each in again] == [each.fingerprint for each in first]
    assert (first[0].name, again[0].name) == ("pets", "pets2")
    write("pets.csv", f"label,text\n{rows.replace('text 3', 'next 3')}")
    changed = load_texts(DataConfig(source=str(path)))
    assert [each.fingerprint for each in changed] != [each.fingerprint for each in first]


def test_a_cache_that_cannot_be_written_is_done_without(
    write: Callable[..., Path], tmp_path: Path, caplog
) -> None:
    (tmp_path / "cache").write_text("a file")
    rows = "".join(f"{'neg' if n % 2 else 'pos'},text {n}\n" for n in range(90))
    found = Loaded(caplog, DataConfig(source=str(write("pets.csv", f"label,text\n{rows}"))))
    assert not found.kept
    assert any("cannot be kept" in message for message in found.said)
    assert isinstance(found.value, list)


def test_only_large_tables_are_kept(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TEXTAPPS_CACHE_FROM_MB", "0.0001")  # 100 bytes
    small, large = write("small.csv", "x" * 99), write("large.csv", "x" * 100)
    packed = write("packed.csv.gz", "x" * 25)
    for source, expected in ((small, False), (large, True), (packed, True), (tmp_path, False)):
        assert are_large(DataConfig(source=str(source))) is expected
    assert are_large(DataConfig(source=str(small), test_source=str(packed)))
    assert not are_large(DataConfig(source=str(large), test_source="imdb_reviews"))
    assert not are_large(DataConfig(source="sample"))


def test_texts_are_a_sequence(write: Callable[..., Path]) -> None:
    rows = "".join(f"{'neg' if n % 2 else 'pos'},text {n}\n" for n in range(90))
    (data,) = load_texts(DataConfig(source=str(write("pets.csv", f"label,text\n{rows}"))), ("all",))
    assert data.texts[-1] == "text 89"
    assert data.texts[:2] == ["text 0", "text 1"]
    assert [data.texts[row] for row in np.array([3, 1])] == ["text 3", "text 1"]
    assert sorted(data.texts, key=len)[-1].startswith("text")


def test_few_texts_are_in_memory_at_a_time(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "_AT_ONCE", 10)
    for module in (mapped, writing):  # of which two are in memory when an entry is opened
        monkeypatch.setattr(module, "BLOCK_BYTES", 1 << 16)
    rows = "".join(f"{'neg' if n % 2 else 'pos'},{n} {'film ' * 2_000}\n" for n in range(600))
    config = DataConfig(source=str(write("pets.csv", f"label,text\n{rows}")))
    for _ in range(2):  # made, and found
        tracemalloc.start()
        data = load_texts(config)
        assert sum(len(text) for each in data for text in each.texts) > 6_000_000
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 2_000_000
