"""What a user may set of the way from text to tokens."""

from typing import Literal

from pydantic import Field, model_validator

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


class SubwordConfig(Section):
    """How a sentence becomes token ids and token ids become a sentence again.

    Subwords are SentencePiece's, found by its `model`; words and characters are the
    `vocabulary_size` most frequent ones. A `joint` vocabulary is one for both languages. What is
    longer than `max_tokens` loses its end.

    With `sampling_alpha` above 0 training sees each sentence cut into other subwords every time
    (Kudo 2018): of the `sampling_size` best cuts (0: of all) one is drawn with its probability to
    the power of `sampling_alpha`; with BPE that is the chance that a merge is left out (Provilkov
    et al. 2020), and there is no `sampling_size`.
    """

    tokens: Literal["subword", "word", "char"] = "subword"
    model: Literal["unigram", "bpe"] = "unigram"
    vocabulary_size: int = Field(8_000, ge=8, le=1_000_000)
    joint: bool = True
    lowercase: bool = False
    sampling_alpha: float = Field(0.0, ge=0, le=1)
    sampling_size: int = Field(0, ge=0, le=512)
    max_tokens: int = Field(256, ge=1, le=100_000)

    @model_validator(mode="after")
    def _fits_together(self) -> "SubwordConfig":
        if self.sampling_alpha and self.tokens != "subword":
            raise ValueError(
                f"sampling_alpha needs tokens = 'subword': a {self.tokens} has one cut only"
            )
        if self.sampling_size and (self.model == "bpe" or not self.sampling_alpha):
            raise ValueError("sampling_size needs model = 'unigram' and a sampling_alpha above 0")
        return self
