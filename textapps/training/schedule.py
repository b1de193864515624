"""The learning rate as a function of the step."""

import math
from typing import Any

import keras
from keras import ops

from textapps.training.config import TrainingConfig

LOW = 0.1  # of the peak, below which more of a decay would change little
DECAYS = {
    "constant": lambda progress: ops.ones_like(progress),
    "linear": lambda progress: 1 - progress,
    "cosine": lambda progress: 0.5 * (1 + ops.cos(math.pi * progress)),
}


@keras.saving.register_keras_serializable("textapps")
class WarmupSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up, then a constant rate or a decay.

    "linear" and "cosine" (Loshchilov and Hutter 2017, SGDR, section 3) end at 0 after
    `total_steps`. "inverse-sqrt" (Vaswani et al. 2017, section 5.3, the Noam schedule) does not
    depend on it: it falls with the square root of the step; their peak is
    (units · warm-up steps)^-0.5. The warm-up takes `warmup_steps`, but at most a quarter of all
    steps, so that a run on little data reaches its peak too.

    >>> schedule = WarmupSchedule(1.0, "linear", warmup_steps=2, total_steps=10)
    >>> [round(float(schedule(step)), 4) for step in (0, 1, 2, 6, 9)]
    [0.5, 1.0, 1.0, 0.5, 0.125]
    """

    def __init__(
        self, peak: float, kind: str, warmup_steps: int, total_steps: int, name: str = "warmup"
    ) -> None:
        super().__init__()
        self.peak = peak
        self.kind = kind
        self.warmup_steps = min(warmup_steps, total_steps // 4)
        self.total_steps = total_steps
        self.name = name

    def __call__(self, step: Any) -> Any:
        """float32[], the learning rate of `step`, which counts from 0."""
        step = ops.cast(step, "float32")
        warmup = ops.minimum(1.0, self._warmups(step))
        decaying = max(1, self.total_steps - self.warmup_steps)
        progress = ops.clip((step - self.warmup_steps) / decaying, 0.0, 1.0)
        if self.kind == "inverse-sqrt":
            return self.peak * warmup * ops.rsqrt(ops.maximum(1.0, self._warmups(step)))
        return self.peak * warmup * DECAYS[self.kind](progress)

    def _warmups(self, step: Any) -> Any:
        """The number of completed steps divided by the warm-up steps."""
        return (step + 1) / max(1, self.warmup_steps)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {
            "peak": self.peak,
            "kind": self.kind,
            "warmup_steps": self.warmup_steps,
            "total_steps": self.total_steps,
            "name": self.name,
        }


def cut_short(config: TrainingConfig, steps: int, epochs: float) -> str:
    """What a run that `max_seconds` ended should know of its learning rate, "" for nothing.

    The schedule cannot follow the clock, because a run that is resumed would not come to the same
    weights.

    Args:
        steps, epochs: how far the run came, in steps and in passes.

    >>> config = TrainingConfig(epochs=10, warmup_steps=0)
    >>> cut_short(config, 30, 3.0)
    'the time was up after 3 of 10 passes, with the learning rate at 70 % of its peak; with \
--epochs 3 it falls to 0 in that time'
    >>> cut_short(config, 97, 9.7)
    ''
    >>> cut_short(config.model_copy(update={"schedule": "constant"}), 30, 3.0)
    ''
    """
    total = round(config.epochs * steps / epochs)
    schedule = WarmupSchedule(1.0, config.schedule, config.warmup_steps, total)
    rate = float(schedule(steps))
    if config.schedule not in ("linear", "cosine") or rate < LOW:
        return ""
    fewer = f"--epochs {int(epochs)}" if epochs >= 1 else "fewer steps in a pass"
    return (
        f"the time was up after {epochs:.3g} of {config.epochs} passes, with the learning rate at "
        f"{100 * rate:.0f} % of its peak; with {fewer} it falls to 0 in that time"
    )
