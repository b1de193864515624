"""How answers are found: the [decoding] sections of the generate, translate and speech tasks."""

from typing import Annotated

from pydantic import Field, model_validator

from textapps.core.config import Section


class DecodingConfig(Section):
    """Length and randomness of a generated text, and where it ends.

    The random seed is no part of it: the same options give another text with every seed.
    """

    length: Annotated[int, Field(ge=1, le=100_000, description="characters to generate")] = 500
    temperature: Annotated[
        float, Field(ge=0, le=100, description="divides the logits; 0 takes the likeliest always")
    ] = 0.8
    top_k: Annotated[
        int, Field(ge=0, description="choose among the k likeliest characters, 0 for all")
    ] = 0
    top_p: Annotated[
        float,
        Field(gt=0, le=1, description="choose among the likeliest that have this probability"),
    ] = 1.0
    repetition_penalty: Annotated[
        float, Field(ge=1, le=100, description="weakens characters that occurred, 1 for none")
    ] = 1.0
    stop: Annotated[
        str | None, Field(min_length=1, description="text to end before, where it occurs")
    ] = None


class SearchConfig(Section):
    """How a translation is found.

    A translation ends after `max_ratio` times as many tokens as the source has, and `max_extra`
    more, if it has not before.
    """

    beam: Annotated[
        int, Field(ge=1, le=100, description="hypotheses that are kept; 1 is greedy")
    ] = 5
    length_penalty: Annotated[
        float, Field(ge=0, le=10, description="exponent by which longer answers are favoured")
    ] = 0.6
    n_best: Annotated[
        int, Field(ge=1, le=100, description="answers for each sentence, of --n-best and n_best")
    ] = 1
    temperature: Annotated[
        float, Field(ge=0, le=100, description="above 0: draws tokens instead of searching")
    ] = 0.0
    max_ratio: Annotated[
        float, Field(ge=0, le=100, description="most tokens for each token of the source")
    ] = 2.0
    max_extra: Annotated[int, Field(ge=1, le=1_000, description="and so many more")] = 10

    @model_validator(mode="after")
    def _fits_together(self) -> "SearchConfig":
        if self.temperature and self.n_best > 1:
            raise ValueError("drawn answers have no order: with a temperature n_best must be 1")
        return self


class DetectionConfig(Section):
    """When a command counts as heard in a stream, and how often the model is asked."""

    threshold: Annotated[
        float, Field(gt=0, le=1, description="smoothed probability at which a command is heard")
    ] = 0.8
    smoothing_ms: Annotated[
        int, Field(ge=0, le=10_000, description="time over which probabilities are averaged")
    ] = 300
    refractory_ms: Annotated[
        int, Field(ge=0, le=60_000, description="time after a command in which nothing is heard")
    ] = 1_000
    hop_ms: Annotated[
        int, Field(ge=10, le=1_000, description="time from one answer of the model to the next")
    ] = 100
