"""What a user may set of the way from text to tokens, and from audio to frames of features."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from textapps.core.config import Section
from textapps.core.keys import Option, Search

_TOKENS = Option("--tokens", noun="kind of token")
UnicodeForm = Literal["nfc", "raw"]
_Unicode = Annotated[
    UnicodeForm,
    Field(
        description="Unicode form of texts: nfc composes accents and removes invisible "
        "characters, raw keeps all characters as they are."
    ),
]


class TextConfig(Section):
    """How a text becomes token ids."""

    FREE: ClassVar = ("max_tokens", "truncate")
    GROWING: ClassVar = ("vocabulary_size", "min_count")

    tokens: Annotated[Literal["word", "char"], _TOKENS, Search(among=("word", "char"))] = Field(
        "word", description="Split a text into words, or into characters (Chinese, Japanese)."
    )
    unicode: _Unicode = "nfc"
    lowercase: bool = Field(True, description="Turn the text into lower case.")
    standardize: bool = Field(
        True, description="Remove HTML tags, and unify white space and typographic apostrophes."
    )
    vocabulary_size: Annotated[int, Search(times=(0.1, 1))] = Field(
        20_000,
        ge=3,
        le=5_000_000,
        description="Size of the vocabulary: the most frequent tokens are kept.",
    )
    min_count: int = Field(
        1, ge=1, description="Tokens that occur less often in the training data are unknown."
    )
    max_tokens: int = Field(
        400, ge=1, le=1_000_000, description="Longer texts are truncated to this many tokens."
    )
    truncate: Literal["head", "tail", "both"] = Field(
        "head",
        description="Part of a longer text that is kept: its head, its tail, or half of each.",
    )


class CharacterConfig(Section):
    """How a text becomes ids of characters, which are Unicode code points."""

    GROWING: ClassVar = ("vocabulary_size", "min_count")

    unicode: _Unicode = "nfc"
    vocabulary_size: int = Field(
        20_000,
        ge=3,
        le=1_114_114,
        description="Size of the vocabulary: the most frequent characters are kept.",
    )
    min_count: int = Field(
        1, ge=1, description="Characters that occur less often in the training text are unknown."
    )


class SubwordConfig(Section):
    """How a sentence becomes token ids, and token ids become a sentence again."""

    FREE: ClassVar = ("max_tokens", "sampling_alpha", "sampling_size")

    tokens: Annotated[Literal["subword", "word", "char"], _TOKENS] = Field(
        "subword",
        description="Split a sentence into SentencePiece's subwords, into words, or into "
        "characters.",
    )
    model: Literal["unigram", "bpe"] = Field("unigram", description="SentencePiece's algorithm.")
    vocabulary_size: Annotated[int, Option("--vocabulary-size"), Search(times=(0.25, 2))] = Field(
        8_000, ge=8, le=1_000_000, description="Size of the vocabulary, in tokens."
    )
    joint: bool = Field(True, description="Share one vocabulary between both languages.")
    unicode: _Unicode = "nfc"
    lowercase: bool = Field(False, description="Turn sentences into lower case.")
    copy_numbers: bool | Literal["auto"] = Field(
        False,
        description="Copy numbers written in digits from the sentence to its translation, in "
        "their order; a placeholder stands for each one in the model. With auto, which presets "
        "set, only if at least 20 training pairs have the same numbers on both sides.",
    )
    sampling_alpha: Annotated[float, Search(among=(0.0, 0.3, 0.5))] = Field(
        0.0,
        ge=0,
        le=1,
        description="Above 0, each pass of training splits a sentence into other subwords "
        "(Kudo 2018): the exponent of the probability of a split. With bpe, the chance that a "
        "merge is left out (Provilkov et al. 2020).",
    )
    sampling_size: int = Field(
        0, ge=0, le=512, description="With unigram, sample among this many best splits, 0 for all."
    )
    max_tokens: int = Field(
        256, ge=1, le=100_000, description="Longer sentences are truncated to this many tokens."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> "SubwordConfig":
        if self.sampling_alpha and self.tokens != "subword":
            raise ValueError(
                f"sampling_alpha needs tokens = 'subword': a {self.tokens} has one cut only"
            )
        if self.sampling_size and (self.model == "bpe" or not self.sampling_alpha):
            raise ValueError("sampling_size needs model = 'unigram' and a sampling_alpha above 0")
        return self


class AudioConfig(Section):
    """How a waveform becomes frames of features."""

    FREE: ClassVar = ("trim",)

    sample_rate: int = Field(
        16_000, ge=4_000, le=192_000, description="Rate that recordings are resampled to, in Hz."
    )
    kind: Literal["log-mel", "mfcc", "pcen"] = Field(
        "log-mel",
        description="Features of a frame: the logarithm of the energy in each mel band, the "
        "cosine transform of these, or the energies relative to those of the last half second "
        "(per-channel energy normalisation, Wang et al. 2017), which do not depend on the level.",
    )
    window_ms: float = Field(25.0, ge=1, le=1_000, description="Length of a frame.")
    hop_ms: float = Field(
        10.0, ge=1, le=1_000, description="Time from the start of one frame to that of the next."
    )
    mels: int = Field(
        40, ge=2, le=512, description="Number of bands, equally wide on the mel scale."
    )
    low_hz: float = Field(60.0, ge=0, description="Lower end of the first band.")
    high_hz: float = Field(7_600.0, gt=0, description="Upper end of the last band.")
    coefficients: int = Field(
        13, ge=1, le=512, description="With mfcc, how many coefficients of the transform are kept."
    )
    clip_seconds: float = Field(
        1.0,
        gt=0,
        le=60,
        description="Length of a clip; a shorter one is padded with silence, a longer one is cut.",
    )
    trim: Annotated[bool, Option("--trim")] = Field(
        False,
        description="Cut silence from both ends of every recording first, up to 100 ms from the "
        "sound; not with streaming.",
    )

    @property
    def window_samples(self) -> int:
        """The length of a window."""
        return self._samples(self.window_ms)

    @property
    def hop_samples(self) -> int:
        """How far apart two windows begin."""
        return self._samples(self.hop_ms)

    @property
    def clip_samples(self) -> int:
        """The length of a clip."""
        return self._samples(1_000 * self.clip_seconds)

    @property
    def clip_frames(self) -> int:
        """How many windows lie in a clip."""
        return 1 + (self.clip_samples - self.window_samples) // self.hop_samples

    @property
    def features(self) -> int:
        """How many numbers a frame has."""
        return self.coefficients if self.kind == "mfcc" else self.mels

    @model_validator(mode="after")
    def _fits_together(self) -> "AudioConfig":
        if self.hop_ms > self.window_ms:
            raise ValueError(
                f"hop_ms {self.hop_ms:g} must not be more than window_ms ({self.window_ms:g}): "
                "samples between two windows would never be heard"
            )
        if self.high_hz > self.sample_rate / 2:
            raise ValueError(
                f"high_hz {self.high_hz:g} must not be more than half of sample_rate "
                f"({self.sample_rate})"
            )
        if self.low_hz >= self.high_hz:
            raise ValueError(f"low_hz {self.low_hz:g} must be below high_hz ({self.high_hz:g})")
        if self.clip_samples < self.window_samples:
            raise ValueError(
                f"clip_seconds {self.clip_seconds:g} must be at least as long as window_ms "
                f"({self.window_ms:g} ms)"
            )
        if self.kind == "mfcc" and self.coefficients > self.mels:
            raise ValueError(
                f"coefficients {self.coefficients} must not be more than mels ({self.mels})"
            )
        return self

    def _samples(self, milliseconds: float) -> int:
        return round(self.sample_rate * milliseconds / 1_000)
