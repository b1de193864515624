"""What a user may set of the augmentation of training clips."""

from typing import Annotated

from pydantic import Field, model_validator

from textapps.core.config import Section
from textapps.core.keys import Search


class AugmentationConfig(Section):
    """How training clips are varied, differently in every pass; 0 leaves a variation out.

    Masks are those of SpecAugment (Park et al. 2019). The fields from `tract_percent` on came later
    than the others and are off by default, so earlier runs resume as they began.
    """

    speed_percent: Annotated[int, Search(between=(0, 20))] = Field(
        10, ge=0, le=50, description="Largest change of playback speed, faster or slower."
    )
    shift_ms: int = Field(
        100, ge=0, le=10_000, description="Largest shift of a clip in time, earlier or later."
    )
    noise_share: float = Field(
        0.5, ge=0, le=1, description="Share of clips that background noise is mixed into."
    )
    noise_low_db: float = Field(5.0, ge=-20, le=80, description="Smallest ratio of clip to noise.")
    noise_high_db: float = Field(30.0, ge=-20, le=80, description="Largest ratio of clip to noise.")
    gain_db: float = Field(6.0, ge=0, le=40, description="Largest change of loudness, up or down.")
    time_masks: int = Field(
        1, ge=0, le=20, description="Number of stretches of frames that are masked."
    )
    time_mask_ms: Annotated[float, Search(between=(0, 250))] = Field(
        150.0, ge=0, le=10_000, description="Longest stretch of frames that is masked."
    )
    frequency_masks: int = Field(
        1, ge=0, le=20, description="Number of bands of features that are masked."
    )
    frequency_mask: Annotated[int, Search(between=(0, 10))] = Field(
        6, ge=0, le=512, description="Features in the widest band that is masked."
    )
    tract_percent: Annotated[int, Search(between=(0, 15))] = Field(
        0,
        ge=0,
        le=30,
        description="Largest change of the length of the vocal tract, longer or shorter, which "
        "moves all resonances of a voice (Jaitly and Hinton 2013); 10 is usual.",
    )
    mixup: float = Field(
        0.0,
        ge=0,
        le=10,
        description="Mix each clip and its label with another clip and label (Zhang et al. 2018): "
        "the parameter of the Beta distribution of the shares; 0.2 is usual.",
    )
    made_noise: bool = Field(
        False,
        description="Add generated noises to the recorded ones: white, pink and brown noise, mains "
        "hum, and a babble of training clips.",
    )
    room_share: float = Field(
        0.0, ge=0, le=1, description="Share of clips that sound as in a room, with echoes."
    )
    room_seconds: float = Field(
        0.8,
        ge=0.1,
        le=5,
        description="Longest reverberation time of a room, in which its echoes fall by 60 dB; the "
        "shortest is 0.1 s.",
    )
    telephone_share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of clips without frequencies above 4 kHz, as sound at 8 kHz has them; "
        "half of these also pass a telephone line: 300 to 3,400 Hz in 8-bit µ-law.",
    )
    level_share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of clips whose level is changed by level_low_db to level_high_db, and "
        "that are rounded to 16 bits then.",
    )
    level_low_db: float = Field(-40.0, ge=-80, le=0, description="Largest cut of the level.")
    level_high_db: float = Field(12.0, ge=0, le=40, description="Largest boost of the level.")

    @model_validator(mode="after")
    def _fits_together(self) -> "AugmentationConfig":
        if self.noise_low_db > self.noise_high_db:
            raise ValueError(
                f"noise_low_db {self.noise_low_db:g} must not be above noise_high_db "
                f"({self.noise_high_db:g})"
            )
        return self
