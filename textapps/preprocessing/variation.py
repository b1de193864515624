"""Training clips as features, varied at random."""

from typing import Any, NamedTuple

import tensorflow as tf

from textapps.preprocessing.augmentation import Augmentation
from textapps.preprocessing.augmentation_config import AugmentationConfig
from textapps.preprocessing.channel import DRAWS, Channel
from textapps.preprocessing.log_mel import FrontEnd
from textapps.preprocessing.mixup import Mixup
from textapps.preprocessing.tract import TractWarp


class Varied(NamedTuple):
    """What becomes of a batch of clips.

    features  float32[batch, time, features]
    free      float32[batch] in [0, 1), a random number of each clip that nothing here has used
    shares    float32[batch], of each clip in its mixture; None without mixup
    """

    features: Any
    free: Any
    shares: Any


class Variation:
    """Everything that is random about training clips.

    The caller provides the randomness, `draws` numbers in [0, 1) for each clip, so a resumed run
    repeats it. Runs of versions without mixup, room, line, level and tract used the first numbers
    only, up to `free`.

    In this order: speed, shift, noise and gain (`Augmentation`), mixup, room, line and level
    (`Channel`), the vocal tract (`TractWarp`), and masks over the features.

    Args:
        config: the ranges.
        front_end: it computes the features.
        noise: float32[samples] of background noise; None for none.
    """

    def __init__(self, config: AugmentationConfig, front_end: FrontEnd, noise: Any = None) -> None:
        audio = front_end.config
        self.front_end = front_end
        self.augmentation = Augmentation(config, audio, noise)
        self.draws = self.augmentation.draws + 3 + DRAWS
        self.channel = Channel(config, audio)
        self.mixup = Mixup(config.mixup) if config.mixup else None
        self.tract = None
        if config.tract_percent:
            self.tract = TractWarp(audio, front_end.bins, config.tract_percent)

    def __call__(self, clips: Any, draws: Any) -> Varied:
        """float32[batch, samples], float32[batch, draws] → `Varied`."""
        first = self.augmentation.draws
        own, more = draws[:, :first], draws[:, first + 3 :]
        free, mixing, tract = tf.unstack(draws[:, first : first + 3], axis=1)
        clips, shares = self.augmentation.waveforms(clips, own), None
        if self.mixup is not None:
            shares = self.mixup.shares(mixing)
            clips = self.mixup.mixed(clips, shares)
        clips = self.channel(clips, more)
        warp = self.tract
        bands = None if warp is None else lambda energies: warp(energies, tract)
        features = self.front_end.frames(clips, bands)
        return Varied(self.augmentation.frames(features, own), free, shares)
