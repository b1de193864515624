"""How answers are found: the [decoding] sections of the generate, translate and speech tasks."""

from typing import Annotated

from pydantic import Field, model_validator

from textapps.core.config import Section
from textapps.core.keys import Option

_PREDICT, _SEARCH, _LISTEN = ("predict",), ("predict", "evaluate"), ("listen",)


class DecodingConfig(Section):
    """Length and randomness of a generated text, and where it ends.

    The random seed is not among them: the same options give another text with every seed.
    """

    length: Annotated[int, Option("--length", metavar="N", commands=_PREDICT)] = Field(
        500, ge=1, le=100_000, description="Characters to generate."
    )
    temperature: Annotated[float, Option("--temperature", metavar="T", commands=_PREDICT)] = Field(
        0.8,
        ge=0,
        le=100,
        description="Divide the logits by this; 0 always takes the most likely character.",
    )
    top_k: Annotated[int, Option("--top-k", metavar="K", commands=_PREDICT)] = Field(
        0, ge=0, description="Sample from the k most likely characters, 0 for all."
    )
    top_p: Annotated[float, Option("--top-p", metavar="P", commands=_PREDICT)] = Field(
        1.0,
        gt=0,
        le=1,
        description="Sample from the most likely characters that reach this probability together.",
    )
    repetition_penalty: Annotated[
        float, Option("--repetition-penalty", metavar="X", commands=_PREDICT)
    ] = Field(
        1.0,
        ge=1,
        le=100,
        description="Make characters that have occurred less likely; 1 for no penalty.",
    )
    stop: Annotated[str | None, Option("--stop", metavar="TEXT", commands=_PREDICT)] = Field(
        None, min_length=1, description="End before the first occurrence of this text."
    )


class SearchConfig(Section):
    """How a translation is found, and when it ends at the latest."""

    beam: Annotated[int, Option("--beam", metavar="N", commands=_SEARCH)] = Field(
        5, ge=1, le=100, description="Hypotheses that beam search keeps; 1 is greedy search."
    )
    length_penalty: Annotated[float, Option("--length-penalty", metavar="X", commands=_SEARCH)] = (
        Field(
            0.6, ge=0, le=10, description="Exponent that favours longer answers; 0 for no penalty."
        )
    )
    n_best: Annotated[int, Option("--n-best", metavar="N", commands=_PREDICT)] = Field(
        1, ge=1, le=100, description="Answers for each sentence, the best first, with their scores."
    )
    temperature: Annotated[float, Option("--temperature", metavar="T", commands=_SEARCH)] = Field(
        0.0, ge=0, le=100, description="Above 0: sample tokens instead of searching."
    )
    max_ratio: float = Field(
        2.0,
        ge=0,
        le=100,
        description="Most tokens of an answer for each token of the source; max_extra is added.",
    )
    max_extra: int = Field(
        10, ge=1, le=1_000, description="Tokens added to the longest translation."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> "SearchConfig":
        if self.temperature and self.n_best > 1:
            raise ValueError("drawn answers have no order: with a temperature n_best must be 1")
        return self


class DetectionConfig(Section):
    """When a command counts as heard in a stream, and how often the model is asked."""

    threshold: Annotated[float, Option("--threshold", metavar="P", commands=_LISTEN)] = Field(
        0.8, gt=0, le=1, description="Smoothed probability from which a command counts as heard."
    )
    smoothing_ms: Annotated[int, Option("--smoothing-ms", metavar="MS", commands=_LISTEN)] = Field(
        300, ge=0, le=10_000, description="Time over which probabilities are averaged."
    )
    refractory_ms: Annotated[int, Option("--refractory-ms", metavar="MS", commands=_LISTEN)] = (
        Field(
            1_000,
            ge=0,
            le=60_000,
            description="Time after a command during which no other is heard.",
        )
    )
    hop_ms: Annotated[int, Option("--hop-ms", metavar="MS", commands=_LISTEN)] = Field(
        100, ge=10, le=1_000, description="Time from one answer of the model to the next."
    )
