"""Training a recogniser and going on with it: resume, changed data, classes, precision."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.tasks.stopping import (
    InterruptAt,
    assert_same_bits,
    halfway,
    resumes_to_the_same_bits,
)
from tests.tasks.toy_words import spoken, wav_bytes
from textapps.core.errors import ConfigurationError, DataError, RunError
from textapps.tasks import lifecycle
from textapps.tasks.speech import data
from textapps.tasks.speech.batches import ClipBatchSource
from textapps.tasks.speech.task import TASK
from textapps.training.fit import fit
from textapps.training.history import read_history
from textapps.training.interruption import TrainingInterrupted
from textapps.training.run_directory import RunDirectory

Make = Callable[[str, str], Any]
Tiny = Callable[..., Any]


@pytest.mark.exhaustive
def test_resumed_in_mid_pass_ends_with_the_same_bits(trained: Make, tmp_path: Path) -> None:
    """Variations, moving statistics, averages and carried states included."""
    whole = trained("speech", "transformer")
    run = halfway(whole.run, tmp_path)
    resumed, _ = lifecycle.resume(TASK, run)
    assert_same_bits(whole.run, run)
    assert resumed.predict([spoken("up", 50)]) == whole.predict([spoken("up", 50)])


@pytest.mark.exhaustive
def test_interrupted_and_resumed_ends_with_the_same_bits(
    trained: Make, tiny: Tiny, tmp_path: Path
) -> None:
    """Between two checkpoints, of a model that carries its state on."""
    with pytest.raises(TrainingInterrupted):
        lifecycle.train(TASK, tiny("speech", "lstm"), tmp_path, InterruptAt(37))
    (run,) = RunDirectory.all(tmp_path, "speech")
    resumed, _ = lifecycle.resume(TASK, run)
    whole = trained("speech", "lstm")
    assert_same_bits(whole.run, run)
    assert resumed.predict([spoken("up", 50)]) == whole.predict([spoken("up", 50)])


@pytest.mark.exhaustive
def test_every_variation_is_the_same_after_an_interruption(tiny: Tiny, tmp_path: Path) -> None:
    varied = {
        "tract_percent": 10,
        "mixup": 0.3,
        "made_noise": True,
        "room_share": 0.5,
        "telephone_share": 0.5,
        "level_share": 0.5,
        "noise_low_db": 0.0,
    }
    changes = {f"augmentation.{name}": value for name, value in varied.items()}
    changes |= {"training.epochs": 2, "preprocessor.kind": "pcen"}
    config = tiny("speech", "simple_rnn", **changes)
    resumes_to_the_same_bits(TASK, config, tmp_path)


@pytest.mark.exhaustive
def test_in_parts_it_trains_as_with_whole_batches(tiny: Tiny, tmp_path: Path) -> None:
    """As the replicas of a strategy do; a stem that normalises by batches would see parts."""
    plain = {"training.epochs": 1, "backbone.dropout": 0.0, "stem.dropout": 0.0}
    curves = []
    for parts in (1, 2):
        changes = {"model.head_dropout": 0.0, "training.accumulate": parts}
        config = tiny("speech", "simple_rnn", **plain, **changes)
        assert config.stem.normalization == "layer"
        recognizer, _ = lifecycle.train(TASK, config, tmp_path / str(parts))
        rows = read_history(recognizer.run)
        curves.append([float(row[name]) for row in rows for name in ("loss", "val_loss")])
    np.testing.assert_allclose(*curves, rtol=1e-4)


def test_batches_are_functions_of_pass_and_step(tiny: Tiny) -> None:
    config = tiny("speech", "gru", **{"data.unknown": 0.04, "data.repeat_unknown": 1})
    clips, _ = data.load_training(config, ())
    one, two = (data.training_batches(config, None, clips) for _ in range(2))
    for place in ((3, 1), (0, 0), (3, 0)):
        first, second = one.batch(*place), two.batch(*place)
        for ours, theirs in zip(first[0].values(), second[0].values(), strict=True):
            np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_array_equal(first[1], second[1])
    seeds = [one.batch(pass_index, 0)[0]["seeds"] for pass_index in (0, 1)]
    assert not set(seeds[0]) & set(seeds[1])
    # A pass has each clip once, and of unknown words other ones than the pass before.
    rows = [
        np.concatenate([one.batch(p, step)[0]["pcm"] for step in range(one.steps_per_pass)])
        for p in (0, 1)
    ]
    found = [{row.tobytes() for row in each} for each in rows]
    assert len(found[0]) == len(rows[0]) == len(rows[1])
    assert 0 < len(found[0] - found[1]) <= 4
    validation = data.validation_batches(config, None, clips)
    labels = np.concatenate(
        [validation.batch(0, step)[1] for step in range(validation.steps_per_pass)]
    )
    np.testing.assert_array_equal(labels, clips.labels)


def test_clips_of_a_rare_command_are_heard_several_times(tiny: Tiny) -> None:
    config = tiny("speech", "gru", **{"data.unknown": 0, "data.silence": 0})
    clips, _ = data.load_training(config, ())
    most = int(np.bincount(clips.labels).max())
    rare, few = np.flatnonzero(clips.labels == 1), most // 4 + 1
    at = np.concatenate([np.flatnonzero(clips.labels != 1), rare[:few]])
    audio = replace(clips.audio, kept=clips.audio.kept[at])
    kept = replace(clips, labels=clips.labels[at], audio=audio)
    source = ClipBatchSource(kept, 7, 5, repeat=9)
    heard = [source.of_pass(number) for number in range(few)]
    assert {len(each) for each in heard} == {len(heard[0])}
    assert (np.bincount(kept.labels[heard[0]]) == most).all()
    times = sum(np.bincount(each, minlength=len(kept)) for each in heard)
    assert len(set(times[kept.labels == 1])) == 1  # in the end each as often as the others
    inputs = [source.batch(0, step)[0] for step in range(source.steps_per_pass)]
    seeds = np.concatenate([each["seeds"] for each in inputs])
    assert len(set(seeds)) == len(seeds) == len(heard[0])  # varied anew each time
    twice = ClipBatchSource(kept, 7, 5, repeat=2).of_pass(0)
    assert np.bincount(kept.labels[twice])[1] == 2 * few
    assert len(ClipBatchSource(kept, 7, 5).of_pass(0)) == len(kept)


def test_clips_of_unknown_words_are_heard_twice(tiny: Tiny) -> None:
    config = tiny("speech", "gru", **{"data.repeat": 1, "data.repeat_unknown": 2})
    clips, _ = data.load_training(config, ())
    source, unknown = data.training_batches(config, None, clips), clips.names.index("unknown")
    for number in (0, 1):
        times = np.bincount(source.of_pass(number), minlength=len(clips))[clips.drawn(number)]
        np.testing.assert_array_equal(times, 1 + (clips.labels[clips.drawn(number)] == unknown))


def test_two_workers_share_each_batch(tiny: Tiny) -> None:
    config = tiny("speech", "gru")
    _, clips = data.load_training(config, ())
    whole = ClipBatchSource(clips, 7, 5)
    shares = [ClipBatchSource(clips, 7, 5, worker, 2) for worker in (0, 1)]
    inputs, labels, _ = whole.batch(2, 1)
    for worker, share in enumerate(shares):
        own, own_labels, weights = share.batch(2, 1)
        count = int(weights.sum())
        np.testing.assert_array_equal(own["seeds"][:count], inputs["seeds"][worker::2])
        np.testing.assert_array_equal(own_labels[:count], labels[worker::2])
    assert len({len(share.batch(2, 1)[1]) for share in shares}) == 1


def test_all_words_are_classes_without_commands(tiny: Tiny, tmp_path: Path) -> None:
    config = tiny("speech", "simple_rnn", **{"data.commands": (), "data.silence": 0.0})
    labels = ("click", "größer, down", "hiss", "stay", "up")
    made = lifecycle.begin(TASK, config, tmp_path)
    assert made.labels == labels
    model = TASK.model(made.config, made.preprocessor, labels)
    recognizer = TASK.predictor(made.run, made.config, made.preprocessor, model, labels)
    assert recognizer.commands == labels


@pytest.mark.parametrize("split", ["train", "validation"])
def test_changed_clips_are_refused(
    untrained: Make, copied: Callable[[Any], Any], tmp_path: Path, split: str
) -> None:
    run = copied(untrained("speech", "gru")).run
    table = Path(run.config["data"]["source"])
    shutil.copytree(table.parent, tmp_path / "words")
    number = {"train": 2, "validation": 31}[split]
    (tmp_path / "words" / "0" / f"{number}.wav").write_bytes(wav_bytes(spoken("up", 999)))
    config = (run.path / "config.toml").read_text(encoding="utf-8")
    changed = config.replace(str(table), str(tmp_path / "words" / "words.csv"))
    run.write_text("config.toml", changed)
    with pytest.raises(RunError, match=f"on other data: its {split} split"):
        lifecycle.resume(TASK, RunDirectory.open(run.path))
    shutil.rmtree(tmp_path / "words")
    with pytest.raises(DataError, match=r"no such file.*words\.csv"):
        lifecycle.resume(TASK, RunDirectory.open(run.path))


@pytest.mark.exhaustive
def test_mixed_precision_trains_in_bfloat16_and_answers_in_float32(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained_in = []

    def spy(model: keras.Model, **arguments: object) -> object:
        trained_in.append(model.backbone.compute_dtype)
        return fit(model, **arguments)

    monkeypatch.setattr(lifecycle, "fit", spy)
    before = keras.config.dtype_policy().name
    changes = {"training.mixed_precision": True, "training.epochs": 2}
    recognizer, _ = lifecycle.train(TASK, tiny("speech", "lstm", **changes), tmp_path)
    assert trained_in == ["bfloat16"]
    assert keras.config.dtype_policy().name == before
    assert recognizer.model.backbone.compute_dtype == "float32"
    scores = recognizer.scores([spoken("up", 1), spoken("stay", 2)])
    assert scores.sum(axis=1) == pytest.approx(1, abs=1e-6)


def test_words_that_nobody_says_are_functions_of_the_pass(tiny: Tiny) -> None:
    config = tiny("speech", "gru", **{"data.nonwords": 0.2})
    clips, _ = data.load_training(config, ())
    one, two = (data.training_batches(config, None, clips) for _ in range(2))
    unknown, commands = clips.names.index("unknown"), 90  # three times thirty
    made = [rows[rows >= len(clips)] for rows in (one.of_pass(0), one.of_pass(1))]
    assert [len(rows) for rows in made] == [18, 18] == [round(0.2 * commands)] * 2
    assert (one.labels_of_pass == unknown).sum() == 18 + (
        data.training_batches(tiny("speech", "gru"), None, clips).labels_of_pass == unknown
    ).sum()

    def heard(source: ClipBatchSource, number: int) -> dict[int, bytes]:
        found = {}
        for step in range(source.steps_per_pass):
            inputs, labels, _ = source.batch(number, step)
            rows = source.of_pass(number)[source.plan.indices(number, step)]
            for row, pcm, label in zip(rows, inputs["pcm"], labels, strict=True):
                if row >= len(clips):
                    assert label == unknown
                    found[int(row)] = pcm.tobytes()
                else:
                    assert label == clips.labels[row]
        return found

    first = heard(one, 1)
    assert first == heard(two, 1)
    assert len(set(first.values())) == 18
    assert not set(first.values()) & set(heard(one, 0).values())
    assert not set(first.values()) & {
        pcm.tobytes() for pcm in clips.audio.pcm(np.arange(len(clips)))
    }


@pytest.mark.parametrize("changes", [{"data.unknown": 0}, {"data.commands": ("up",)}])
def test_words_that_nobody_says_need_unknown_and_two_commands(
    tiny: Tiny, tmp_path: Path, changes: dict[str, Any]
) -> None:
    config = tiny("speech", "gru", **{"data.nonwords": 0.2, **changes})
    with pytest.raises(ConfigurationError, match="needs the class unknown and two commands"):
        lifecycle.train(TASK, config, tmp_path)
    assert not list(tmp_path.iterdir())
