"""N-grams beside the backbone: against the baseline, in pieces, and in a run and its export."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textapps.core.errors import ConfigurationError, RunError
from textapps.evaluation.baselines.ngram_model import NgramModel
from textapps.savedmodel.manifest import read_manifest
from textapps.tasks import lifecycle
from textapps.tasks.generate.data import encode_from_start
from textapps.tasks.generate.model import LanguageModel
from textapps.tasks.generate.ngram_path import NgramPath
from textapps.tasks.generate.report import report
from textapps.tasks.generate.task import TASK
from textapps.tasks.lifecycle import evaluate
from textapps.training.run_directory import RunDirectory

VOCABULARY = 7
IDS = st.lists(st.integers(1, VOCABULARY - 1), min_size=1, max_size=60)


def ids_of(values: list[int]) -> Any:
    return np.array(values, np.int32)


@given(learned=IDS, asked=IDS, orders=st.integers(2, 5), cut=st.integers(0, 60))
@settings(max_examples=60)
def test_gives_the_probabilities_of_the_baseline_in_whatever_pieces(
    learned: list[int], asked: list[int], orders: int, cut: int
) -> None:
    path = NgramPath.learn(ids_of(learned), VOCABULARY, orders)
    expected = NgramModel().fit(ids_of(learned), VOCABULARY, orders).nats(ids_of(asked))
    given = tf.constant([asked])
    state = path.initial_state(1)
    states = tf.concat([state[:, None], path.advance(given, state)], axis=1)
    chances = path.chances(states)[0].numpy()
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-5)
    found = chances[np.arange(len(asked)), asked]
    np.testing.assert_allclose(-np.log(found), expected, rtol=1e-4, atol=1e-5)
    # In two pieces, and one character after another.
    first = tf.concat([state[:, None], path.advance(given[:, :cut], state)], axis=1)
    second = path.advance(given[:, cut:], first[:, -1])
    np.testing.assert_array_equal(tf.concat([first, second], axis=1), states)
    for place in range(min(len(asked), 9)):
        state = path.advance(given[:, place : place + 1], state)[:, 0]
        np.testing.assert_array_equal(state, states[:, place + 1])


def test_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = NgramPath.learn(ids_of([1, 2, 3, 1, 2, 4, 1, 2, 3]), VOCABULARY, 3)
    path.save(tmp_path)
    again = NgramPath.load(tmp_path)
    states = tf.constant([[0, 0], [3, 7], [2, 0]])
    np.testing.assert_array_equal(again.chances(states), path.chances(states))
    content = (tmp_path / "ngrams.npz").read_bytes()
    (tmp_path / "ngrams.npz").write_bytes(content[:-20])
    with pytest.raises(RunError, match=r"ngrams\.npz"):
        NgramPath.load(tmp_path)
    (tmp_path / "ngrams.npz").unlink()
    with pytest.raises(RunError, match=r"cannot read .*ngrams\.npz: No such file"):
        NgramPath.load(tmp_path)


@pytest.mark.parametrize("kind", ["gru", "transformer"])
def test_rows_of_a_batch_and_its_pieces_are_independent(
    tiny: Callable[..., Any], kind: str
) -> None:
    path = NgramPath.learn(ids_of([1, 2, 3, 1, 2, 4, 1, 2, 3, 5, 6] * 3), VOCABULARY, 4)
    config = tiny("generate", kind, **{"model.ngrams": 4, "model.ngram_share": 0.5})
    model = LanguageModel(config, VOCABULARY, (2, 3), ngrams=path)
    model.build()
    ids = np.random.default_rng(1).integers(1, VOCABULARY, (3, 6)).astype(np.int32)
    lengths = np.array([6, 1, 4])
    mask = np.arange(6) < lengths[:, None]
    padded = tf.constant(np.where(mask, ids, 0))
    logits, state = model.read(padded, None, tf.constant(mask))
    last, same = model.decode_step(padded, None, tf.constant(mask))
    for row, length in enumerate(lengths):
        alone, state_alone = model.read(tf.constant(ids[row : row + 1, :length]))
        np.testing.assert_allclose(logits[row, :length], alone[0], atol=1e-5)
        np.testing.assert_allclose(last[row], alone[0, -1], atol=1e-5)
        for found in (state, same):
            np.testing.assert_array_equal(found[-1]["ngrams"][row], state_alone[-1]["ngrams"][0])
    # A character at a time, as texts are generated, and a chunk without any.
    _, empty = model.read(tf.constant(ids[:, :0]), model.initial_state(3))
    state = model.begin_decode(empty, 6)
    whole, _ = model.read(tf.constant(ids))
    for place in range(6):
        logits, state = model.decode_step(tf.constant(ids[:, place : place + 1]), state)
        np.testing.assert_allclose(logits, whole[:, place], atol=1e-5)
    assert (whole.numpy()[..., 0] == -1e9).all()
    # Half of each probability is of the n-grams, but in training.
    chunk = {"ids": tf.constant(ids), "start": tf.fill([3], True)}
    evaluated = tf.nn.softmax(model(chunk, training=False))
    backbone = tf.nn.softmax(model.logits(model.backbone(model.embedding(ids))[0]))
    expected = path.chances(path.advance(tf.constant(ids), path.initial_state(3)))
    # A repetition penalty goes by the sign of a logit, so they are of the backbone's size.
    own = model.logits(model.backbone(model.embedding(ids))[0])
    size = tf.reduce_logsumexp(own, axis=-1)
    np.testing.assert_allclose(tf.reduce_logsumexp(whole, axis=-1), size, atol=0.03)
    expected = (0.5 * backbone + 0.5 * expected).numpy()[..., 1:]
    expected /= expected.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(evaluated[..., 1:], expected, atol=1e-6)
    training = model({"ids": chunk["ids"][:2], "start": chunk["start"][:2]}, training=True)
    assert np.abs(tf.nn.softmax(training) - evaluated[:2]).max() > 0.01


@pytest.fixture(scope="module")
def generator(tiny: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Of one training with n-grams; no test may change its run."""
    config = tiny("generate", "lstm", **{"model.ngrams": 3, "training.epochs": 1})
    return lifecycle.train(TASK, config, tmp_path_factory.mktemp("models"))[0]


