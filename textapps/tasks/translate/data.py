"""From sentence pairs to batches of token ids."""

from typing import Any

from textapps.core.errors import DataError
from textapps.datasets.pairs.examples import Pairs
from textapps.datasets.pairs.loader import load_pairs
from textapps.preprocessing.tokenizer_pair import TokenizerPair
from textapps.tasks.task import Labels
from textapps.tasks.translate.config import TranslateConfig
from textapps.training.token_batches import TokenBatchSource

LENGTH_MULTIPLE = 4  # of padded lengths: fewer shapes, a little more padding
VALIDATION_TOKENS = 8_000  # no gradient is kept

Ragged = tuple[Any, Any]  # int32[all tokens], int64[sentences + 1]


def load_training(config: TranslateConfig, labels: Labels = ()) -> tuple[Pairs, Pairs]:
    """The training and the validation pairs."""
    train, validation = load_pairs(config.data, ("train", "validation"))
    return train, validation


def learn(config: TranslateConfig, train: Pairs) -> tuple[TokenizerPair, TokenBatchSource]:
    """The tokenizers of both languages, and the batches of the training pairs."""
    tokenizers, source, target = TokenizerPair.learn(
        train.sources, train.targets, config.preprocessor
    )
    return tokenizers, _training_batches(config, tokenizers, train, source, target)


def training_batches(
    config: TranslateConfig, tokenizers: TokenizerPair, train: Pairs
) -> TokenBatchSource:
    """Pairs in an order that follows from the random seed, with subword sampling if configured.

    Raises:
        DataError: the sentences of one side have no token.
    """
    source = tokenizers.source.encode_all(train.sources)
    target = tokenizers.target.encode_all(train.targets)
    return _training_batches(config, tokenizers, train, source, target)


def validation_batches(
    config: TranslateConfig, tokenizers: TokenizerPair, validation: Pairs
) -> TokenBatchSource:
    """The shortest pairs first, without subword sampling."""
    return TokenBatchSource(
        tokenizers.source.encode_all(validation.sources),
        tokenizers.target.encode_all(validation.targets),
        VALIDATION_TOKENS,
        None,
        multiple=LENGTH_MULTIPLE,
    )


def _training_batches(
    config: TranslateConfig, tokenizers: TokenizerPair, pairs: Pairs, source: Ragged, target: Ragged
) -> TokenBatchSource:
    if not len(source[0]) or not len(target[0]):
        raise DataError(f"{pairs.name}: no sentence to train on has a token: check the data")
    return TokenBatchSource(
        source,
        target,
        config.training.batch_size,
        config.random_seed,
        samplers=(
            tokenizers.source.sampler(pairs.sources),
            tokenizers.target.sampler(pairs.targets),
        ),
        multiple=LENGTH_MULTIPLE,
    )
