"""The bidirectional LSTM that Keras's documentation trains on IMDB, with a stopwatch.

Written from the description of https://keras.io/examples/nlp/bidirectional_lstm_imdb/: the 20,000
most frequent words, the last 200 of a review, zeros before shorter ones, an embedding of 128, two
bidirectional LSTMs of 64, one sigmoid; Adam and binary cross-entropy as Keras has them by default,
batches of 32. The reviews are split as textapps splits them.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import keras
import numpy as np

from textapps.datasets.config import DataConfig
from textapps.datasets.texts.loader import load_texts

VOCABULARY, LENGTH, BATCH = 20_000, 200, 32
EPOCHS = 6  # after which it gives up
START, UNKNOWN, FIRST = 1, 2, 3  # 0 is padding: the numbering of keras.datasets.imdb


class Stopwatch(keras.callbacks.Callback):
    """Times training steps, the tracing of the first among them; stands still in validation.

    `rows` hold step, seconds and validation accuracy of every `interval` steps; training ends
    where the target is reached.
    """

    def __init__(self, inputs: Any, labels: Any, interval: int, target: float) -> None:
        super().__init__()
        self.validation = (inputs, labels)
        self.interval, self.target = interval, target
        self.rows: list[dict[str, float]] = []
        self.step, self.seconds = 0, 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seconds += time.perf_counter() - self._started

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.step += 1
        if self.step % self.interval:
            return
        self.seconds += time.perf_counter() - self._started
        _, accuracy = self.model.evaluate(*self.validation, batch_size=256, verbose=0)
        row = {"step": self.step, "seconds": round(self.seconds, 2), "val_accuracy": accuracy}
        self.rows.append(row)
        self.model.stop_training = accuracy >= self.target
        self._started = time.perf_counter()


def build_model() -> keras.Model:
    inputs = keras.Input(shape=(None,), dtype="int32")
    x = keras.layers.Embedding(VOCABULARY, 128)(inputs)
    x = keras.layers.Bidirectional(keras.layers.LSTM(64, return_sequences=True))(x)
    x = keras.layers.Bidirectional(keras.layers.LSTM(64))(x)
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(x))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def words(text: str) -> list[str]:
    """Lower-cased, without punctuation.

    >>> words("It's <br />GOOD!")
    ["it's", 'br', 'good']
    """
    return re.findall(r"[\w']+", text.lower())


def learn(texts: Iterable[str]) -> dict[str, int]:
    """The ids of the most frequent words; all ids are below VOCABULARY."""
    counts = Counter(word for text in texts for word in words(text))
    known = counts.most_common(VOCABULARY - FIRST)
    return {word: number for number, (word, _) in enumerate(known, FIRST)}


def encode(texts: Iterable[str], ids: dict[str, int]) -> Any:
    """int32[texts, LENGTH], padded and cut in front."""
    rows = [[START, *(ids.get(word, UNKNOWN) for word in words(text))] for text in texts]
    return keras.utils.pad_sequences(rows, maxlen=LENGTH)


def recipe() -> Callable[[dict[str, Any]], list[dict[str, float]]]:
    """A side of `time-to-accuracy`: asked {"data", "target", "interval", "seed"}, it trains."""

    def ask(question: dict[str, Any]) -> list[dict[str, float]]:
        keras.utils.set_random_seed(question["seed"])  # noqa: TID251 - no translator here
        splits = load_texts(DataConfig(**question["data"]), ("train", "validation"))
        ids = learn(splits[0].texts)
        (x, y), validation = (
            (encode(part.texts, ids), part.labels.astype(np.float32)) for part in splits
        )
        watch = Stopwatch(*validation, question["interval"], question["target"])
        build_model().fit(x, y, BATCH, EPOCHS, verbose=0, callbacks=[watch])
        return watch.rows

    return ask
