"""Training a translator and going on with it: resume, changed data, kinds of tokens, attention."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.tasks.stopping import InterruptAt, assert_same_bits, halfway
from textapps.core.errors import RunError
from textapps.core.notices import NOTICE
from textapps.datasets.pairs.examples import Pairs
from textapps.datasets.pairs.loader import load_pairs
from textapps.tasks import lifecycle
from textapps.tasks.registry import get_presets
from textapps.tasks.translate.task import TASK
from textapps.training.history import read_history
from textapps.training.interruption import TrainingInterrupted
from textapps.training.run_directory import RunDirectory
from textapps.training.seeding import seed_everything

Make = Callable[[str, str], Any]
Tiny = Callable[..., Any]


@pytest.mark.exhaustive
def test_resumed_in_mid_pass_ends_with_the_same_bits(trained: Make, tmp_path: Path) -> None:
    whole = trained("translate", "gru")
    run = halfway(whole.run, tmp_path)
    resumed, _ = lifecycle.resume(TASK, run)
    assert_same_bits(whole.run, run)
    assert resumed.predict(["nep lud."]) == whole.predict(["nep lud."])


@pytest.mark.exhaustive
def test_interrupted_and_resumed_ends_with_the_same_bits(
    trained: Make, tiny: Tiny, tmp_path: Path
) -> None:
    """Between two checkpoints, the means of the weights at their ends included."""
    with pytest.raises(TrainingInterrupted):
        lifecycle.train(TASK, tiny("translate", "transformer"), tmp_path, InterruptAt(103))
    (run,) = RunDirectory.all(tmp_path, "translate")
    resumed, _ = lifecycle.resume(TASK, run)
    whole = trained("translate", "transformer")
    assert_same_bits(whole.run, run)
    assert resumed.predict(["nep lud."]) == whole.predict(["nep lud."])


SHORT = {"training.epochs": 2, "training.checkpoint_steps": None}


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (
            "simple_rnn",
            {
                "backbone.attention": "none",
                "preprocessor.tokens": "char",
                "preprocessor.copy_numbers": True,
                "model.tied": False,
            },
        ),
        (
            "gru",
            {
                "backbone.attention": "dot",
                "preprocessor.joint": True,
                "preprocessor.model": "bpe",
                "preprocessor.vocabulary_size": 63,
                "preprocessor.sampling_alpha": 0.1,
                "data.reverse": True,
                "model.simcut": 3.0,
                "model.cutoff": 0.2,
                "training.both_ways": 0.5,
            },
        ),
    ],
    ids=["no attention, characters, untied", "dot, reversed, drawn subwords, cut off"],
)
def test_other_ways_train_load_and_export(
    tiny: Tiny, tmp_path: Path, kind: str, changes: dict[str, Any]
) -> None:
    translator, result = lifecycle.train(
        TASK, tiny("translate", kind, **SHORT, **changes), tmp_path
    )
    assert result.epochs == 2
    first, last = (float(row["val_nats_per_token"]) for row in read_history(translator.run))
    assert last < first
    (test,) = load_pairs(translator.config.data, ("test",))
    assert test.sources[0].removesuffix(".").endswith("x") == ("data.reverse" in changes)
    texts = [*test.sources[:5], "", "猫 🐈"]
    answers = translator.predict(texts)
    assert (translator.attention(texts[0]) is None) == ("none" in changes.values())
    path = lifecycle.load(TASK, translator.run).export(tmp_path, verify=False, warmup=False)
    signatures = tf.saved_model.load(str(path)).signatures
    found = signatures["serving_default"](source=tf.constant(texts))
    assert [text.decode() for text in found["translation"].numpy()] == [
        answer.translation for answer in answers
    ]
    np.testing.assert_allclose(found["score"], [a.score for a in answers], atol=1e-5)


@pytest.mark.exhaustive
def test_in_parts_it_trains_as_with_whole_batches(tiny: Tiny, tmp_path: Path) -> None:
    """As the replicas of a strategy do, whose gradients are added up in the same way."""
    plain = {"backbone.layers": 1, "backbone.dropout": 0.0, "model.embedding_dropout": 0.0}
    curves = []
    for parts in (1, 2):
        changes = {**plain, "training.epochs": 1, "training.accumulate": parts}
        config = tiny("translate", "simple_rnn", **changes)
        translator, _ = lifecycle.train(TASK, config, tmp_path / str(parts))
        rows = read_history(translator.run)
        curves.append([float(row[name]) for row in rows for name in ("loss", "val_loss")])
    np.testing.assert_allclose(*curves, rtol=1e-4)


def test_the_figure_of_training_is_that_of_the_greedy_answers(trained: Make) -> None:
    translator = trained("translate", "gru")
    best = max(float(row["val_bleu"]) for row in read_history(translator.run))
    evaluation = lifecycle.evaluate(
        TASK, translator, split="validation", options={"decoding.beam": 1}
    )
    assert evaluation.summary["metrics"]["bleu"] == pytest.approx(best)
    assert not evaluation.default


def test_one_that_is_loaded_outlives_the_seed_of_another_training(
    trained: Make,
) -> None:
    translator = trained("translate", "transformer")
    before = translator.predict(["nep lud."])
    seed_everything(11)
    assert translator.predict(["nep lud."]) == before
    assert translator.predict(["nep lud."], beam=2)[0].translation == before[0].translation


def test_changed_pairs_are_refused(
    untrained: Make, copied: Callable[[Any], Any], tmp_path: Path
) -> None:
    run = copied(untrained("translate", "gru")).run
    pairs = Path(run.config["data"]["source"])
    changed = tmp_path / "toy.csv"
    first, *rest = pairs.read_text(encoding="utf-8").splitlines(keepends=True)
    rest[0] = rest[0].replace(",", "!,", 1)
    changed.write_text("".join([first, *rest]), encoding="utf-8")
    config = (run.path / "config.toml").read_text(encoding="utf-8")
    run.write_text("config.toml", config.replace(str(pairs), str(changed)))
    with pytest.raises(RunError, match="on other data: its train split"):
        lifecycle.resume(TASK, RunDirectory.open(run.path))


@pytest.mark.parametrize(
    ("epochs", "share", "passes"), [(5, 0.7, 4), (36, 0.33, 12), (3, 0.95, 2), (1, 0.9, 0)]
)
def test_the_named_share_of_the_passes_is_both_ways(
    tiny: Tiny, epochs: int, share: float, passes: int
) -> None:
    changes = {"training.epochs": epochs, "training.both_ways": share, "preprocessor.joint": True}
    config = tiny("translate", "gru", **changes)
    train, _ = TASK.load_training(config, ())
    assert TASK.settle(config, train) is config
    assert TASK.learn(config, train, None)[1].both_ways == passes


def test_fine_tuning_does_not_begin_both_ways_unless_it_is_told_to(untrained: Make) -> None:
    presets, run = get_presets("translate"), untrained("translate", "transformer").run.path
    flags = {"preset": "base", "start.init_from": str(run)}
    assert presets.resolve(flags={"preset": "base"}).training.both_ways == 0.33
    config = presets.resolve(flags=flags, start=run / "config.toml")
    assert (config.training.epochs, config.training.both_ways) == (36, 0)
    flags["training.both_ways"] = 0.25
    assert presets.resolve(flags=flags, start=run / "config.toml").training.both_ways == 0.25


def test_languages_with_a_vocabulary_each_are_not_trained_both_ways(
    tiny: Tiny, caplog: pytest.LogCaptureFixture
) -> None:
    config = tiny("translate", "gru", **{"preprocessor.joint": False, "training.both_ways": 0.5})
    with caplog.at_level(NOTICE, "textapps"):
        settled = TASK.settle(config, TASK.load_training(config, ())[0])
    assert settled.training.both_ways == 0
    assert "each language has a vocabulary of its own (preprocessor.joint)" in caplog.text


@pytest.mark.parametrize(("pairs", "copied"), [(19, False), (20, True)])
def test_numbers_are_copied_if_there_are_enough_to_learn_from(
    caplog: pytest.LogCaptureFixture, pairs: int, copied: bool
) -> None:
    config = get_presets("translate").resolve(flags={"preset": "tiny"})
    sources = (*(f"{n} dogs" for n in range(pairs)), "two dogs", "3 dogs")
    targets = (*(f"{n} Hunde" for n in range(pairs)), "2 Hunde", "drei Hunde")
    train = Pairs("own", sources, targets)
    with caplog.at_level(NOTICE, "textapps"):
        settled = TASK.settle(config, train)
    assert settled.preprocessor.copy_numbers is copied
    assert ("own: 19 training pairs with the same numbers" in caplog.text) is not copied
    fixed = config.preprocessor.model_copy(update={"copy_numbers": not copied})
    chosen = config.model_copy(update={"preprocessor": fixed})
    assert TASK.settle(chosen, train) is chosen
