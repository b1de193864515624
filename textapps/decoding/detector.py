"""Commands heard in a stream of class probabilities."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from textapps.core.errors import ConfigurationError, DataError, unknown
from textapps.decoding.config import DetectionConfig

Floats = npt.NDArray[np.float64]


class Detection(NamedTuple):
    """A command, the time of the hop at which it was heard, and its smoothed probability."""

    label: str
    time_ms: float
    probability: float


class DetectorState(NamedTuple):
    """What later hops need to know of earlier ones.

    scores         float64[kept, classes] of the hops that a later average may need
    times_ms       float64[kept]
    deaf_until_ms  no command is heard before this time
    held           bool[commands]: heard, and never below the threshold since then
    """

    scores: Floats
    times_ms: Floats
    deaf_until_ms: float
    held: npt.NDArray[np.bool_]


class Detector:
    """Hears a command when its smoothed probability reaches a threshold.

    Smoothing is the mean over the hops of the last `smoothing_ms` (Chen, Parada and Heigold 2014,
    "Small-footprint keyword spotting using deep neural networks", section 2.3); at the beginning
    over those there are. After a command none is heard for `refractory_ms`, and the same command
    not before its smoothed probability has been below the threshold. So a word is heard once,
    however long the model stays sure of it.

    The law: hops in chunks of any lengths, with the state passed along, give the same detections
    as all hops at once.

    Args:
        labels: the classes, in the order of the scores.
        commands: the classes to listen for; the others are `unknown`, `silence` and the like.
        config: threshold and times.

    Raises:
        ConfigurationError: there are no commands, or one is not a class.

    >>> detector = Detector(["go", "silence"], ["go"], DetectionConfig(smoothing_ms=0))
    >>> heard, state = detector([[0.1, 0.9], [0.9, 0.1]], [100, 200])
    >>> heard
    [Detection(label='go', time_ms=200.0, probability=0.9)]
    >>> detector([[0.95, 0.05]], [300], state)[0]
    []
    """

    def __init__(
        self, labels: Sequence[str], commands: Sequence[str], config: DetectionConfig
    ) -> None:
        for command in commands:
            if command not in labels:
                raise ConfigurationError(unknown("command", command, labels))
        if not commands:
            raise ConfigurationError("there is no command to listen for: name one or more")
        self.labels, self.commands, self.config = tuple(labels), tuple(commands), config
        self._columns = [self.labels.index(command) for command in commands]

    def start(self) -> DetectorState:
        """The state before the first hop; None means the same."""
        return DetectorState(
            np.zeros([0, len(self.labels)]),
            np.zeros(0),
            -np.inf,
            np.zeros(len(self.commands), bool),
        )

    def __call__(
        self,
        scores: npt.ArrayLike,
        times_ms: npt.ArrayLike,
        state: DetectorState | None = None,
    ) -> tuple[list[Detection], DetectorState]:
        """The commands heard in a chunk, and the state after it.

        Args:
            scores: float[hops, classes], the probabilities at the end of each hop.
            times_ms: float[hops], when each hop ends; they rise, also from chunk to chunk.
            state: of the chunk before, None for the first.

        Raises:
            DataError: scores or times have a wrong shape or are not finite, or times do not rise.
        """
        state = state or self.start()
        new, ends = self._checked(scores, times_ms, state)
        if not len(ends):
            return [], state
        times = np.concatenate([state.times_ms, ends])
        values = np.concatenate([state.scores, new])
        before = len(state.times_ms)
        # The average takes the hops after this time, and always the hop itself.
        firsts = np.searchsorted(times, ends - self.config.smoothing_ms, side="right")
        firsts = np.minimum(firsts, np.arange(before, len(times)))
        heard, deaf_until, held = [], state.deaf_until_ms, state.held
        for last, (first, now) in enumerate(zip(firsts, ends, strict=True), before):
            smoothed = values[first : last + 1].mean(axis=0)[self._columns]
            above = smoothed >= self.config.threshold
            held = held & above
            ready = above & ~held
            if now < deaf_until or not ready.any():
                continue
            best = int(np.argmax(np.where(ready, smoothed, -1.0)))
            heard.append(Detection(self.commands[best], float(now), float(smoothed[best])))
            deaf_until = float(now) + self.config.refractory_ms
            held = held | (np.arange(len(held)) == best)
        kept = firsts[-1]  # no later average needs earlier hops
        return heard, DetectorState(values[kept:], times[kept:], deaf_until, held)

    def _checked(
        self, scores: npt.ArrayLike, times_ms: npt.ArrayLike, state: DetectorState
    ) -> tuple[Floats, Floats]:
        values, times = np.asarray(scores, np.float64), np.asarray(times_ms, np.float64)
        if not times.size and not values.size:
            return np.zeros([0, len(self.labels)]), np.zeros(0)
        if times.ndim != 1 or values.shape != (len(times), len(self.labels)):
            raise DataError(
                f"detection needs scores[hops, {len(self.labels)}] and times[hops], "
                f"not shapes {values.shape} and {times.shape}"
            )
        if not (np.isfinite(values).all() and np.isfinite(times).all()):
            raise DataError("detection needs scores and times that are finite")
        if (np.diff(np.concatenate([state.times_ms[-1:], times])) <= 0).any():
            raise DataError("the times of a stream must rise, also from chunk to chunk")
        return values, times
