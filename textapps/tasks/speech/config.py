"""Configuration and presets of the speech task."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from textapps.backbones.config import BackboneConfig, StemConfig
from textapps.core.config import Section
from textapps.core.errors import ConfigurationError
from textapps.core.keys import Option, Search
from textapps.core.names import SpeechPresetName
from textapps.datasets.clips.config import ClipsConfig
from textapps.decoding.config import DetectionConfig
from textapps.exporting.config import ExportConfig
from textapps.preprocessing.augmentation_config import AugmentationConfig
from textapps.preprocessing.config import AudioConfig
from textapps.tasks.config import Presets, TaskConfig
from textapps.training.config import ClassifierTrainingConfig


class ModelConfig(Section):
    """What stands around the backbone, and in which direction it reads."""

    convolutional: bool = Field(
        False,
        description="Leave the backbone out: convolutions and pooling alone, which a "
        "microcontroller can run (preset micro). Of the backbone section, units counts only.",
    )

    streaming: Annotated[bool, Option("--streaming")] = Field(
        False,
        description="Train a causal model, which processes audio as it comes and carries its state "
        "on: listening costs less.",
    )
    carry: float = Field(
        0.5,
        ge=0,
        le=1,
        description="With streaming, share of training clips that begin in the state in which "
        "another clip ended, as most of a stream does.",
    )
    pooling: Annotated[
        Literal["max", "mean", "attention", "max_mean"],
        Search(among=("max", "mean", "attention", "max_mean")),
    ] = Field("attention", description="How the outputs of the backbone become one vector.")
    head_dropout: Annotated[float, Search(between=(0, 0.5))] = Field(
        0.2, ge=0, lt=1, description="Share of features dropped before the last layer."
    )
    label_smoothing: float = Field(
        0.1, ge=0, lt=1, description="Share of a label that is spread over all classes."
    )
    hard_negatives: Annotated[float, Option("--hard-negatives", metavar="WEIGHT")] = Field(
        0.0,
        ge=0,
        le=100,
        description="Mine hard negatives: multiply the loss of a training clip of another word by "
        "1 + this times the probability of a command that the model gives it; 0 for no mining.",
    )


class SpeechExportConfig(ExportConfig):
    """The SavedModel that `export` writes."""

    words: Annotated[bool, Option("--words/--no-words", commands=("export",))] = Field(
        True,
        description="Add the signatures embed, enrol and negatives, with which the web page of a "
        "server learns words from recordings; they hold numbers of some clips of the run's data.",
    )


class SpeechConfig(TaskConfig):
    """The whole configuration of a speech run, as config.toml holds it."""

    task: Literal["speech"] = Field("speech", description="The task of the run.")
    # One preset more than other tasks have, so the type is wider than that of the base class.
    preset: Annotated[SpeechPresetName, Option("--preset")] = Field(  # type: ignore[assignment]
        "small", description="A set of values to start from; micro is for speech only."
    )
    data: ClipsConfig = ClipsConfig()
    preprocessor: AudioConfig = AudioConfig()
    augmentation: AugmentationConfig = AugmentationConfig()
    stem: StemConfig = StemConfig()
    model: ModelConfig = ModelConfig()
    training: ClassifierTrainingConfig = ClassifierTrainingConfig()
    detection: DetectionConfig = DetectionConfig()
    export: SpeechExportConfig = SpeechExportConfig()

    @property
    def reads_with(self) -> str:
        """See `TaskConfig`."""
        return "convolution" if self.model.convolutional else super().reads_with

    @property
    def backbone_size(self) -> str:
        """See `TaskConfig`."""
        if not self.model.convolutional:
            return super().backbone_size
        return f"{self.reads_with}, {len(self.stem.strides)} x {self.backbone.units}"

    @model_validator(mode="after")
    def _fits_together(self) -> "SpeechConfig":
        if self.preprocessor.trim and self.model.streaming:
            raise ValueError(
                "preprocessor.trim needs whole recordings, and with model.streaming audio is read "
                "as it comes: leave out --trim or --streaming"
            )
        if self.detection.hop_ms > 1_000 * self.preprocessor.clip_seconds:
            raise ValueError(
                f"detection.hop_ms {self.detection.hop_ms} must not be more than "
                f"preprocessor.clip_seconds ({self.preprocessor.clip_seconds:g} s): what lies "
                "between two answers would never be heard"
            )
        return self


_BY_NAME: dict[str, dict[str, Any]] = {
    # At most 30,000 parameters, for small devices; a minute of training on the sample.
    "tiny": {
        "augmentation": {"frequency_mask": 4, "time_mask_ms": 80.0},
        "stem": {"strides": (2, 1), "kernel": 5, "separable": True},
        "backbone": {"kind": "gru", "units": 56, "heads": 2, "feed_forward": None, "context": 64},
        "model": {"head_dropout": 0.1, "label_smoothing": 0.05},
        "training": {
            "epochs": 30,
            "batch_size": 64,
            "learning_rate": 5e-3,
            "schedule": "cosine",
            "warmup_steps": 50,
            "average": 0.99,
        },
    },
    # At most 250,000 parameters. The variations make it robust; on validation they cost at most
    # three of 601 clips. The best weights by loss are more often those near the end.
    "small": {
        "augmentation": {
            "speed_percent": 14,
            "noise_share": 0.7,
            "noise_low_db": 0.0,
            "time_mask_ms": 120.0,
            "frequency_masks": 2,
            "tract_percent": 10,
            "made_noise": True,
            "room_share": 0.1,
            "telephone_share": 0.2,
            "level_share": 0.2,
        },
        "stem": {
            "strides": (2, 1, 1, 1, 1, 1, 1),
            "kernel": 9,
            "separable": True,
            "dropout": 0.05,
        },
        "backbone": {"kind": "gru", "units": 128, "dropout": 0.1, "context": 64},
        "model": {},
        "training": {
            "epochs": 80,
            "batch_size": 64,
            "learning_rate": 4e-3,
            "schedule": "cosine",
            "warmup_steps": 100,
            "weight_decay": 0.02,
            "average": 0.998,
            "monitor": "loss",
        },
    },
    "base": {
        "stem": {"strides": (2, 1), "kernel": 5, "channels": 24, "dropout": 0.1},
        "backbone": {"kind": "gru", "units": 192, "layers": 2, "dropout": 0.2, "context": 64},
        "model": {"head_dropout": 0.3},
        "training": {
            "epochs": 60,
            "batch_size": 128,
            "learning_rate": 2e-3,
            "schedule": "cosine",
            "warmup_steps": 200,
            "weight_decay": 0.02,
            "average": 0.998,
        },
    },
    # At most 60,000 parameters without recurrence, for TensorFlow Lite Micro.
    "micro": {
        "augmentation": {
            "speed_percent": 14,
            "noise_share": 0.7,
            "time_mask_ms": 120.0,
            "tract_percent": 10,
        },
        "stem": {"strides": (2, 1, 1, 1, 1, 1), "kernel": 9, "separable": True, "dropout": 0.05},
        "backbone": {"kind": "gru", "units": 80},
        "model": {"convolutional": True, "pooling": "mean", "head_dropout": 0.1},
        "training": {
            "epochs": 50,
            "batch_size": 64,
            "learning_rate": 4e-3,
            "schedule": "cosine",
            "warmup_steps": 100,
            "weight_decay": 0.02,
            "average": 0.998,
        },
    },
}
# What another backbone than the preset's needs of its own, the limits of parameters included.
_BY_BACKBONE: dict[tuple[str, str], dict[str, Any]] = {
    ("tiny", "lstm"): {"backbone": {"units": 48}},
    ("tiny", "transformer"): {
        "backbone": {"units": 48, "feed_forward": 96, "dropout": 0.05},
        "training": {"learning_rate": 3e-3},
    },
    ("tiny", "simple_rnn"): {"training": {"learning_rate": 3e-3}},
    ("tiny", "jordan"): {"training": {"learning_rate": 3e-3}},
    ("small", "lstm"): {"backbone": {"units": 120}},
    ("small", "simple_rnn"): {"training": {"learning_rate": 2e-3}},
    ("small", "jordan"): {"training": {"learning_rate": 2e-3}},
    ("small", "transformer"): {
        "backbone": {"feed_forward": 128},
        "training": {"learning_rate": 2e-3},
    },
    ("base", "transformer"): {
        "backbone": {"feed_forward": 384},
        "training": {"learning_rate": 1e-3},
    },
    ("base", "simple_rnn"): {"training": {"learning_rate": 1e-3}},
    ("base", "jordan"): {"training": {"learning_rate": 1e-3}},
}


class SpeechPresets(Presets[SpeechConfig]):
    """The presets, of which micro has no backbone and does not stream.

    Only new runs are checked: one of an earlier version can be loaded whatever it is.
    """

    def check(self, config: SpeechConfig, options: Mapping[str, str]) -> None:
        """Nothing that is set by an option may be without effect."""
        if config.preset == "micro" and config.model.convolutional and config.model.streaming:
            raise ConfigurationError(
                "the preset micro has no streaming models: leave out --streaming, or choose "
                "another preset"
            )
        usual = BackboneConfig(**self[config.preset]["backbone"])
        for key in ("backbone.kind", "backbone.layers"):
            _, _, field = key.partition(".")
            other = getattr(config.backbone, field) != getattr(usual, field)
            if config.model.convolutional and other and key in options:
                given = options[key] if options[key] != "--set" else f"--set {key}"
                raise ConfigurationError(
                    f"{given} changes nothing: the preset {config.preset} has convolutions in "
                    f"place of a backbone; leave out {given}, or choose another preset"
                )


PRESETS = SpeechPresets(SpeechConfig, _BY_NAME, _BY_BACKBONE)
