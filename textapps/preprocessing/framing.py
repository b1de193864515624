"""Cuts a waveform into windows, as a whole or in chunks."""

from typing import Any

import tensorflow as tf

State = dict[str, Any]


class Framer:
    """Windows of `window` samples that begin every `hop` samples, the first at the first sample.

    There is no padding at the ends: a window is complete with its last sample, so chunks give the
    same windows as the whole waveform. The state holds the samples that later windows need,
    aligned to the right with zeros before them, and their number:

        samples  float32[batch, window - 1]
        count    int32[batch]

    Args:
        window, hop: in samples; hop at most window.

    >>> framer = Framer(window=4, hop=2)
    >>> framer.frames(tf.constant([[1.0, 2, 3, 4, 5, 6, 7]])).numpy().tolist()
    [[[1.0, 2.0, 3.0, 4.0], [3.0, 4.0, 5.0, 6.0]]]
    """

    def __init__(self, window: int, hop: int) -> None:
        self.window = window
        self.hop = hop

    def frames(self, waveform: Any) -> Any:
        """float32[batch, samples] → float32[batch, time, window]."""
        return tf.signal.frame(waveform, self.window, self.hop)

    def initial_state(self, batch: Any) -> State:
        """The state before the first sample of `batch` waveforms: zeros."""
        return {
            "samples": tf.zeros([batch, self.window - 1]),
            "count": tf.zeros([batch], tf.int32),
        }

    def next_frames(
        self, waveform: Any, state: State | None = None, samples: Any = None
    ) -> tuple[Any, Any, State]:
        """The windows that a chunk completes.

        Args:
            waveform: float32[batch, chunk], the next samples.
            state: None at the start.
            samples: int32[batch], the valid samples of each row; None: all.

        Returns:
            float32[batch, time, window]; bool[batch, time], a mask of the valid ones, which are
            on the left; the new state.
        """
        rows, chunk = tf.unstack(tf.shape(waveform))
        state = state or self.initial_state(rows)
        samples = tf.fill([rows], chunk) if samples is None else tf.cast(samples, tf.int32)
        past = self.window - 1
        known = tf.concat([state["samples"], waveform], axis=1)
        total = state["count"] + samples
        done = tf.maximum((total - self.window) // self.hop + 1, 0)
        frames = self.frames(_from(known, past - state["count"], past + chunk))
        time = tf.shape(frames)[1]
        count = total - done * self.hop
        kept = _from(known, samples, past)  # up to the last valid sample
        kept = tf.where(tf.range(past)[None] >= past - count[:, None], kept, 0)
        mask = tf.range(time)[None] < done[:, None]
        return frames, mask, {"samples": kept, "count": count}


def _from(x: Any, first: Any, size: Any) -> Any:
    """`size` samples of each row from int32[batch] on; beyond the end, the last one repeats."""
    places = first[:, None] + tf.range(size)[None]
    return tf.gather(x, tf.minimum(places, tf.shape(x)[1] - 1), batch_dims=1)
