"""`fit` on batches of tokens, whose shapes and numbers of sentences differ from step to step."""

import csv
import signal

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.training import trainee
from textapps.core.tokens import EOS
from textapps.training.checkpoint import ARRAYS, CheckpointStore
from textapps.training.fit import fit
from textapps.training.interruption import TrainingInterrupted
from textapps.training.nats_per_token import NatsPerToken
from textapps.training.progress import NoProgress
from textapps.training.seeding import seed_everything
from textapps.training.token_batches import TokenBatchSource
from textapps.training.token_loss import TokenLoss

VOCABULARY = 13
CHANGES = {"epochs": 3, "checkpoint_steps": 4, "average_last": 2, "learning_rate": 0.05}


class Counted(NoProgress):
    """Remembers how many tokens were seen; sends SIGINT after step `stop_at`."""

    def __init__(self, stop_at=None):
        self.stop_at, self.tokens = stop_at, []

    def update(self, step, logs, examples):
        self.tokens.append(examples)
        if step == self.stop_at:
            signal.raise_signal(signal.SIGINT)


class Successor(keras.Model):
    """Each next token from the present one and the mean of the source; counts its traces."""

    def __init__(self):
        super().__init__()
        self.embedding = keras.layers.Embedding(VOCABULARY, 6, name="embedding")
        self.dropout = keras.layers.Dropout(0.3, name="dropout")
        self.head = keras.layers.Dense(VOCABULARY, name="head")
        self.traces = 0
        self.embedding.build((None, None))
        self.head.build((None, None, 6))
        self.built = True

    def call(self, inputs, training=None):
        self.traces += not tf.executing_eagerly()
        source = keras.ops.mean(self.embedding(inputs["source"]), axis=1, keepdims=True)
        x = self.dropout(self.embedding(inputs["target"]) + source, training=training)
        return self.head(x)


def model(seed=3):
    seed_everything(seed)
    return Successor()


def pairs(count, seed):
    """(ids, splits) of sources and of targets, some of them empty."""
    random = np.random.default_rng(seed)
    for _ in range(2):
        lengths = random.integers(0, 8, count)
        ids = random.integers(EOS + 1, VOCABULARY, lengths.sum()).astype(np.int32)
        yield ids, np.concatenate([[0], np.cumsum(lengths)])


def sources():
    train = TokenBatchSource(*pairs(20, 1), batch_tokens=24, seed=5, multiple=2)
    return train, TokenBatchSource(*pairs(9, 2), batch_tokens=20, seed=None)


def train(run, built=None, stop_at=None):
    built = built or model()
    counted = Counted(stop_at)
    training, validation = sources()
    fit(
        built,
        loss=TokenLoss(0.1),
        metrics=[NatsPerToken()],
        train=training,
        validation=validation,
        config=trainee.training_config(**CHANGES),
        run=run,
        monitor="val_nats_per_token",
        mode="min",
        progress=counted,
    )
    return built, counted


def history(run):
    with (run.path / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def arrays(run):
    store = CheckpointStore(run.checkpoints)
    with np.load(store.path(store.steps()[-1]) / ARRAYS) as archive:
        return {name: archive[name] for name in archive.files}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    run = trainee.new_run(tmp_path_factory.mktemp("whole"), **CHANGES)
    return run, *train(run)


def test_shapes_differ_and_nothing_is_traced_anew(whole):
    run, built, _ = whole
    training, validation = sources()
    shapes = {training.batch(0, step)[1].shape for step in range(training.steps_per_pass)}
    assert len(shapes) >= 3
    assert validation.steps_per_pass > 2
    assert built.traces == 2  # to train and to validate
    assert int(history(run)[-1]["step"]) == 3 * training.steps_per_pass


def test_tokens_are_counted_and_padding_is_not(whole):
    training, _ = sources()
    tokens = sum(training.batch(0, s)[2].sum() for s in range(training.steps_per_pass))
    assert tokens == sum(len(ids) for ids, _ in list(pairs(20, 1))[1:]) + 20
    assert whole[2].tokens[-1] == 3 * tokens


def test_validation_is_the_mean_over_all_tokens(whole):
    run, built, _ = whole
    _, validation = sources()
    nats = []
    for step in range(validation.steps_per_pass):
        inputs, following, weights = validation.batch(0, step)
        logits = np.asarray(built(inputs), np.float64)
        chances = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
        given = np.take_along_axis(chances, following[..., None], axis=-1)[..., 0]
        nats.extend(-np.log(given[weights > 0]))
    assert len(nats) == sum(len(ids) for ids, _ in list(pairs(9, 2))[1:]) + 9
    best = min(float(row["val_nats_per_token"]) for row in history(run))
    assert np.mean(nats) == pytest.approx(best, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("stop_at", [3, 4, 6])
def test_interrupted_anywhere_ends_with_the_same_bits(tmp_path, whole, stop_at):
    run = trainee.new_run(tmp_path, **CHANGES)
    with pytest.raises(TrainingInterrupted):
        train(run, stop_at=stop_at)
    train(run, model(seed=99))
    expected, found = arrays(whole[0]), arrays(run)
    assert expected.keys() == found.keys()
    for name, array in expected.items():
        assert array.tobytes() == found[name].tobytes(), name
    for before, after in zip(history(whole[0]), history(run), strict=True):
        assert {**before, "seconds": 0} == {**after, "seconds": 0}
