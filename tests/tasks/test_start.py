"""A run that starts from the preprocessor and the weights of another, for every task."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tasks.tiny import LABELS, tiny_config
from textapps.cli.commands.train import configuration
from textapps.core.config import Flags, dump_toml
from textapps.core.errors import ConfigurationError, RunError
from textapps.core.names import TASKS
from textapps.core.records import read_record
from textapps.tasks import lifecycle
from textapps.tasks.registry import get_presets, get_task
from textapps.tasks.start import START, record_start, take_weights
from textapps.training.stages import freeze, learning_rates, stages
from textapps.training.start_config import StartConfig

KIND = {"sentiment": "lstm", "generate": "gru", "translate": "transformer", "speech": "gru"}
WORDS = ("text", "label", "split")


@pytest.fixture(scope="module")
def begun(
    untrained: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Any]:
    """`begun("speech", config)` is the model of a new run with the weights it starts from."""

    def make(name: str, config: Any) -> tuple[Any, Any, Any, Any]:
        task, folder = get_task(name), tmp_path_factory.mktemp("started")
        made = lifecycle.begin(task, config, folder)
        model = task.model(made.config, made.preprocessor, made.labels)
        model.build()
        taken = take_weights(task, made.start, model, made.preprocessor, made.labels)
        record_start(made.run, made.start, taken)
        return model, taken, made, untrained(name, KIND[name])

    return make


def by_path(model: Any) -> dict[str, Any]:
    return {v.path: v.numpy() for v in model.variables if "seed_generator" not in v.path}


def write_texts(path: Path, rows: list[tuple[str, str]]) -> Path:
    """Each row three times, in each split once."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(WORDS)
        for split in ("train", "validation", "test"):
            writer.writerows((f"{text} {split}", label, split) for text, label in rows)
    return path


@pytest.mark.parametrize("name", TASKS)
def test_all_weights_are_taken_for_the_same_data(
    tiny: Callable[..., Any], untrained: Callable[..., Any], begun: Callable[..., Any], name: str
) -> None:
    start = untrained(name, KIND[name]).run
    model, taken, made, old = begun(
        name, tiny(name, KIND[name], **{"start.init_from": str(start.path), "random_seed": 5})
    )
    assert (taken.new, taken.grown, taken.left_out) == ({}, {}, {})
    ours, theirs = by_path(model), by_path(old.model)
    assert ours.keys() == theirs.keys()
    for path, value in ours.items():
        np.testing.assert_array_equal(value, theirs[path], err_msg=path)
    record = read_record(made.run.path / START)
    assert record["run"] == str(start.path)
    assert set(record["reused"]) == set(ours)


def test_labels_in_another_order_keep_that_of_the_start(
    tiny: Callable[..., Any],
    begun: Callable[..., Any],
    untrained: Callable[..., Any],
    tmp_path: Path,
) -> None:
    data = write_texts(tmp_path / "own.csv", [("a film", label) for label in LABELS[::-1]])
    start = untrained("sentiment", "lstm").run
    config = tiny_config("sentiment", "lstm", data, **{"start.init_from": str(start.path)})
    _, taken, made, old = begun("sentiment", config)
    assert made.labels == old.labels == LABELS
    assert not taken.new


@pytest.mark.parametrize("labels", [("yes", "no"), ("yes", "no", "perhaps")])
def test_other_labels_get_a_new_head(
    begun: Callable[..., Any], untrained: Callable[..., Any], tmp_path: Path, labels: Any
) -> None:
    """Also where there are as many of them."""
    data = write_texts(tmp_path / "own.csv", [("a film", label) for label in labels])
    start = untrained("sentiment", "lstm").run
    config = tiny_config("sentiment", "lstm", data, **{"start.init_from": str(start.path)})
    model, taken, _, old = begun("sentiment", config)
    assert {path.split("/")[1] for path in taken.new} == {"head", "ngram_path"}
    assert {path.split("/")[1] for path in taken.left_out} == {"head", "ngram_path"}
    reused = by_path(model)["sentiment/embedding/embeddings"]
    np.testing.assert_array_equal(reused, by_path(old.model)["sentiment/embedding/embeddings"])
    assert str(taken).endswith("left out (head, ngram_path)")


