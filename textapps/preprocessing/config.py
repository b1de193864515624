"""What a user may set of the way from text to tokens, and from audio to frames of features."""

from typing import Literal

from pydantic import Field, model_validator

from textapps.core.config import Section


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


class AudioConfig(Section):
    """How a waveform becomes frames of features.

    A frame is a window of `window_ms` that begins every `hop_ms`; its features are the logarithms
    of the energy in `mels` bands from `low_hz` to `high_hz`, equally wide on the mel scale, or
    with kind 'mfcc' the first `coefficients` of their cosine transform. A clip shorter than
    `clip_seconds` is filled up with silence, a longer one loses what is beyond.
    """

    sample_rate: int = Field(16_000, ge=4_000, le=192_000)
    kind: Literal["log-mel", "mfcc"] = "log-mel"
    window_ms: float = Field(25.0, ge=1, le=1_000)
    hop_ms: float = Field(10.0, ge=1, le=1_000)
    mels: int = Field(40, ge=2, le=512)
    low_hz: float = Field(60.0, ge=0)
    high_hz: float = Field(7_600.0, gt=0)
    coefficients: int = Field(13, ge=1, le=512)
    clip_seconds: float = Field(1.0, gt=0, le=60)

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


class AugmentationConfig(Section):
    """How training clips are varied, another way in every pass; 0 leaves a variation out.

    A clip is played up to `speed_percent` faster or slower, moved by up to `shift_ms`, mixed, in a
    share of `noise_share` of the cases, with background noise that is `noise_low_db` to
    `noise_high_db` softer than it, and made up to `gain_db` louder or softer. Of its frames,
    `time_masks` stretches of up to `time_mask_ms` and `frequency_masks` bands of up to
    `frequency_mask` features are blotted out (SpecAugment, Park et al. 2019).
    """

    speed_percent: int = Field(10, ge=0, le=50)
    shift_ms: int = Field(100, ge=0, le=10_000)
    noise_share: float = Field(0.5, ge=0, le=1)
    noise_low_db: float = Field(5.0, ge=-20, le=80)
    noise_high_db: float = Field(30.0, ge=-20, le=80)
    gain_db: float = Field(6.0, ge=0, le=40)
    time_masks: int = Field(1, ge=0, le=20)
    time_mask_ms: float = Field(150.0, ge=0, le=10_000)
    frequency_masks: int = Field(1, ge=0, le=20)
    frequency_mask: int = Field(6, ge=0, le=512)

    @model_validator(mode="after")
    def _fits_together(self) -> "AugmentationConfig":
        if self.noise_low_db > self.noise_high_db:
            raise ValueError(
                f"noise_low_db {self.noise_low_db:g} must not be above noise_high_db "
                f"({self.noise_high_db:g})"
            )
        return self
