"""Configuration and presets of the generate task."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from textapps.core.config import Section
from textapps.core.keys import Search
from textapps.datasets.config import CorpusConfig
from textapps.decoding.config import DecodingConfig
from textapps.exporting.config import COMPILED_OPTION, ExportConfig
from textapps.preprocessing.config import CharacterConfig
from textapps.tasks.config import Presets, TaskConfig


class ModelConfig(Section):
    """What stands around the backbone, and how it is trained on a stream."""

    chunk: int = Field(
        64,
        ge=1,
        le=65536,
        description="Characters that the gradient goes back through; the state goes on.",
    )
    input_dropout: Annotated[float, Search(between=(0, 0.3))] = Field(
        0.0, ge=0, lt=1, description="Share of features dropped after the embedding."
    )
    head_dropout: Annotated[float, Search(between=(0, 0.5))] = Field(
        0.0, ge=0, lt=1, description="Share of features dropped before the last layer."
    )
    ngrams: Annotated[int, Search(among=(0, 3, 6), with_start=True, soon=6)] = Field(
        0,
        ge=0,
        le=10,
        description="Answer together with an n-gram model of the training text, whose n-grams "
        "have up to so many characters; 0 for the backbone alone.",
    )
    ngram_share: Annotated[float, Search(times=(0.5, 2), with_start=True, needs="model.ngrams")] = (
        Field(0.25, gt=0, le=0.9, description="The share of the n-grams in the probabilities.")
    )

    @field_validator("ngrams")
    @classmethod
    def _have_a_context(cls, orders: int) -> int:
        if orders == 1:
            raise ValueError("n-grams of one character have no context: give 0, or 2 or more")
        return orders


class GenerateConfig(TaskConfig):
    """The whole configuration of a generate run, as config.toml holds it."""

    before: ClassVar = {"preprocessor": {"unicode": "raw"}}

    task: Literal["generate"] = Field("generate", description="The task of the run.")
    data: CorpusConfig = CorpusConfig()
    preprocessor: CharacterConfig = CharacterConfig()
    model: ModelConfig = ModelConfig()
    decoding: DecodingConfig = DecodingConfig()
    export: Annotated[ExportConfig, COMPILED_OPTION] = ExportConfig()


_BY_NAME: dict[str, dict[str, Any]] = {
    "tiny": {
        "backbone": {"kind": "gru", "units": 64, "heads": 2, "context": 64},
        "model": {"chunk": 32},
        "training": {"epochs": 10, "batch_size": 16, "learning_rate": 1e-2, "warmup_steps": 10},
    },
    # Found on the validation part of tinyshakespeare: many short chunks side by side make the
    # most of a CPU, and lose nothing, because the state goes on.
    "small": {
        "backbone": {"kind": "gru", "units": 256},
        "model": {"chunk": 32},
        "training": {
            "epochs": 4,
            "batch_size": 64,
            "learning_rate": 5e-3,
            "warmup_steps": 50,
            "average": 0.99,
        },
    },
    "base": {
        "backbone": {"kind": "gru", "units": 384, "layers": 2, "dropout": 0.2},
        "model": {"chunk": 32, "head_dropout": 0.2, "ngrams": 6},
        "training": {
            "epochs": 8,
            "batch_size": 64,
            "learning_rate": 3e-3,
            "warmup_steps": 100,
            "weight_decay": 0.05,
            "average": 0.999,
        },
    },
}
# What another backbone than the preset's needs of its own.
_BY_BACKBONE: dict[tuple[str, str], dict[str, Any]] = {
    ("small", "lstm"): {"training": {"epochs": 3}},
    ("small", "simple_rnn"): {"training": {"epochs": 5, "learning_rate": 2e-3}},
    ("small", "jordan"): {"training": {"epochs": 5, "learning_rate": 2e-3}},
    ("small", "transformer"): {
        "backbone": {"units": 128, "layers": 3, "heads": 4, "context": 64},
        "model": {"chunk": 64},
        "training": {"epochs": 2, "batch_size": 32, "learning_rate": 3e-3},
    },
    ("base", "simple_rnn"): {"training": {"learning_rate": 1e-3}},
    ("base", "jordan"): {"training": {"learning_rate": 1e-3}},
    ("base", "transformer"): {
        "backbone": {"units": 192, "layers": 6, "heads": 6, "context": 256},
        "model": {"chunk": 64},
        "training": {"batch_size": 16, "learning_rate": 1e-3},
    },
}
PRESETS = Presets(GenerateConfig, _BY_NAME, _BY_BACKBONE)
