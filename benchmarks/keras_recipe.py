"""The bidirectional LSTM that Keras's documentation trains on IMDB, with a stopwatch.

    python -m benchmarks.keras_recipe --data-dir DIR

Written from the description of https://keras.io/examples/nlp/bidirectional_lstm_imdb/: the 20,000
most frequent words, the last 200 of a review, zeros before shorter ones, an embedding of 128, two
bidirectional LSTMs of 64, one sigmoid; Adam and binary cross-entropy as Keras has them by default,
batches of 32. The reviews are split as textapps splits them. Prints one JSON object; part of
benchmarks.time_to_accuracy.
"""

import argparse
import json
import os
import re
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from textapps.datasets.config import DataConfig
from textapps.datasets.texts.loader import load_texts

VOCABULARY, LENGTH, BATCH = 20_000, 200, 32
START, UNKNOWN, FIRST = 1, 2, 3  # 0 is padding: the numbering of keras.datasets.imdb


class Stopwatch(keras.callbacks.Callback):
    """Times training steps, the tracing of the first among them; stands still in validation.

    `rows` hold step, seconds and validation accuracy of every `interval` steps; training ends
    where the target is reached.
    """

    def __init__(self, inputs: Any, labels: Any, interval: int, target: float) -> None:
        super().__init__()
        self.validation = (inputs, labels)
        self.interval = interval
        self.target = target
        self.rows: list[dict[str, float]] = []
        self.step = 0
        self.seconds = 0.0

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
        self.rows.append(
            {"step": self.step, "seconds": round(self.seconds, 2), "val_accuracy": accuracy}
        )
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


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="imdb_reviews")
    parser.add_argument("--data-dir")
    parser.add_argument("--target", type=float, default=0.86, help="validation accuracy (0.86)")
    parser.add_argument("--interval", type=int, default=100, help="steps between validations")
    parser.add_argument("--epochs", type=int, default=6, help="give up after so many (6)")
    parser.add_argument("--random-seed", type=int, default=0)
    options = parser.parse_args(arguments)

    keras.utils.set_random_seed(options.random_seed)
    config = DataConfig(source=options.data, data_dir=options.data_dir)
    train, validation = load_texts(config, ("train", "validation"))
    ids = learn(train.texts)
    model = build_model()
    watch = Stopwatch(
        encode(validation.texts, ids),
        validation.labels.astype(np.float32),
        options.interval,
        options.target,
    )
    model.fit(
        encode(train.texts, ids),
        train.labels.astype(np.float32),
        batch_size=BATCH,
        epochs=options.epochs,
        callbacks=[watch],
        verbose=0,
    )
    print(
        json.dumps(
            {
                "rows": watch.rows,
                "parameters": model.count_params(),
                "jit_compile": bool(model.jit_compile),
            }
        )
    )


if __name__ == "__main__":
    main()
