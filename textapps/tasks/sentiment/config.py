"""Configuration and presets of the sentiment task."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from textapps.core.config import Section
from textapps.core.keys import Option, Search
from textapps.datasets.config import DataConfig
from textapps.preprocessing.config import TextConfig
from textapps.tasks.config import Lent, Presets, TaskConfig
from textapps.training.config import ClassifierTrainingConfig


class ModelConfig(Section):
    """What stands around the backbone: embedding, convolution, pooling, n-grams."""

    embedding_units: Annotated[int, Search(times=(0.5, 2), multiple=8)] = Field(
        64, ge=1, le=4096, description="Width of the embedding."
    )
    word_dropout: Annotated[float, Search(between=(0, 0.5))] = Field(
        0.0, ge=0, lt=1, description="Share of tokens made unknown in training."
    )
    embedding_dropout: Annotated[float, Search(between=(0, 0.6))] = Field(
        0.3, ge=0, lt=1, description="Share of features dropped after the embedding."
    )
    head_dropout: Annotated[float, Search(between=(0, 0.6))] = Field(
        0.5, ge=0, lt=1, description="Share of features dropped before the last layer."
    )
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="Share of a label that is spread over all classes."
    )
    kernel: int = Field(
        3,
        ge=1,
        le=99,
        description="Tokens that the convolution before the backbone sees at a time.",
    )
    stride: Annotated[int, Search(among=(1, 2, 4))] = Field(
        2, ge=1, le=99, description="Tokens from one output of the convolution to the next."
    )
    ngrams: Annotated[int, Search(among=(0, 1, 2, 3))] = Field(
        0,
        ge=0,
        le=5,
        description="Longest n-gram, in words, of a linear path beside the backbone, 0 for no such "
        "path.",
    )
    ngram_min_texts: int = Field(
        2, ge=1, description="The linear path ignores n-grams that occur in fewer training texts."
    )
    ngram_most: int = Field(
        1_000_000,
        ge=1,
        description="Number of n-grams of the linear path at most; if there are more, those that "
        "occur in the most training texts.",
    )
    ngram_share: Annotated[
        float, Search(times=(0.25, 1), with_start=True, needs="model.ngrams")
    ] = Field(0.8, gt=0, lt=1, description="Share of the linear path in the answer of both.")
    pooling: Annotated[
        Literal["max", "mean", "attention", "max_mean"],
        Search(among=("max", "mean", "attention", "max_mean")),
    ] = Field("max", description="How the outputs of the backbone become one vector.")


class SentimentTrainingConfig(ClassifierTrainingConfig):
    """How to train, with what training of texts alone has."""

    adversarial: Annotated[
        float, Option("--adversarial", metavar="NORM"), Search(among=(0.0, 5.0))
    ] = Field(
        0.0,
        ge=0,
        le=1000,
        description="Also train on texts whose embedded words are moved by this much in the "
        "direction that raises the loss most, 0 for no such texts; doubles the time of a step. It "
        "is an L2 norm over the text, in standard deviations of its embedded words; try 5.",
    )


class SentimentConfig(TaskConfig):
    """The whole configuration of a sentiment run, as config.toml holds it."""

    before: ClassVar = {"preprocessor": {"unicode": "raw"}}

    task: Literal["sentiment"] = Field("sentiment", description="The task of the run.")
    data: DataConfig = DataConfig()
    preprocessor: TextConfig = TextConfig()
    model: ModelConfig = ModelConfig()
    training: SentimentTrainingConfig = SentimentTrainingConfig()


_BY_NAME: dict[str, dict[str, Any]] = {
    # A few hundred short texts, seconds of training.
    "tiny": {
        "preprocessor": {"vocabulary_size": 2_000, "max_tokens": 100},
        "backbone": {"kind": "gru", "units": 32, "heads": 2, "dropout": 0.1},
        "model": {
            "embedding_units": 16,
            "embedding_dropout": 0.2,
            "head_dropout": 0.2,
            "stride": 1,
        },
        "training": {"epochs": 12, "batch_size": 32, "learning_rate": 5e-3, "warmup_steps": 10},
    },
    # Found on a validation split of IMDB: with a stem of stride 4 the backbone has a quarter of the
    # steps to run, and learns more in its first pass than without a stem. It alone does not reach
    # NB-SVM: docs/decisions/2026-11-21-ngram-path.md.
    "small": {
        "preprocessor": {"vocabulary_size": 30_000, "max_tokens": 800, "truncate": "tail"},
        "backbone": {"kind": "gru", "units": 128, "dropout": 0.2},
        "model": {
            "embedding_units": 64,
            "word_dropout": 0.3,
            "embedding_dropout": 0.3,
            "head_dropout": 0.5,
            "kernel": 6,
            "stride": 4,
            "pooling": "max_mean",
            "ngrams": 3,
        },
        "training": {
            "epochs": 3,
            "batch_size": 128,
            "learning_rate": 3e-3,
            "warmup_steps": 50,
            "weight_decay": 0.02,
            "average": 0.99,
        },
    },
    "base": {
        "preprocessor": {"vocabulary_size": 40_000, "max_tokens": 1_000, "truncate": "tail"},
        "backbone": {"kind": "gru", "units": 128, "dropout": 0.2},
        "model": {
            "embedding_units": 64,
            "word_dropout": 0.3,
            "embedding_dropout": 0.4,
            "head_dropout": 0.4,
            "kernel": 6,
            "stride": 4,
            "pooling": "max_mean",
            "ngrams": 3,
        },
        "training": {
            "epochs": 3,
            "batch_size": 128,
            "learning_rate": 3e-3,
            "warmup_steps": 50,
            "weight_decay": 0.02,
            "average": 0.99,
        },
    },
}
# What another backbone than the preset's needs of its own.
_BY_BACKBONE: dict[tuple[str, str], dict[str, Any]] = {
    (preset, kind): special
    for preset in ("small", "base")
    for kind, special in {
        "transformer": {"backbone": {"dropout": 0.1}, "training": {"learning_rate": 1e-3}},
        "simple_rnn": {"training": {"learning_rate": 2e-3}},
        "jordan": {"training": {"learning_rate": 2e-3}},
    }.items()
}
_LENT = {
    "sentiment-pretrain": Lent(
        ("embedding_units", "kernel", "stride"),
        # Less is dropped, because there is less to learn.
        {
            "preprocessor": {"max_tokens": 400},
            "model": {"word_dropout": 0.1, "embedding_dropout": 0.2, "head_dropout": 0.3},
            "training": {"epochs": 3, "batch_size": 64, "learning_rate": 1.5e-3},
        },
    )
}
PRESETS = Presets(SentimentConfig, _BY_NAME, _BY_BACKBONE, _LENT)
