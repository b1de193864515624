"""Waveforms to logits of the classes, for whole clips or a stream."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from textapps.backbones.backbone import Backbone
from textapps.backbones.conv_stem import ConvStem
from textapps.backbones.no_backbone import NoBackbone
from textapps.backbones.pooling import Pooling
from textapps.decoding.random import uniforms
from textapps.preprocessing.log_mel import FrontEnd
from textapps.preprocessing.mixup import Mixup
from textapps.preprocessing.variation import Variation
from textapps.tasks.speech.config import SpeechConfig
from textapps.tasks.speech.hard_negatives import HardNegatives
from textapps.training.carried import CarriedState

FULL_SCALE = 32_768  # of 16-bit samples

State = tuple[dict[str, Any], ...]


class SpeechModel(keras.Model):
    """Waveform → front end → stem → backbone → pooling → logits.

    Called as a Keras model it takes {"pcm": int16[batch, samples], "seeds": int64[batch]}, clips
    of equal length and the seeds of their augmentation, and returns float32[batch, classes].
    `logits` answers to clips. A causal model also answers to a stream by `listen`; the answers do
    not depend on how the stream is cut into chunks.

    With mixup (see `Mixup`) or mining, outputs in training have one more column for `loss_of`: the
    share of each clip in its mixture.

    In training of a causal model a share `config.model.carry` of the clips begins with the state
    of another clip: row i of a batch with the state in which row i of the batch before ended.

    Args:
        classes: the number of classes.
        rows: of a training batch; None for no training.
        noise: recordings float32[samples] of background noise to train with.
        mining: of hard negatives in training.
    """

    def __init__(
        self,
        config: SpeechConfig,
        front_end: FrontEnd,
        classes: int,
        *,
        rows: int | None = None,
        noise: Sequence[Any] = (),
        mining: HardNegatives | None = None,
    ) -> None:
        super().__init__(name="speech")
        model, units, causal = config.model, config.backbone.units, config.model.streaming
        self.front_end = front_end
        self.mining = mining
        self.variation = None
        if rows is not None:
            together = np.concatenate(noise) if len(noise) else None
            self.variation = Variation(config.augmentation, front_end, together)
        self.stem = ConvStem(config.stem, units, causal=causal, name="stem")
        self.backbone: Any = NoBackbone(causal=causal, name="backbone")
        if not model.convolutional:
            self.backbone = Backbone(config.backbone, causal=causal, name="backbone")
        self.clip_positions = config.preprocessor.clip_frames  # after the stem
        for stride in config.stem.strides:
            self.clip_positions = math.ceil(self.clip_positions / stride)
        self.pooling = Pooling(model.pooling, self.clip_positions, name="pooling")
        self.head_dropout = keras.layers.Dropout(model.head_dropout, name="head_dropout")
        self.head = keras.layers.Dense(classes, dtype="float32", name="head")
        self.carried = None
        if causal and model.carry and rows is not None and not model.convolutional:
            self.carried = CarriedState(
                self.backbone.initial_state(rows), saved=True, name="training_state"
            )
        self.classes = classes
        self.label_smoothing = model.label_smoothing
        self.carry = model.carry
        self._widths = (config.preprocessor.features, units, units * (1 + ("_" in model.pooling)))

    @property
    def causal(self) -> bool:
        """Whether it can listen to a stream."""
        return bool(self.backbone.causal)

    def build(self, inputs_shape: Any = None) -> None:
        """Creates all weights without tracing a graph."""
        features, units, pooled = self._widths
        self.stem.build((None, None, features))
        self.backbone.build((None, None, units))
        self.pooling.build((None, None, units))
        self.head.build((None, pooled))
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """See the class."""
        waveform = ops.cast(inputs["pcm"], "float32") / FULL_SCALE
        if not training or self.variation is None:
            return self.logits(self.front_end.frames(waveform))
        seeds, count = inputs["seeds"], self.variation.draws
        varied = self.variation(waveform, uniforms(seeds, ops.zeros_like(seeds, "int32"), count))
        fresh = varied.free >= self.carry
        logits = self.logits(varied.features, fresh=fresh, training=True)
        shares = varied.shares
        if shares is None and self.mining is None:
            return logits
        shares = ops.ones_like(logits[:, 0]) if shares is None else shares
        return ops.concatenate([logits, shares[:, None]], axis=-1)

    def logits(self, features: Any, fresh: Any = None, training: bool | None = None) -> Any:
        """The logits of whole clips.

        Args:
            features: float32[batch, time, features].
            fresh: bool[batch], which clips begin without the state of another; None: all.
            training: whether dropout is applied.

        Returns:
            float32[batch, classes].
        """
        x = self.embedding(features, fresh, training)
        return self.head(self.head_dropout(x, training=training))

    def embedding(self, features: Any, fresh: Any = None, training: bool | None = None) -> Any:
        """What the last layer reads of whole clips: float32[batch, pooled]; as `logits`."""
        x, mask, _ = self.stem(features, training=training)
        if fresh is None or self.carried is None:
            x, _ = self.backbone(x, mask=mask, training=training)
        else:
            x = self._carried_on(x, mask, fresh)
        return self.pooling(x, mask=mask)

    def listen(self, waveform: Any, state: State, samples: Any = None) -> tuple[Any, Any, State]:
        """The logits at every position that a chunk completes, for the clip that ends there.

        The first whole clip ends at position `clip_positions` - 1; logits before are for a part
        of it.

        Args:
            waveform: float32[batch, chunk], the next samples.
            state: at first `initial_state`.
            samples: int32[batch], how many samples of each row are valid; None: all.

        Returns:
            float32[batch, positions, classes]; bool[batch, positions], the mask of valid
            positions, which are on the left; the new state.
        """
        framer, *stem, pooling = state
        stem, backbone = stem[: len(self.stem.convolutions)], stem[len(self.stem.convolutions) :]
        x, mask, framer = self.front_end.next_frames(waveform, framer, samples)
        x, mask, stem = self.stem(x, mask=mask, state=tuple(stem))
        x, backbone = self.backbone(x, tuple(backbone), mask=mask)
        x, pooling = self.pooling.slide(x, mask=mask, state=pooling)
        return self.head(x), mask, (framer, *stem, *backbone, pooling)

    def initial_state(self, batch: Any) -> State:
        """The state before the first sample of `batch` streams.

        It has a dict of tensors for the framer, each convolution, each block and the pooling.
        """
        return (
            self.front_end.initial_state(batch),
            *self.stem.initial_state(batch),
            *self.backbone.initial_state(batch),
            self.pooling.initial_state(batch),
        )

    def loss_of(self, labels: Any, outputs: Any) -> Any:
        """Cross-entropy with smoothed labels: int32[batch], the model's outputs → [batch].

        Label smoothing as in Szegedy et al. 2016, section 7. Mining changes that of training only.
        """
        logits, shares = self.logits_of(outputs), outputs[:, self.classes :]

        def loss(labels: Any) -> Any:
            targets = ops.one_hot(labels, self.classes)
            found = keras.losses.categorical_crossentropy(
                targets, logits, True, self.label_smoothing
            )
            if self.mining is None or not shares.shape[1]:
                return found
            return found * self.mining.weights(labels, logits)

        return Mixup.loss(loss, labels, shares[:, 0]) if shares.shape[1] else loss(labels)

    def logits_of(self, outputs: Any) -> Any:
        """The model's outputs without the shares of a mixture: float32[batch, classes]."""
        return outputs[:, : self.classes]

    def _carried_on(self, x: Any, mask: Any, fresh: Any) -> Any:
        """The backbone in training, with the states of the batch before where not `fresh`."""
        assert self.carried is not None
        x, state = self.backbone(x, self.carried.read(fresh), mask=mask, training=True)
        self.carried.write(state)
        return x