def test_new_tokens_start_at_the_mean_of_the_others(
    begun: Callable[..., Any], untrained: Callable[..., Any], tmp_path: Path
) -> None:
    data = tmp_path / "own.txt"
    data.write_text("the cat, ẞ and þ sat\n" * 30, encoding="utf-8")
    start = untrained("generate", "gru")
    flags = {"start.init_from": str(start.run.path), "start.extend_vocabulary": True}
    model, taken, made, old = begun("generate", tiny_config("generate", "gru", data, **flags))
    known = old.preprocessor.vocabulary.tokens
    assert made.preprocessor.vocabulary.tokens == (*known, "þ", "ẞ")
    assert [path.split("/")[1] for path in taken.grown] == ["embedding", "head", "head"]
    for path, axis in (("embedding/embeddings", 0), ("head/kernel", 1), ("head/bias", 0)):
        was = np.moveaxis(by_path(old.model)[f"generate/{path}"], axis, 0)
        is_ = np.moveaxis(by_path(model)[f"generate/{path}"], axis, 0)
        np.testing.assert_array_equal(is_[:-2], was)
        np.testing.assert_allclose(is_[-2:], np.stack([was.mean(0)] * 2), rtol=1e-5)


def test_unknown_characters_are_told(
    begun: Callable[..., Any],
    untrained: Callable[..., Any],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    data = tmp_path / "own.txt"
    data.write_text("the cat, ẞ and þ sat\n" * 30, encoding="utf-8")
    flags = {"start.init_from": str(untrained("generate", "gru").run.path)}
    _, _, made, old = begun("generate", tiny_config("generate", "gru", data, **flags))
    assert made.preprocessor.vocabulary.tokens == old.preprocessor.vocabulary.tokens
    assert "unknown to the run to start from: ẞþ (2 in all); --extend-vocabulary" in caplog.text


@pytest.mark.slow
def test_it_goes_on_as_if_not_stopped_and_leaves_frozen_layers(
    tiny: Callable[..., Any], untrained: Callable[..., Any], tmp_path: Path
) -> None:
    """Also if it was stopped before its first checkpoint."""
    task, start = get_task("sentiment"), untrained("sentiment", "lstm")
    flags = {
        "start.init_from": str(start.run.path),
        "start.freeze_layers": 2,
        "start.layer_decay": 0.5,
        "training.epochs": 1,
    }
    config = tiny("sentiment", "lstm", **flags)
    whole, _ = lifecycle.train(task, config, tmp_path / "whole")
    stopped = lifecycle.begin(task, config, tmp_path / "stopped").run
    resumed, _ = lifecycle.resume(task, stopped)
    ours, theirs, before = by_path(resumed.model), by_path(whole.model), by_path(start.model)
    for path, value in ours.items():
        np.testing.assert_array_equal(value, theirs[path], err_msg=path)
        frozen = path.split("/")[1] in ("embedding", "stem") or path.endswith("ratio")
        assert frozen == np.array_equal(value, before[path]), path
    read = lifecycle.load(task, whole.run)  # a loaded run needs the start no more
    np.testing.assert_array_equal(
        by_path(read.model)["sentiment/head/bias"], ours["sentiment/head/bias"]
    )


def test_layers_in_order(untrained: Callable[..., Any]) -> None:
    names = {
        "sentiment": ["embedding", "stem", "block_0", "norm", "head", "ngram_path"],
        "generate": ["embedding", "block_0", "block_1", "norm", "head"],
        "translate": ["target_embedding", "block_0", "norm", "block_0", "norm"],
        "speech": ["stem", "block_0", "norm", "pooling", "head"],
    }
    for name, expected in names.items():
        model = untrained(name, KIND[name]).model
        assert [layer.name for layer in stages(model)] == expected
    shares = dict(
        zip([v.path for v in model.trainable_variables], learning_rates(model, 0.5), strict=True)
    )
    assert shares["speech/head/bias"] == 1
    assert shares["speech/pooling/hidden/bias"] == 0.5
    assert {share for path, share in shares.items() if "/stem/" in path} == {0.5**4}
    with pytest.raises(ConfigurationError, match=r"freeze_layers 5 leaves nothing.*5 layers"):
        freeze(model, StartConfig(init_from="a", freeze_layers=5))


def test_the_state_of_streams_is_no_layer(tiny: Callable[..., Any]) -> None:
    task, config = get_task("generate"), tiny("generate", "gru")
    train, _ = task.load_training(config, ())
    preprocessor, batches = task.learn(config, train, None)
    model = task.trainee(config, preprocessor, (), batches, lambda rows: rows)
    model.build()
    assert [layer.name for layer in stages(model)][-1] == "head"
    assert max(learning_rates(model, 0.5)) == 1


def test_as_many_layers_as_a_tied_translator_has_are_too_many_to_freeze(
    tiny: Callable[..., Any], untrained: Callable[..., Any], tmp_path: Path
) -> None:
    """And no run is left behind."""
    start = untrained("translate", "transformer")
    layers = len(stages(start.model))
    flags = {"start.init_from": str(start.run.path), "start.freeze_layers": layers}
    config = tiny("translate", "transformer", **flags)
    with pytest.raises(ConfigurationError, match=f"leaves nothing .* has {layers} layers"):
        lifecycle.begin(get_task("translate"), config, tmp_path)
    assert not list(tmp_path.iterdir())


REFUSED = [
    ({"backbone.kind": "gru"}, r"backbone\.kind gru does not fit .*, which has lstm: leave"),
    ({"backbone.units": 10}, r"backbone\.units 10 does not fit .*, which has 8"),
    ({"preprocessor.tokens": "char"}, r"preprocessor\.tokens char does not fit .* has word"),
    ({"preprocessor.vocabulary_size": 30}, r"preprocessor\.vocabulary_size 30 does not fit"),
]


@pytest.mark.parametrize(("changes", "message"), REFUSED)
def test_what_does_not_fit_is_refused(
    tiny: Callable[..., Any],
    untrained: Callable[..., Any],
    tmp_path: Path,
    changes: dict[str, object],
    message: str,
) -> None:
    start = untrained("sentiment", "lstm").run
    config = tiny("sentiment", "lstm", **{**changes, "start.init_from": str(start.path)})
    with pytest.raises(ConfigurationError, match=message):
        lifecycle.begin(get_task("sentiment"), config, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_run_of_another_task_or_none_is_refused(
    tiny: Callable[..., Any], untrained: Callable[..., Any], tmp_path: Path
) -> None:
    for found, message in (
        (untrained("generate", "gru").run.path, "is a run of generate, not of sentiment"),
        (tmp_path / "gone", "no run at .*gone"),
    ):
        config = tiny("sentiment", "lstm", **{"start.init_from": str(found)})
        with pytest.raises(RunError, match=message):
            lifecycle.begin(get_task("sentiment"), config, tmp_path)


def test_subwords_do_not_grow(
    tiny: Callable[..., Any], untrained: Callable[..., Any], tmp_path: Path
) -> None:
    start = {"start.init_from": str(untrained("translate", "transformer").run.path)}
    config = tiny("translate", "transformer", **start, **{"start.extend_vocabulary": True})
    with pytest.raises(ConfigurationError, match="of translate cannot learn new tokens"):
        lifecycle.begin(get_task("translate"), config, tmp_path)


def test_the_run_stands_in_for_the_preset(untrained: Callable[..., Any]) -> None:
    """A flag still has precedence, and the learning rate is lower."""
    run = untrained("sentiment", "lstm").run
    file = run.path / "config.toml"
    presets = get_presets("sentiment")
    flags = {"start.init_from": str(run.path), "model.head_dropout": 0.75, "preset": "base"}
    config = presets.resolve(flags=flags, start=file)
    preset = presets.resolve(flags={"preset": "base"})
    assert config.backbone.kind == "lstm"
    assert (config.preprocessor.vocabulary_size, config.model.embedding_units) == (40, 6)
    assert config.model.head_dropout == 0.75
    assert config.training.learning_rate == pytest.approx(0.3 * preset.training.learning_rate)
    assert config.training.epochs == preset.training.epochs
    assert config.data == preset.data


def test_what_needs_a_start_says_so() -> None:
    for key, value in (("freeze_layers", 2), ("layer_decay", 0.5), ("extend_vocabulary", True)):
        with pytest.raises(ConfigurationError, match=rf"{key} needs a run to start from"):
            get_presets("speech").resolve(flags={f"start.{key}": value})


def test_none_is_no_start(tmp_path: Path) -> None:
    """Also in place of one that a configuration file names."""
    file = tmp_path / "own.toml"
    file.write_text('[start]\ninit_from = "pretrained:imdb"\nfreeze_layers = 1\n')
    flags = {"start.init_from": "none", "start.freeze_layers": 0}
    config = configuration("sentiment", tmp_path, file, Flags(flags))
    assert config.start == StartConfig()


def test_new_tokens_are_not_frozen() -> None:
    start = {"start.init_from": "a", "start.extend_vocabulary": True}
    with pytest.raises(ConfigurationError, match=r"freeze_layers 1 would keep .* out$"):
        get_presets("generate").resolve(flags={**start, "start.freeze_layers": 1})
    found = get_presets("generate").resolve(flags={**start, "start.freeze_layers": 0})
    assert found.start.extend_vocabulary


def test_what_a_preset_has_set_since_stays_out_of_an_earlier_run(tmp_path: Path) -> None:
    presets = get_presets("translate")
    whole = dump_toml(presets.resolve(flags={"preset": "tiny"}))
    assert 'copy_numbers = "auto"\n' in whole
    file = tmp_path / "config.toml"
    file.write_text(whole.replace('copy_numbers = "auto"\n', ""), encoding="utf-8")
    assert not presets.resolve(flags={"preset": "tiny"}, start=file).preprocessor.copy_numbers
