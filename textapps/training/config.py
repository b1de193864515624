"""How to train: the [training] section of every task's configuration."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from textapps.core.config import Section


class TrainingConfig(Section):
    """Length, optimizer, stopping and bookkeeping of a training run.

    An interval is `checkpoint_steps` steps; each ends with a validation and a checkpoint.
    """

    epochs: Annotated[int, Field(ge=1, description="passes over the training split")] = 3
    batch_size: Annotated[int, Field(ge=1, le=65536, description="examples in a step")] = 64
    accumulate: Annotated[
        int, Field(ge=1, le=65536, description="parts a batch is computed in, to save memory")
    ] = 1
    strategy: Annotated[
        Literal["auto", "one", "mirrored", "multi-worker"],
        Field(description="devices to train on: one, all of this machine, or those of TF_CONFIG"),
    ] = "auto"
    learning_rate: Annotated[float, Field(gt=0, le=10, description="peak learning rate")] = 1e-3
    schedule: Annotated[
        Literal["constant", "linear", "cosine", "inverse-sqrt"],
        Field(description="learning rate after the warm-up; linear and cosine end at 0"),
    ] = "linear"
    warmup_steps: Annotated[
        int, Field(ge=0, description="steps of linear warm-up, at most a quarter of all steps")
    ] = 100
    weight_decay: Annotated[
        float, Field(ge=0, le=1, description="decoupled decay (AdamW) of matrices, not of biases")
    ] = 0.01
    clip_norm: Annotated[
        float, Field(ge=0, description="largest global norm of the gradient, 0 for no limit")
    ] = 1.0
    average: Annotated[
        float, Field(ge=0, lt=1, description="momentum of averaged weights, 0 for none")
    ] = 0.0
    average_last: Annotated[
        int,
        Field(ge=0, le=100, description="intervals at whose ends weights are averaged, 0 for none"),
    ] = 0
    patience: Annotated[
        int, Field(ge=0, description="intervals without improvement before stopping, 0 for never")
    ] = 0
    mixed_precision: Annotated[bool, Field(description="compute in bfloat16")] = False
    checkpoint_steps: Annotated[
        int | None, Field(ge=1, description="steps in an interval; one pass if not given")
    ] = None
    tensorboard: Annotated[bool, Field(description="write TensorBoard logs into the run")] = False
    max_seconds: Annotated[
        float | None,
        Field(gt=0, description="stop after so many seconds of steps (validation not counted)"),
    ] = None

    @model_validator(mode="after")
    def _fits_together(self) -> "TrainingConfig":
        if self.average and self.average_last:
            raise ValueError("average and average_last are two ways to average: set one to 0")
        return self
