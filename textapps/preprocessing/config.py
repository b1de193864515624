"""What a user may set of the way from text to tokens."""

from typing import Literal

from pydantic import Field

from textapps.config import Section


class TextConfig(Section):
    """How a text becomes token ids.

    `standardize` removes HTML tags and folds white space and typographic apostrophes; `truncate`
    says which part of a text longer than `max_tokens` is kept: its `head`, its `tail` or `both`
    ends, half and half.
    """

    tokens: Literal["word", "char"] = "word"
    lowercase: bool = True
    standardize: bool = True
    vocabulary_size: int = Field(20_000, ge=3, le=5_000_000)
    min_count: int = Field(1, ge=1)
    max_tokens: int = Field(400, ge=1, le=1_000_000)
    truncate: Literal["head", "tail", "both"] = "head"


class CharacterConfig(Section):
    """How a text becomes ids of characters, which are Unicode code points.

    Characters beyond the `vocabulary_size` most frequent ones, or rarer than `min_count` in the
    training text, are unknown.
    """

    vocabulary_size: int = Field(20_000, ge=3, le=1_114_114)
    min_count: int = Field(1, ge=1)
