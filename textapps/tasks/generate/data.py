"""From a corpus to streams of character ids."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from textapps.core.errors import DataError
from textapps.datasets.corpus.corpus import Corpus, load_corpora
from textapps.preprocessing.characters import CharacterPreprocessor
from textapps.tasks.generate.config import GenerateConfig
from textapps.training.streams import ScoringBatchSource, StreamBatchSource

# Each stream of an evaluation but the first reads so many characters before it is evaluated.
LEAD = 256
# The evaluation reads more streams than training, because it keeps no gradient.
EVALUATION_STREAMS = 64


def load_training_data(config: GenerateConfig) -> tuple[Corpus, Corpus]:
    """The training and the validation text; that for testing is not read.

    Raises:
        DataError: data that are missing or wrong, or a training text shorter than one chunk.
    """
    train, validation = load_corpora(config.data, ("train", "validation"))
    if len(train.text) <= config.model.chunk:
        raise DataError(
            f"{train.name}: {len(train.text)} characters to train on are not more than a chunk "
            f"of {config.model.chunk}: give more text or a smaller model.chunk"
        )
    return train, validation


def training_batches(
    corpus: Corpus, preprocessor: CharacterPreprocessor, config: GenerateConfig
) -> StreamBatchSource:
    """Streams that go round the training text."""
    ids = preprocessor.encode(corpus.text)
    return StreamBatchSource(ids, config.training.batch_size, config.model.chunk)


def scoring_batches(
    text: str, preprocessor: CharacterPreprocessor, config: GenerateConfig
) -> ScoringBatchSource:
    """Every character of a text once, the first after a line break."""
    return ScoringBatchSource(
        begun(preprocessor.encode(text), preprocessor),
        streams=EVALUATION_STREAMS,
        chunk=config.model.chunk,
        lead=LEAD,
    )


def begun(ids: NDArray[np.int32], preprocessor: CharacterPreprocessor) -> NDArray[np.int32]:
    """The ids with that of a line break before them: every text begins on a new line."""
    return np.concatenate([preprocessor.encode("\n"), ids])


def describe(train: Corpus, validation: Corpus) -> dict[str, Any]:
    """What a run notes of its data, to refuse a resume on other data and to tell about it."""
    return {
        "name": train.name,
        "train": {"examples": len(train.text), "sha256": train.fingerprint},
        "validation": {"examples": len(validation.text), "sha256": validation.fingerprint},
    }
