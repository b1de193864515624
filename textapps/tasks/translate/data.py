"""From sentence pairs to batches of token ids."""

from typing import Any

from textapps.core.errors import DataError
from textapps.datasets.pairs.pairs import Pairs, load_pairs
from textapps.preprocessing.tokenizer_pair import TokenizerPair
from textapps.tasks.translate.config import TranslateConfig
from textapps.training.token_batches import TokenBatchSource

LENGTHS_OF = 4  # padded lengths are multiples of it: fewer shapes, a little more padding
VALIDATION_TOKENS = 8_000  # no gradient is kept


def load_training_data(config: TranslateConfig) -> tuple[Pairs, Pairs]:
    """The training and the validation split; test is not read.

    Raises:
        DataError: data that are missing or wrong.
    """
    train, validation = load_pairs(config.data, ("train", "validation"))
    return train, validation


def training_batches(
    pairs: Pairs, tokenizers: TokenizerPair, config: TranslateConfig
) -> TokenBatchSource:
    """Pairs in an order drawn from the seed, cut anew each time if the configuration says so.

    Raises:
        DataError: there is no pair with a token on both sides.
    """
    source = tokenizers.source.encode_all(pairs.sources)
    target = tokenizers.target.encode_all(pairs.targets)
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
        multiple=LENGTHS_OF,
    )


def validation_batches(
    pairs: Pairs, tokenizers: TokenizerPair, config: TranslateConfig
) -> TokenBatchSource:
    """The shortest pairs first, as they are."""
    return TokenBatchSource(
        tokenizers.source.encode_all(pairs.sources),
        tokenizers.target.encode_all(pairs.targets),
        VALIDATION_TOKENS,
        None,
        multiple=LENGTHS_OF,
    )


def describe(train: Pairs, validation: Pairs) -> dict[str, Any]:
    """What a run notes of its data, to refuse a resume on other data and to tell about it."""
    return {
        "name": train.name,
        "train": {"examples": len(train.sources), "sha256": train.fingerprint},
        "validation": {"examples": len(validation.sources), "sha256": validation.fingerprint},
    }
