"""Where weights begin: the [start] section of every task's configuration."""

from typing import Annotated

from pydantic import Field, field_validator, model_validator

from textapps.core.config import Section
from textapps.core.keys import Option

FROM_NOTHING = "none"  # in place of a run


class StartConfig(Section):
    """The run that lends its preprocessor and its weights, and how they are trained on."""

    init_from: Annotated[str | None, Option("--init-from", metavar="RUN")] = Field(
        None,
        description="Start from the preprocessor and the weights of this run, given by its "
        "directory or its name, or of pretrained:NAME; none for a start from nothing.",
    )
    extend_vocabulary: Annotated[bool, Option("--extend-vocabulary")] = Field(
        False,
        description="Of sentiment and generate, with --init-from: add the tokens of the new "
        "training data that the vocabulary lacks; each starts at the mean of the others.",
    )
    freeze_layers: Annotated[int, Option("--freeze-layers", metavar="N")] = Field(
        0,
        ge=0,
        description="With --init-from, keep the weights of the first N layers as they are: the "
        "embedding or the front convolutions, then the blocks of the backbone.",
    )
    layer_decay: Annotated[float, Option("--layer-decay")] = Field(
        1.0,
        gt=0,
        le=1,
        description="With --init-from, the learning rate of each layer divided by that of the "
        "layer after it.",
    )

    @field_validator("init_from")
    @classmethod
    def _none(cls, given: str | None) -> str | None:
        return None if given == FROM_NOTHING else given

    @model_validator(mode="after")
    def _fits_together(self) -> "StartConfig":
        if self.init_from is None:
            for key in ("extend_vocabulary", "freeze_layers", "layer_decay"):
                if getattr(self, key) != type(self).model_fields[key].default:
                    raise ValueError(f"{key} needs a run to start from: give --init-from RUN")
        if self.extend_vocabulary and self.freeze_layers:  # the first layer holds the new tokens
            raise ValueError(
                f"freeze_layers {self.freeze_layers} would keep every token that extend_vocabulary "
                "adds at the mean of the others: leave --freeze-layers or --extend-vocabulary out"
            )
        return self