def test_a_run_keeps_the_ngrams_of_its_training_text(generator: Any) -> None:
    again = lifecycle.load(TASK, RunDirectory.open(generator.run.path))
    text = "the dog sat;\n"
    train, _ = TASK.load_training(generator.config, ())
    known = again.preprocessor
    baseline = NgramModel().fit(known.encode(train.text), len(known.vocabulary), order=3)
    ids = encode_from_start(known, text)
    own = tf.nn.softmax(
        again.model.logits(again.model.backbone(again.model.embedding(ids[None]))[0])
    )
    own = own.numpy()[0, np.arange(len(text)), ids[1:]]
    expected = -np.log(0.75 * own + 0.25 * np.exp(-baseline.nats(ids)[1:]))
    np.testing.assert_allclose(again.nats(text), expected, atol=5e-3)  # padding gets none
    assert again.generate(["the "], random_seed=3) == generator.generate(["the "], random_seed=3)


@pytest.mark.slow
def test_its_export_answers_as_the_run_does(generator: Any, tmp_path: Path) -> None:
    """Verification asks every signature what the run has answered."""
    path = generator.export(tmp_path, explain=True)
    manifest = read_manifest(path)
    assert "state_1_ngrams" in manifest.state
    limits = manifest.limits  # generating needs what may follow the last character alone
    assert limits["generate"].cell_bytes < limits["score"].cell_bytes
    signatures = tf.saved_model.load(str(path)).signatures
    scored = signatures["score"](text=tf.constant(["the cat", "a"]))
    for text, likelihood in zip(("the cat", "a"), scored["log_likelihood"].numpy(), strict=True):
        assert -likelihood == pytest.approx(generator.nats(text).sum(), rel=1e-4)
    seen = signatures["explain"](text=tf.constant(["the cat"]))
    np.testing.assert_allclose(seen["surprise"][0], generator.nats("the cat"), atol=1e-4)


def test_its_report_says_so(generator: Any) -> None:
    made = report(generator, evaluate(TASK, generator))
    assert made.facts["n-grams"] == "up to 3 characters, 25 % of each probability"


def test_a_run_without_its_ngrams_is_told(generator: Any, copied: Callable[[Any], Any]) -> None:
    run = copied(generator).run
    (run.preprocessor_dir / "ngrams.npz").unlink()
    with pytest.raises(RunError, match=r"cannot read .*ngrams\.npz: No such file"):
        lifecycle.load(TASK, run)


def test_they_have_a_share(tiny: Callable[..., Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"ngram_share.*greater than 0"):
        tiny("generate", "gru", **{"model.ngram_share": 0})


def test_one_character_is_no_ngram(tiny: Callable[..., Any]) -> None:
    with pytest.raises(ConfigurationError, match="n-grams of one character have no context"):
        tiny("generate", "gru", **{"model.ngrams": 1})
