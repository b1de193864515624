"""Configuration and presets of the translate task."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from textapps.backbones.config import BackboneConfig
from textapps.core.config import Section
from textapps.core.keys import Option, Options, Search
from textapps.datasets.config import PairsConfig
from textapps.decoding.config import SearchConfig
from textapps.exporting.config import COMPILED_OPTION, ExportConfig
from textapps.preprocessing.config import SubwordConfig
from textapps.tasks.config import Presets, TaskConfig
from textapps.training.config import TrainingConfig


class ModelConfig(Section):
    """What stands around the backbones, and how they are trained.

    The decoder is the [backbone]; the encoder is like it and reads in both directions.
    """

    encoder_layers: int | None = Field(
        None,
        ge=1,
        le=64,
        description="Number of blocks of the encoder; by default as many as in the decoder.",
    )
    tied: bool = Field(
        True,
        description="Use the embedding of the target as the last layer too, and for the source "
        "where the vocabulary is joint.",
    )
    embedding_dropout: Annotated[float, Search(between=(0, 0.4))] = Field(
        0.1, ge=0, lt=1, description="Share of features dropped after the embeddings."
    )
    label_smoothing: Annotated[float, Search(between=(0, 0.2))] = Field(
        0.1, ge=0, lt=1, description="Share of a target token that is spread over all tokens."
    )
    simcut: float = Field(
        0.0,
        ge=0,
        le=100,
        description="Weight of a loss that makes predictions agree with those where tokens are "
        "cut off (SimCut; Gao et al. 2022); 3 is usual. Training takes about twice as long.",
    )
    cutoff: float = Field(
        0.05, gt=0, lt=1, description="Share of tokens on either side that simcut cuts off."
    )


class TranslateTrainingConfig(TrainingConfig):
    """How a translator is trained."""

    FROM_NOTHING: ClassVar = ("both_ways",)

    both_ways: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of the passes, at the start, in which half of the batches are turned "
        "round, so that the model learns both directions first (bidirectional training; Ding et "
        "al. 2021); a third is usual. It needs a joint vocabulary.",
    )


class TranslateConfig(TaskConfig):
    """The whole configuration of a translate run, as config.toml holds it.

    `training.batch_size` counts tokens here, padding included: a batch holds sentences of similar
    length that have at most so many tokens on either side.
    """

    before: ClassVar = {
        "preprocessor": {"unicode": "raw"},
        "decoding": {"split_sentences": False},
    }

    task: Literal["translate"] = Field("translate", description="The task of the run.")
    data: PairsConfig = PairsConfig()
    preprocessor: SubwordConfig = SubwordConfig()
    backbone: Annotated[BackboneConfig, Options(attention=Option("--attention"))] = BackboneConfig()
    model: ModelConfig = ModelConfig()
    training: TranslateTrainingConfig = TranslateTrainingConfig()
    decoding: SearchConfig = SearchConfig()
    export: Annotated[ExportConfig, COMPILED_OPTION] = ExportConfig()


# The best of 0.6, 1, 1.4, 1.8 and 2.2 on the validation sentences of Multi30k.
_PENALTIES = {"simple_rnn": 1.4, "jordan": 1.4, "lstm": 2.2, "gru": 2.2, "transformer": 1.4}
_BY_NAME: dict[str, dict[str, Any]] = {
    # Thousands of short sentences, a minute of training.
    "tiny": {
        "preprocessor": {"vocabulary_size": 500, "copy_numbers": "auto"},
        "backbone": {
            "kind": "transformer",
            "units": 96,
            "layers": 2,
            "heads": 2,
            "context": 128,
            "dropout": 0.05,
        },
        "model": {"embedding_dropout": 0.0, "label_smoothing": 0.0},
        "training": {
            "epochs": 14,
            "batch_size": 1_000,
            "learning_rate": 4e-3,
            "warmup_steps": 50,
        },
    },
    # Of about the size that Wu et al. 2021 ("Good for misconceived reasons", section 3) found best
    # for the 29,000 pairs of Multi30k: more parameters only learn them by heart.
    "small": {
        "preprocessor": {"vocabulary_size": 5_000, "copy_numbers": "auto"},
        "backbone": {
            "kind": "transformer",
            "units": 128,
            "layers": 4,
            "heads": 4,
            "feed_forward": 256,
            "context": 256,
            "dropout": 0.2,
        },
        "training": {
            "epochs": 16,
            "batch_size": 2_000,
            "learning_rate": 3e-3,
            "warmup_steps": 800,
            "average_last": 3,
            "patience": 8,
        },
        "decoding": {"length_penalty": _PENALTIES["transformer"]},
    },
    # The same model for longer: both directions first, and with the words cut anew each time. A
    # lower alpha makes longer cuts, and so larger batches and slower steps.
    "base": {
        "preprocessor": {
            "vocabulary_size": 5_000,
            "copy_numbers": "auto",
            "sampling_alpha": 0.5,
        },
        "backbone": {
            "kind": "transformer",
            "units": 128,
            "layers": 4,
            "heads": 4,
            "feed_forward": 256,
            "context": 256,
            "dropout": 0.2,
        },
        "training": {
            "both_ways": 0.33,
            "epochs": 36,
            "batch_size": 2_000,
            "learning_rate": 3e-3,
            "warmup_steps": 1_000,
            "average_last": 5,
            "patience": 15,
        },
        "decoding": {"length_penalty": _PENALTIES["transformer"]},
    },
}
_RECURRENT: dict[str, Any] = {
    "backbone": {"units": 256, "layers": 1, "feed_forward": None, "dropout": 0.3},
    "model": {"embedding_dropout": 0.3},
}
# The second layer of the decoder reads what the first has attended to, so that its state knows
# which words are translated (as in the conditional GRU: Sennrich et al. 2017, section 2).
_GATED: dict[str, Any] = {
    "backbone": {"units": 256, "layers": 2, "feed_forward": 512, "dropout": 0.3},
    "model": {"encoder_layers": 1, "embedding_dropout": 0.3},
}
# What another backbone than the preset's needs of its own.
_BY_BACKBONE: dict[tuple[str, str], dict[str, Any]] = {
    **{
        (preset, kind): {
            **values,
            "training": {
                "both_ways": 0.0,
                "epochs": int(longer * epochs),
                "learning_rate": 2e-3,
                "warmup_steps": 200,
            },
            "decoding": {"length_penalty": _PENALTIES[kind]},
        }
        for preset, longer in (("small", 1), ("base", 1.5))
        for kind, epochs, values in (
            ("simple_rnn", 10, _RECURRENT),
            ("jordan", 10, _RECURRENT),
            ("lstm", 16, _GATED),
            ("gru", 16, _GATED),
        )
    },
    **{
        ("tiny", kind): {
            "backbone": {"layers": 1},
            "training": {"batch_size": 500, "learning_rate": rate},
        }
        for kind, rate in (("simple_rnn", 2e-3), ("jordan", 2e-3), ("lstm", 5e-3), ("gru", 5e-3))
    },
}
PRESETS = Presets(TranslateConfig, _BY_NAME, _BY_BACKBONE)
