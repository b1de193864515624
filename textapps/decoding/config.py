"""How answers are found: the [decoding] sections of the generate, translate and speech tasks."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from textapps.core.config import Section
from textapps.core.keys import Option

_PREDICT, _SEARCH, _LISTEN = ("predict",), ("predict", "evaluate"), ("listen",)


class DecodingConfig(Section):
    """Length and randomness of a generated text, and where it ends.

    The random seed is not among them: the same options give another text with every seed.
    """

    length: Annotated[int, Option("--length", metavar="N", commands=_PREDICT)] = Field(
        500,
        ge=1,
        le=100_000,
        description="Characters to generate.",
        json_schema_extra={"usual_maximum": 3_000},
    )
    temperature: Annotated[float, Option("--temperature", metavar="T", commands=_PREDICT)] = Field(
        0.8,
        ge=0,
        le=100,
        description="Divide the logits by this; 0 always takes the most likely character.",
        json_schema_extra={"usual_maximum": 2},
    )
    top_k: Annotated[int, Option("--top-k", metavar="K", commands=_PREDICT)] = Field(
        0,
        ge=0,
        le=2**31 - 1,
        description="Sample from the k most likely characters, 0 for all.",
        examples=[5],
        json_schema_extra={"off": 0, "usual_maximum": 100},
    )
    top_p: Annotated[float, Option("--top-p", metavar="P", commands=_PREDICT)] = Field(
        1.0,
        gt=0,
        le=1,
        description="Sample from the most likely characters that together reach this probability, "
        "1 for all.",
        examples=[0.9],
        json_schema_extra={"off": 1},
    )
    min_p: Annotated[float, Option("--min-p", metavar="P", commands=_PREDICT)] = Field(
        0.0,
        ge=0,
        le=1,
        description="Sample from the characters that have at least this share of the probability "
        "of the most likely one, 0 for all.",
        examples=[0.1],
        json_schema_extra={"off": 0},
    )
    repetition_penalty: Annotated[
        float, Option("--repetition-penalty", metavar="X", commands=_PREDICT)
    ] = Field(
        1.0,
        ge=1,
        le=100,
        description="Make characters that have occurred less likely, 1 for no penalty.",
        examples=[1.2],
        json_schema_extra={"off": 1, "usual_maximum": 2},
    )
    stop: Annotated[str | None, Option("--stop", metavar="TEXT", commands=_PREDICT)] = Field(
        None, min_length=1, description="End before the first occurrence of this text."
    )


class GenerateRequest(DecodingConfig):
    """What a request for a text may say: the options, and the random seed of its row."""

    random_seed: Annotated[
        int,
        Field(ge=-(2**63), le=2**63 - 1, description="The same seed gives the same text."),
    ] = 0


def option_schemas(defaults: DecodingConfig | None = None) -> dict[str, dict[str, Any]]:
    """Option → its JSON schema: everything that is derived from the fields starts from here.

    Besides JSON Schema's own keys, a schema may have `off`, the value with which an option changes
    nothing, and `usual_maximum`, where a slider ends.

    Args:
        defaults: become the `default` of each schema.
    """
    values = GenerateRequest(**(defaults or DecodingConfig()).model_dump()).model_dump()
    schemas = GenerateRequest.model_json_schema()["properties"]
    return {name: {**schemas[name], "default": value} for name, value in values.items()}


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
    no_repeat_ngram_size: Annotated[
        int, Option("--no-repeat-ngram-size", metavar="N", commands=_SEARCH)
    ] = Field(
        0,
        ge=0,
        le=100,
        description="No sequence of so many tokens occurs twice in an answer; 0 allows it.",
    )
    repetition_penalty: Annotated[
        float, Option("--repetition-penalty", metavar="X", commands=_SEARCH)
    ] = Field(
        1.0,
        ge=1,
        le=100,
        description="Make tokens that have occurred less likely, 1 for no penalty.",
    )
    n_best: Annotated[int, Option("--n-best", metavar="N", commands=_PREDICT)] = Field(
        1, ge=1, le=100, description="Answers for each sentence, the best first, with their scores."
    )
    temperature: Annotated[float, Option("--temperature", metavar="T", commands=_SEARCH)] = Field(
        0.0, ge=0, le=100, description="Above 0: sample tokens instead of searching."
    )
    split_sentences: Annotated[
        bool, Option("--split-sentences/--no-split-sentences", commands=_SEARCH)
    ] = Field(
        True,
        description="Translate a text of several sentences or lines sentence by sentence, and join "
        "the answers.",
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
