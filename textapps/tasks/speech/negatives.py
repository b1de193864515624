"""What a recogniser's last layer reads of recordings, and of the negatives of its own data."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.core.errors import DataError
from textapps.core.notices import muted
from textapps.datasets.clips.config import SILENCE, UNKNOWN
from textapps.tasks.predictor import ANSWER_BATCH
from textapps.tasks.speech.data import load_words
from textapps.tasks.speech.kept_recordings import with_added_words
from textapps.tasks.speech.predictor import SpeechRecognizer

Floats = NDArray[np.float32]
SPLITS = ("train", "validation")
KINDS = ("other words", "commands", "silence")
"""What a negative may be, by the name that messages have for it."""


@dataclass(frozen=True)
class Embedded:
    """What the last layer reads and gives.

    embeddings  float32[n, pooled]
    logits      float32[n, labels], that of `unknown` raised by the threshold of the run
    kinds       str[n], of `KINDS`; '' of positives
    words       str[n], what is said in each; '' of positives
    """

    embeddings: Floats
    logits: Floats
    kinds: NDArray[Any]
    words: NDArray[Any]

    def __len__(self) -> int:
        return len(self.embeddings)

    def rows(self, chosen: NDArray[Any]) -> "Embedded":
        """Some of them, by a mask or by their numbers."""
        return Embedded(
            self.embeddings[chosen], self.logits[chosen], self.kinds[chosen], self.words[chosen]
        )


Negatives = tuple[Embedded, Embedded]
"""Of the training and of the validation split."""


def embedded(
    recognizer: SpeechRecognizer,
    waveforms: Floats,
    kinds: Sequence[str] = (),
    words: Sequence[str] = (),
) -> Embedded:
    """Clips of the model's length, float32[n, samples]."""
    found = np.concatenate(
        [
            recognizer.embed(tf.constant(waveforms[first : first + ANSWER_BATCH])).numpy()
            for first in range(0, len(waveforms), ANSWER_BATCH)
        ]
    )
    kernel, bias = last_layer(recognizer)
    logits = recognizer.answers.rejection(found @ kernel + bias)
    nothing = [""] * len(found)
    return Embedded(
        found, np.asarray(logits), np.array(kinds or nothing), np.array(words or nothing)
    )


def last_layer(recognizer: SpeechRecognizer) -> tuple[Floats, Floats]:
    """float32[pooled, labels] and float32[labels]."""
    head = recognizer.model.head
    return head.kernel.numpy(), head.bias.numpy()


def own_negatives(recognizer: SpeechRecognizer) -> Negatives:
    """As `read_negatives`, with an error that names the remedy of the command line."""
    try:
        return read_negatives(recognizer)
    except DataError as error:
        raise DataError(
            f"name the data of {recognizer.run.name}, or others like them, by --data DIR: a word "
            f"is learned beside clips of other words, and these cannot be read ({error})"
        ) from None


def read_negatives(recognizer: SpeechRecognizer) -> Negatives:
    """Clips of every word and of silence, of the training and of the validation split.

    Raises:
        DataError: the data of the run cannot be read.
    """
    with muted():  # what is to be said of these data was said in training
        train, validation = (_of_split(recognizer, each) for each in SPLITS)
    return train, validation


def _of_split(recognizer: SpeechRecognizer, split: str) -> Embedded:
    # Words that were added before are in no other data.
    data = with_added_words(recognizer.config.data, recognizer.run)
    config = recognizer.config.model_copy(update={"data": data})
    clips = load_words(config, split, recognizer.labels)
    names = [clips.names[label] for label in clips.labels]
    kinds = [{UNKNOWN: KINDS[0], SILENCE: KINDS[2]}.get(name, KINDS[1]) for name in names]
    return embedded(recognizer, clips.waveforms(), kinds, clips.words)
