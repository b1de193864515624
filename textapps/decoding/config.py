"""How text is decoded: the [decoding] section of the generate task's configuration."""

from typing import Annotated

from pydantic import Field

from textapps.config import Section


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
