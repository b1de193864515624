"""Training on a text that is on disk: the same splits, characters, ids and batches."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from textapps.cache.mapped import MappedArray
from textapps.cache.store import Cache
from textapps.core.errors import DataError
from textapps.datasets.corpus import kept as corpus_kept
from textapps.datasets.corpus.kept import KeptCorpus
from textapps.datasets.formats import lines
from textapps.tasks import lifecycle
from textapps.tasks.generate.data import load
from textapps.tasks.registry import get_task

TASK: Any = get_task("generate")
# Accents to compose, a character to drop, another line end, a long line, and no line end at last.
TEXT = (
    "the cat\r\nsat e\u0301 on\u200b the mat\n\n映画 größer\n" * 30
    + "x" * 400
    + "\nand a\rlast line"
)
FORMS = {
    "utf-8": TEXT.encode(),
    "a byte order mark": TEXT.encode("utf-8-sig"),
    "utf-16": TEXT.encode("utf-16"),
    "plain": TEXT.encode("ascii", "ignore"),
}


@pytest.fixture(autouse=True)
def switch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """`switch(True)` keeps all data in the cache; pieces are small."""
    monkeypatch.setenv("TEXTAPPS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(corpus_kept, "_BYTES_AT_ONCE", 37)
    monkeypatch.setattr(lines, "PIECE_BYTES", 50)

    def keep(on: bool) -> None:
        monkeypatch.setenv("TEXTAPPS_CACHE_FROM_MB", "0" if on else "1000")

    return keep


def fields(corpus: Any) -> tuple[Any, ...]:
    counts = list(corpus.counts.items())
    return corpus.name, corpus.text, corpus.part, corpus.fingerprint, len(corpus), counts


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("options", [{}, {"split": 0.7}, {"test_source": "other.txt"}], ids=str)
@pytest.mark.parametrize("unicode", ["nfc", "raw"])
def test_splits_are_the_same(
    tiny: Callable[..., Any],
    switch: Callable[[bool], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
    options: dict[str, object],
    unicode: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "book.txt").write_bytes(FORMS[form])
    (tmp_path / "other.txt").write_bytes(FORMS[form][:80])
    changes = {f"data.{key}": value for key, value in options.items()}
    config = tiny(
        "generate",
        "gru",
        **{"data.source": "book.txt", "preprocessor.unicode": unicode, **changes},
    )
    found = []
    for on in (False, True, True):
        switch(on)
        found.append(load(config, ("train", "validation", "test")))
    held, *others = found
    for kept in others:
        assert isinstance(kept[0], KeptCorpus)
        assert [fields(corpus) for corpus in kept] == [fields(corpus) for corpus in held]


def test_batches_are_the_same(
    tiny: Callable[..., Any], switch: Callable[[bool], None], tmp_path: Path
) -> None:
    made = []
    for on in (False, True, True):
        switch(on)
        made.append(lifecycle.begin(TASK, tiny("generate", "gru"), tmp_path / "models"))
    assert isinstance(made[1].batches.ids, MappedArray)
    for one in made:
        validation = TASK.validation_batches(one.config, one.preprocessor, one.validation)
        own = [(one.batches, step) for step in range(one.batches.steps_per_pass)]
        steps = [*own, *((validation, step) for step in range(validation.steps_per_pass))]
        batches = [source.batch(1, step) for source, step in steps]
        assert one.preprocessor.vocabulary.tokens == made[0].preprocessor.vocabulary.tokens
        if one is made[0]:
            expected = batches
        for (inputs, *rest), (others, *more) in zip(batches, expected, strict=True):
            assert {name: array.dtype for name, array in inputs.items()} == {
                name: array.dtype for name, array in others.items()
            }
            for array, another in zip(
                [*inputs.values(), *rest], [*others.values(), *more], strict=True
            ):
                np.testing.assert_array_equal(array, another)
                assert array.dtype == another.dtype
    kinds = sorted(entry.name.partition("-")[0] for entry in Cache().entries())
    assert kinds == ["characters", "characters", "corpus"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b" \n\n", "is empty: give a text"),
        (b"good line\n" * 9 + b"bad \xff", r"not UTF-8 \(byte 0xff at position 95\)"),
        (b"good line\n" * 9 + b"bad \0", "a NUL character"),
    ],
)
def test_a_bad_text_is_named(
    tiny: Callable[..., Any],
    switch: Callable[[bool], None],
    tmp_path: Path,
    content: bytes,
    message: str,
) -> None:
    (tmp_path / "book.txt").write_bytes(content)
    config = tiny("generate", "gru", **{"data.source": str(tmp_path / "book.txt")})
    for on in (True, False):
        switch(on)
        with pytest.raises(DataError, match=message):
            load(config, ("train",))


ROWS = [f"text {n} e\u0301\n\nof größer\u200b lines{chr(10) * (n % 3)}" for n in range(60)]
TABLES: dict[str, list[dict[str, str]]] = {
    "rows": [{"text": text} for text in [*ROWS[:9], " ", *ROWS[9:]]],
    "own splits": [
        {"text": text, "split": split}
        for text, split in zip(ROWS, ["test", "train", "train"] * 20, strict=True)
    ],
    "all splits": [
        {"text": text, "split": split}
        for text, split in zip(ROWS, ["test", "dev", "train"] * 20, strict=True)
    ],
    "bad splits": [
        {"text": text, "split": split}
        for text, split in zip(ROWS, ["test", "trian", "train", ""] * 15, strict=True)
    ],
    "few": [{"text": text} for text in ("one\n", "two\n\n", "a fine film\n")],
    "no train": [{"text": text, "split": "test"} for text in ROWS],
    "one": [{"text": "one\n"}],
}


@pytest.mark.slow
@pytest.mark.parametrize("rows", TABLES)
@pytest.mark.parametrize("options", [{}, {"split": 0.7}, {"test_source": "other.txt"}], ids=str)
def test_tables_are_split_in_the_same_way(
    tiny: Callable[..., Any],
    switch: Callable[[bool], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    rows: str,
    options: dict[str, object],
) -> None:
    monkeypatch.chdir(tmp_path)
    content = "\n".join(json.dumps(row) for row in TABLES[rows])
    (tmp_path / "book.jsonl").write_text(content, encoding="utf-8")
    (tmp_path / "other.txt").write_text("another text", encoding="utf-8")
    changes = {f"data.{key}": value for key, value in options.items()}
    config = tiny(
        "generate",
        "gru",
        **{"data.source": "book.jsonl", "data.skip_bad": rows == "bad splits", **changes},
    )
    for split in ("train", "validation", "test"):
        found = []
        for on in (False, True, True):
            switch(on)
            try:
                (corpus,) = load(config, (split,))
                assert isinstance(corpus, KeptCorpus) == (on and split not in str(options))
                found.append((*fields(corpus), corpus.documents))
            except DataError as error:
                found.append(str(error))
        held, *others = found
        assert others == [held, held]
