"""Training on texts that are on disk: the same featurizer, batches and weights as in memory."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from textapps.cache.mapped import MappedArray
from textapps.cache.store import Cache
from textapps.preprocessing import key_counts
from textapps.tasks import lifecycle
from textapps.tasks.registry import get_task
from textapps.tasks.sentiment import ngram_path

TASK: Any = get_task("sentiment")


@pytest.fixture
def switch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """`switch(True)` keeps all data in the cache, in small blocks."""
    monkeypatch.setenv("TEXTAPPS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(key_counts, "_BLOCK", 90)
    monkeypatch.setattr(ngram_path, "_FEATURES_AT_ONCE", 70)

    def keep(on: bool) -> None:
        monkeypatch.setenv("TEXTAPPS_CACHE_FROM_MB", "0" if on else "1000")

    return keep


def batches_of(prepared: Any) -> list[Any]:
    own = prepared.batches
    validation = TASK.validation_batches(
        prepared.config, prepared.preprocessor, prepared.validation
    )
    steps = [(own, number, step) for number in (0, 1) for step in range(own.steps_per_pass)]
    steps += [(validation, 0, step) for step in range(validation.steps_per_pass)]
    return [source.batch(number, step) for source, number, step in steps]


def same(one: Any, other: Any) -> None:
    for (inputs, *rest), (others, *more) in zip(one, other, strict=True):
        assert inputs.keys() == others.keys()
        for name in inputs:
            np.testing.assert_array_equal(inputs[name], others[name])
            assert inputs[name].dtype == others[name].dtype
        for array, another in zip(rest, more, strict=True):
            np.testing.assert_array_equal(array, another)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "most"), [("lstm", 1_000_000), ("lstm", 30), ("gru", 9)])
def test_the_featurizer_and_the_batches_are_the_same(
    tiny: Callable[..., Any], switch: Callable[[bool], None], tmp_path: Path, kind: str, most: int
) -> None:
    config = tiny("sentiment", kind, **{"model.ngram_most": most})
    made = []
    for on in (False, True, True):
        switch(on)
        made.append(lifecycle.begin(TASK, config, tmp_path / "models"))
    held, kept, again = made
    assert {type(values) for values, _ in kept.batches.sequences.values()} == {MappedArray}
    assert kept.preprocessor.digest == held.preprocessor.digest == again.preprocessor.digest
    for path in ("vocabulary.txt", *(["ngrams.npz"] if kind == "lstm" else [])):
        folders = (one.run.preprocessor_dir for one in made)
        assert len({(folder / path).read_bytes() for folder in folders}) == 1
    for other in (kept, again):
        same(batches_of(held), batches_of(other))
    if kind == "lstm":
        values, splits = held.batches.sequences["ngrams"]
        shape = len(held.preprocessor.ngrams) + 1, len(held.labels)
        counts = np.zeros(shape)
        for row, label in enumerate(held.batches.labels):
            counts[values[splits[row] : splits[row + 1]], label] += 1
        np.testing.assert_array_equal(kept.batches.counts, counts)
    assert sorted(entry.name.partition("-")[0] for entry in Cache().entries()) == [
        "encoded",
        "learned",
        "table",
    ]


@pytest.mark.exhaustive
def test_a_run_resumed_without_its_cache_has_the_same_weights(
    tiny: Callable[..., Any], switch: Callable[[bool], None], tmp_path: Path
) -> None:
    config = tiny("sentiment", "lstm", **{"training.epochs": 2, "training.checkpoint_steps": 4})
    switch(False)
    held, _ = lifecycle.train(TASK, config, tmp_path / "held")
    switch(True)
    begun = lifecycle.begin(TASK, config, tmp_path / "kept")
    shutil.rmtree(tmp_path / "cache")
    kept, _ = lifecycle.resume(TASK, begun.run)
    for one, other in zip(held.model.variables, kept.model.variables, strict=True):
        np.testing.assert_array_equal(one, other)
    expected = held.evaluate("test")["metrics"]
    found = kept.evaluate("test")["metrics"]
    assert {**found, "seconds": 0} == {**expected, "seconds": 0}


def test_a_resumed_run_reads_what_its_beginning_has_kept(
    tiny: Callable[..., Any],
    switch: Callable[[bool], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    switch(True)
    begun = lifecycle.begin(TASK, tiny("sentiment", "lstm"), tmp_path / "models")
    expected = batches_of(begun)
    with monkeypatch.context() as patch:
        patch.setattr(Cache, "_make", lambda *_: pytest.fail("it is kept already"))
        featurizer = TASK.load_preprocessor(begun.config, begun.run.preprocessor_dir)
        train, _ = TASK.load_training(begun.config, begun.labels)
        batches = TASK.training_batches(begun.config, featurizer, train)
        same(
            expected[: batches.steps_per_pass],
            [batches.batch(0, step) for step in range(batches.steps_per_pass)],
        )


def test_a_run_that_starts_from_another_keeps_its_ngrams(
    tiny: Callable[..., Any], switch: Callable[[bool], None], tmp_path: Path, untrained
) -> None:
    start = {"start.init_from": str(untrained("sentiment", "lstm").run.path)}
    made = []
    for on in (False, True, True):
        switch(on)
        config = tiny("sentiment", "lstm", **start)
        made.append(lifecycle.begin(TASK, config, tmp_path / "models"))
    for one in made:
        assert one.preprocessor.ngrams is one.start.preprocessor.ngrams
        same(batches_of(made[0]), batches_of(one))
    extended = {**start, "start.extend_vocabulary": True}
    for on in (False, True):
        switch(on)
        made.append(
            lifecycle.begin(TASK, tiny("sentiment", "lstm", **extended), tmp_path / "models")
        )
    assert made[-1].preprocessor.digest == made[-2].preprocessor.digest


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["table", "learned", "encoded"])
def test_without_room_on_the_disk_training_goes_on_in_memory(
    tiny: Callable[..., Any],
    switch: Callable[[bool], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    kind: str,
) -> None:
    switch(False)
    held = lifecycle.begin(TASK, tiny("sentiment", "lstm"), tmp_path / "models")
    expected = batches_of(held)
    switch(True)
    make = Cache._make

    def fill(cache: Cache, name: str, *rest: Any) -> None:
        if name.startswith(kind):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        make(cache, name, *rest)

    monkeypatch.setattr(Cache, "_make", fill)
    kept = lifecycle.begin(TASK, tiny("sentiment", "lstm"), tmp_path / "models")
    same(expected, batches_of(kept))
    assert "(No space left on device), so it is held in memory" in caplog.text
    assert kept.preprocessor.digest == held.preprocessor.digest
