"""Configuration and presets of pre-training for the sentiment task."""

from typing import Any, Literal

from pydantic import Field

from textapps.core.config import Section
from textapps.datasets.texts.config import PlainTextsConfig
from textapps.preprocessing.config import TextConfig
from textapps.tasks.config import Presets, TaskConfig


class ModelConfig(Section):
    """What stands around the backbone, and what it learns to predict."""

    embedding_units: int = Field(64, ge=1, le=4096, description="Width of the embedding.")
    embedding_dropout: float = Field(
        0.0, ge=0, lt=1, description="Share of features dropped after the embedding."
    )
    kernel: int = Field(
        1,
        ge=1,
        le=99,
        description="Tokens that the convolution before the backbone sees at a time.",
    )
    stride: int = Field(
        1, ge=1, le=99, description="Tokens from one output of the convolution to the next."
    )
    objective: Literal["next", "masked"] = Field(
        "next",
        description="What is predicted: the tokens after and before what each direction has read "
        "(next, for recurrent backbones), or masked spans (masked, for the transformer).",
    )
    ahead: int = Field(
        1, ge=1, le=64, description="Tokens that each position predicts, with objective next."
    )
    neighbours: int = Field(
        0,
        ge=0,
        le=16,
        description="Tokens right before a target (after it, for the direction back) that the "
        "prediction reads beside the backbone, so that the backbone learns what they do not tell.",
    )
    masked_share: float = Field(
        0.2, gt=0, lt=1, description="Share of the spans that objective masked hides."
    )
    piece: int = Field(
        128, ge=8, le=65536, description="Longer texts are cut into pieces of this many tokens."
    )
    exact_words: int = Field(
        512,
        ge=1,
        description="The most frequent tokens, which every step of training tells from the target.",
    )
    sampled_words: int = Field(
        512, ge=1, description="Other tokens, drawn anew in each step, that stand for the rest."
    )
    rare_weight: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Exponent of the rarity of a token, up to which its share of the loss grows; "
        "0 weighs all tokens the same.",
    )


class PretrainingConfig(TaskConfig):
    """The whole configuration of a pre-training run, as config.toml holds it."""

    task: Literal["sentiment-pretrain"] = Field(
        "sentiment-pretrain", description="The task of the run."
    )
    data: PlainTextsConfig = PlainTextsConfig()
    preprocessor: TextConfig = TextConfig()
    model: ModelConfig = ModelConfig()


_WHOLE = {"max_tokens": 1_000_000}  # long texts are cut into pieces instead
_LONG = {
    "batch_size": 64,
    "schedule": "cosine",
    "warmup_steps": 100,
    "weight_decay": 0.0,
    "checkpoint_steps": 1_000,
}

_BY_NAME: dict[str, dict[str, Any]] = {
    "tiny": {
        "preprocessor": {"vocabulary_size": 2_000, **_WHOLE},
        "backbone": {"kind": "gru", "units": 32, "heads": 2},
        "model": {"embedding_units": 16, "piece": 64},
        "training": {"epochs": 12, "batch_size": 32, "learning_rate": 5e-3, "warmup_steps": 10},
    },
    "small": {
        "preprocessor": {"vocabulary_size": 20_000, **_WHOLE},
        "backbone": {"kind": "gru", "units": 128},
        "model": {"embedding_units": 64},
        "training": {"epochs": 1, "learning_rate": 4e-3, **_LONG},
    },
    # Found on IMDB, by what a linear classifier makes of the outputs: to predict the next word at
    # every word teaches more than the next four words at every fourth, in the same time.
    "base": {
        "preprocessor": {"vocabulary_size": 30_000, **_WHOLE},
        "backbone": {"kind": "gru", "units": 384, "dropout": 0.1},
        "model": {"embedding_units": 128, "embedding_dropout": 0.1},
        "training": {"epochs": 1, "learning_rate": 4e-3, **_LONG},
    },
}
# What another backbone than the preset's needs of its own.
_OF_KIND: dict[str, dict[str, Any]] = {
    "transformer": {
        "model": {"objective": "masked", "kernel": 6, "stride": 4, "piece": 256},
        "training": {"learning_rate": 1e-3},
    },
    "simple_rnn": {"training": {"learning_rate": 1e-3}},
    "jordan": {"training": {"learning_rate": 1e-3}},
}
_BY_BACKBONE = {(name, kind): own for name in _BY_NAME for kind, own in _OF_KIND.items()}
PRESETS = Presets(PretrainingConfig, _BY_NAME, _BY_BACKBONE)
