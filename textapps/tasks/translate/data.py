"""From sentence pairs to batches of token ids."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textapps.core.errors import DataError
from textapps.datasets.pairs.examples import Pairs
from textapps.datasets.pairs.loader import load_pairs
from textapps.preprocessing.tokenizer_pair import TokenizerPair
from textapps.savedmodel.manifest import Example
from textapps.tasks.examples import short_ones, some
from textapps.tasks.task import Labels
from textapps.tasks.translate.config import TranslateConfig
from textapps.training.token_batches import TokenBatchSource

LENGTH_MULTIPLE = 4  # of padded lengths: fewer shapes, a little more padding
VALIDATION_TOKENS = 8_000  # no gradient is kept


def load_training(config: TranslateConfig, labels: Labels = ()) -> tuple[Pairs, Pairs]:
    """The training and the validation pairs."""
    train, validation = load_pairs(config.data, ("train", "validation"))
    return train, validation


def learn(
    config: TranslateConfig, train: Pairs, known: TokenizerPair | None
) -> tuple[TokenizerPair, TokenBatchSource]:
    """The tokenizers of both languages, or known ones, and the batches of the training pairs."""
    if known is not None:
        return known, training_batches(config, known, train)
    tokenizers, *ids = TokenizerPair.learn(train.sources, train.targets, config.preprocessor)
    return tokenizers, training_batches(config, tokenizers, train, ids)


def training_batches(
    config: TranslateConfig,
    tokenizers: TokenizerPair,
    train: Pairs,
    ids: Sequence[tuple[Any, Any]] | None = None,
) -> TokenBatchSource:
    """Pairs in an order that follows from the random seed, with subword sampling if configured.

    Args:
        ids: of sources and targets, as `Tokenizer.encode_all` gives them, if they are known.

    Raises:
        DataError: the sentences of one side have no token.
    """
    share, epochs = config.training.both_ways, config.training.epochs
    source, target = tokenizers.source, tokenizers.target
    sources: Sequence[str] = train.sources
    targets: Sequence[str] = train.targets
    if ids is None or config.preprocessor.sampling_alpha:
        sources, targets = tokenizers.prepared(sources, targets)
    sides = ids or (
        source.encode_all(sources, "training sentences"),
        target.encode_all(targets, "training sentences"),
    )
    if any(not len(values) for values, _ in sides):
        raise DataError(f"{train.name}: no sentence to train on has a token: check the data")
    return TokenBatchSource(
        sides[0],
        sides[1],
        config.training.batch_size,
        config.random_seed,
        samplers=(source.sampler(sources), target.sampler(targets)),
        multiple=LENGTH_MULTIPLE,
        both_ways=min(round(share * epochs), epochs - 1),
    )


def validation_batches(
    config: TranslateConfig, tokenizers: TokenizerPair, validation: Pairs
) -> TokenBatchSource:
    """The shortest pairs first, without subword sampling."""
    sources, targets = tokenizers.prepared(validation.sources, validation.targets)
    return TokenBatchSource(
        tokenizers.source.encode_all(sources, "validation sentences"),
        tokenizers.target.encode_all(targets, "validation sentences"),
        VALIDATION_TOKENS,
        None,
        multiple=LENGTH_MULTIPLE,
    )


def tokens(tokenizers: TokenizerPair, split: Pairs) -> NDArray[np.int32]:
    """The ids of some of the pairs, taken evenly, source and target."""
    sources, targets = tokenizers.prepared(some(split.sources), some(split.targets))
    sides = tokenizers.source.encode_all(sources), tokenizers.target.encode_all(targets)
    return np.concatenate([ids for ids, _ in sides])


def examples(split: Pairs, count: int) -> Iterator[Example]:
    """`count` short sentences with their translations."""
    for row in short_ones(split.sources, range(len(split)), count):
        expected = {"translation": split.targets[row]}
        yield Example(inputs={"source": split.sources[row]}, expected=expected)
