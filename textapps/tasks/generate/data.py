"""From a corpus to streams of character ids."""

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from textapps.cache.mapped import MappedArray
from textapps.cache.store import Cache
from textapps.cache.writing import EntryWriter
from textapps.core.errors import ConfigurationError, DataError
from textapps.core.notices import muted
from textapps.datasets.corpus.examples import Corpus, beginning
from textapps.datasets.corpus.kept import KeptCorpus, is_large_file, load_kept
from textapps.datasets.corpus.loader import load_corpora
from textapps.datasets.source import SPLITS
from textapps.preprocessing.characters import CharacterPreprocessor, normal_text
from textapps.savedmodel.manifest import Example
from textapps.tasks.examples import short_ones
from textapps.tasks.generate.characters import Characters
from textapps.tasks.generate.config import GenerateConfig
from textapps.tasks.task import Labels
from textapps.training.streams import ScoringBatchSource, StreamBatchSource

BEGINNING = "\n"  # every text begins on a new line
LEAD = 256  # characters that each stream of an evaluation but the first reads before it is scored
SHOWN = 20  # unknown characters in a message
KNOWN_BY = 100_000  # characters that tell whether a preprocessor knows a text
COUNTED = 20_000_000  # characters for n-grams at most: 10 to 20 s, and up to 2 GB of memory
SEED_CHARACTERS = 40  # of an example
EVALUATION_STREAMS = 64  # more than in training, because no gradient is kept


def load(config: GenerateConfig, splits: Sequence[str | None]) -> list[Corpus]:
    """Splits of the text, in the form in which the preprocessor reads it.

    So every character that is scored has its place in the text.
    """
    form = config.preprocessor.unicode
    if is_large_file(config.data) and set(splits) <= set(SPLITS):
        own = [split for split in splits if split is not None]
        if kept := load_kept(config.data, own, lambda text: normal_text(text, form), form):
            return kept
    corpora = load_corpora(config.data, splits)
    return [replace(corpus, text=normal_text(corpus.text, form)) for corpus in corpora]


def load_training(config: GenerateConfig, labels: Labels = ()) -> tuple[Corpus, Corpus]:
    """The training and the validation text.

    Raises:
        DataError: data are missing or wrong, or the training text is shorter than one chunk.
    """
    train, validation = load(config, ("train", "validation"))
    if len(train) <= config.model.chunk:
        raise DataError(
            f"{train.name}: {len(train)} characters to train on are not more than a chunk "
            f"of {config.model.chunk}: give more text or a smaller model.chunk"
        )
    return train, validation


def learn(
    config: GenerateConfig, train: Corpus, known: CharacterPreprocessor | None
) -> tuple[Characters, StreamBatchSource]:
    """The vocabulary of the training text, or a known one, its n-grams, and its streams."""
    if known is None or config.start.extend_vocabulary:
        old = None if known is None else known.vocabulary
        known = CharacterPreprocessor.from_counts(train.counts, config.preprocessor, old)
    elif unknown := known.unknown(train.counts):
        logging.getLogger("textapps").warning(
            "%s: unknown to the run to start from: %s (%d in all); --extend-vocabulary adds them",
            train.name,
            "".join(unknown[:SHOWN]) + "…" * (len(unknown) > SHOWN),
            len(unknown),
        )
    read = Characters(known.vocabulary, known.form)
    if config.model.ngrams:
        read.count(beginning(train, COUNTED), config.model.ngrams)
    return read, training_batches(config, read, train)


def training_batches(
    config: GenerateConfig, preprocessor: CharacterPreprocessor, train: Corpus
) -> StreamBatchSource:
    """Streams that repeat the training text, each from its own place."""
    ids = _encoded(preprocessor, train)
    return StreamBatchSource(ids, config.training.batch_size, config.model.chunk)


def validation_batches(
    config: GenerateConfig, preprocessor: CharacterPreprocessor, validation: Corpus
) -> ScoringBatchSource:
    """Every character of the validation text once, the first after a line break."""
    return _scoring_batches(config, _encoded(preprocessor, validation, BEGINNING))


def scoring_batches(
    config: GenerateConfig, preprocessor: CharacterPreprocessor, text: str
) -> ScoringBatchSource:
    """The same of any text."""
    return _scoring_batches(config, encode_from_start(preprocessor, text))


def _scoring_batches(
    config: GenerateConfig, ids: NDArray[np.int32] | MappedArray
) -> ScoringBatchSource:
    return ScoringBatchSource(ids, streams=EVALUATION_STREAMS, chunk=config.model.chunk, lead=LEAD)


def _encoded(
    preprocessor: CharacterPreprocessor, corpus: Corpus, before: str = ""
) -> NDArray[np.int32] | MappedArray:
    """int[characters]: the ids of a corpus, after those of `before`; in a file if it is large."""
    if isinstance(corpus, KeptCorpus):
        key = {
            "text": corpus.fingerprint,
            "vocabulary": "".join(preprocessor.vocabulary.tokens),
            "form": preprocessor.form,
            "before": before,
        }
        ids = len(preprocessor.vocabulary)
        dtype = "u1" if ids <= 1 << 8 else "<u2" if ids <= 1 << 16 else "<i4"

        def make(into: EntryWriter) -> None:
            into.create({"ids": dtype})
            characters = -len(before)
            with muted():  # what there is to say of the file has been said
                for piece in chain([before], corpus.pieces()):
                    into.append(ids=preprocessor.encode(piece))
                    characters += len(piece)
            if characters != len(corpus):
                raise DataError(f"{corpus.name} has changed while it was read: start again")

        of = f"{corpus.name}: {len(corpus):,} characters of {corpus.part.split} as ids"
        if (entry := Cache().kept("characters", key, make, of)) is not None:
            return entry.arrays["ids"]
    return preprocessor.encode(before + corpus.text)


def stop_ids(preprocessor: CharacterPreprocessor, stop: str) -> NDArray[np.int32]:
    """int32[characters] of a stop text; ConfigurationError if the model's form leaves none."""
    ids = preprocessor.encode(stop)
    if not len(ids):
        raise ConfigurationError(
            f"stop {stop!r} has invisible characters only, which the model does not read: give "
            "another text"
        )
    return ids


def encode_from_start(preprocessor: CharacterPreprocessor, text: str) -> NDArray[np.int32]:
    """int32[1 + characters]: the ids of a line break and of the text."""
    return preprocessor.encode(BEGINNING + text)


def tokens(preprocessor: CharacterPreprocessor, split: Corpus) -> NDArray[np.int32]:
    """The ids of the beginning of the text."""
    return preprocessor.encode(beginning(split, KNOWN_BY))


def examples(split: Corpus, count: int) -> Iterator[Example]:
    """`count` beginnings of paragraphs, of lines where there are too few of them."""
    paragraphs = [part.strip() for part in re.split(r"\n\s*\n", split.text)]
    parts = paragraphs if len(paragraphs) > count else split.text.split("\n")
    seeds = [_beginning(part) for part in parts]
    for row in short_ones(seeds, range(len(seeds)), count):
        yield Example(inputs={"seed": seeds[row]})


def _beginning(text: str) -> str:
    """
    >>> _beginning("It was a bright cold day in April, and the clocks")
    'It was a bright cold day in April, and'
    """
    whole = text[: SEED_CHARACTERS + 1]
    cut = whole.rpartition(" ")[0] if len(text) > SEED_CHARACTERS else text
    return cut or text[:SEED_CHARACTERS]
