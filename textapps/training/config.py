"""How to train: the [training] section of every task's configuration."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from textapps.core.config import Section
from textapps.core.keys import Option, Search
from textapps.core.names import StrategyName


class TrainingConfig(Section):
    """Length, optimizer, stopping and bookkeeping of a training run.

    An interval is `checkpoint_steps` steps; each ends with a validation and a checkpoint.
    """

    model_config = ConfigDict(allow_inf_nan=False)

    epochs: Annotated[int, Option("--epochs"), Search(times=(0.5, 6), cost=1)] = Field(
        3, ge=1, description="Passes over the training data."
    )
    batch_size: Annotated[int, Option("--batch-size"), Search(times=(0.25, 2), cost=-0.4)] = Field(
        64,
        ge=1,
        le=65536,
        description="Examples in a step; for generate streams of text, for translate tokens.",
    )
    accumulate: Annotated[int, Option("--accumulate", metavar="N")] = Field(
        1,
        ge=1,
        le=65536,
        description="Compute each batch in this many parts, which takes less memory.",
    )
    strategy: Annotated[StrategyName, Option("--strategy")] = Field(
        "auto",
        description="Devices that share each batch: one, all of this machine (mirrored), or the "
        "processes that TF_CONFIG names (multi-worker); auto takes as many as there are.",
    )
    learning_rate: Annotated[float, Option("--learning-rate"), Search(times=(0.25, 4))] = Field(
        1e-3, gt=0, le=10, description="Peak learning rate."
    )
    schedule: Literal["constant", "linear", "cosine", "inverse-sqrt"] = Field(
        "linear", description="Learning rate after the warm-up; linear and cosine end at 0."
    )
    warmup_steps: int = Field(
        100, ge=0, description="Steps of linear warm-up, at most a quarter of all steps."
    )
    weight_decay: float = Field(
        0.01, ge=0, le=1, description="Decoupled decay (AdamW) of matrices, not of biases."
    )
    clip_norm: float = Field(
        1.0, ge=0, description="Largest global norm of the gradient, 0 for no limit."
    )
    average: float = Field(
        0.0, ge=0, lt=1, description="Momentum of averaged weights, 0 for no average."
    )
    average_last: int = Field(
        0,
        ge=0,
        le=100,
        description="Number of last intervals to average the weights of, 0 for no average.",
    )
    patience: Annotated[int, Option("--patience")] = Field(
        0,
        ge=0,
        description="Validations without improvement before training stops, 0 for never.",
    )
    mixed_precision: Annotated[bool, Option("--mixed-precision")] = Field(
        False, description="Compute in bfloat16, for accelerators that gain by it."
    )
    checkpoint_steps: int | None = Field(
        None,
        ge=1,
        description="Steps between validations and checkpoints; by default one pass.",
    )
    tensorboard: Annotated[bool, Option("--tensorboard")] = Field(
        False, description="Write TensorBoard logs into the run."
    )
    max_seconds: Annotated[float | None, Option("--max-seconds")] = Field(
        None,
        gt=0,
        description="Stop after this many seconds of steps, without validations; by default never. "
        "The learning rate falls over all epochs, whatever time there is.",
    )

    @model_validator(mode="after")
    def _fits_together(self) -> "TrainingConfig":
        if self.average and self.average_last:
            raise ValueError("average and average_last are two ways to average: set one to 0")
        return self


class ClassifierTrainingConfig(TrainingConfig):
    """The same for tasks whose examples have classes."""

    class_weights: Annotated[
        Literal["none", "balanced"], Option("--class-weights", noun="kind of class weights")
    ] = Field(
        "none",
        description="Weight of an example in the loss of training: the same for all, or balanced, "
        "inversely proportional to the number of examples of its class.",
    )
    monitor: Annotated[
        Literal["auto", "accuracy", "macro_f1", "loss"], Option("--monitor", noun="metric")
    ] = Field(
        "auto",
        description="Validation metric that selects the best weights and stops training early; "
        "auto is macro_f1 if a class of the training split has twice as many examples as another, "
        "else accuracy for sentiment and loss for speech.",
    )
