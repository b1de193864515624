"""Batches of clips to train and validate on."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from textapps.datasets.clips.config import SILENCE, UNKNOWN
from textapps.datasets.clips.examples import Clips
from textapps.preprocessing.augmentation import clip_seeds
from textapps.tasks.speech.nonwords import NonWords
from textapps.training.batches import Batch
from textapps.training.class_balance import oversampled
from textapps.training.plan import LengthGroupedPlan, Plan, SequentialPlan, shard


class ClipBatchSource:
    """Clips of one length as 16-bit samples, with seeds for their augmentation.

    The clips of a pass, their order and their seeds are functions of the random seed, the pass and
    the step.

    Args:
        clips: of one split.
        batch_size: rows of a batch.
        seed: None for every clip once and in order, as for validation.
        worker, workers: this process and the number of processes, for data-parallel training.
        repeat: how often a clip of a rare command is used in a pass, at most.
        repeat_unknown: how often each clip of an unknown word is used in a pass.
        nonwords: how many clips a pass makes of words that nobody says, by the number of clips of
            commands; none if there is no class `unknown` or only one command.
    """

    def __init__(
        self,
        clips: Clips,
        batch_size: int,
        seed: int | None,
        worker: int = 0,
        workers: int = 1,
        *,
        repeat: int = 1,
        repeat_unknown: int = 1,
        nonwords: float = 0.0,
    ) -> None:
        self.clips = clips
        self.seed = seed
        self.worker = worker
        self.workers = workers
        self.repeat = repeat
        self.repeat_unknown = repeat_unknown
        self.nonwords = NonWords(clips, seed or 0, nonwords)
        self.plan: Plan
        if seed is None:
            self.plan = SequentialPlan(np.zeros(len(clips)), batch_size)
        else:
            self.plan = LengthGroupedPlan(np.zeros(len(self.of_pass(0))), batch_size, seed)

    @property
    def steps_per_pass(self) -> int:
        """Steps in one pass over the clips."""
        return self.plan.steps_per_pass

    def batch(self, pass_index: int, step: int) -> Batch:
        """({"pcm": int16[batch, samples], "seeds": int64[batch]}, labels, weights)."""
        planned = self.plan.indices(pass_index, step)
        places, weights = shard(planned, self.worker, self.workers)
        rows = places if self.seed is None else self.of_pass(pass_index)[places]
        seeds = clip_seeds(self.seed or 0, pass_index, places).numpy()
        made = rows >= len(self.clips)
        pcm = self.clips.audio.pcm(np.where(made, 0, rows))
        labels = self.clips.labels[np.where(made, 0, rows)]
        for row in np.flatnonzero(made):
            pcm[row] = self.nonwords.pcm(pass_index, int(rows[row]) - len(self.clips))
            labels[row] = self.nonwords.label
        return {"pcm": pcm, "seeds": seeds}, labels, weights

    def of_pass(self, pass_index: int) -> NDArray[np.int64]:
        """The clips of a training pass, as many in every pass: int64[clips of the pass].

        Numbers from `len(clips)` on are words that nobody says.

        Clips of a command that has fewer of them than another are repeated: the model would
        predict a rare class too seldom.
        """
        drawn = self.clips.drawn(pass_index)
        labels, names = self.clips.labels[drawn], self.clips.names
        commands = [label for label, name in enumerate(names) if name not in (UNKNOWN, SILENCE)]
        parts = [drawn, drawn[oversampled(labels, commands, self.repeat, pass_index)]]
        if UNKNOWN in names:
            unknown = drawn[labels == names.index(UNKNOWN)]
            parts += [unknown] * (self.repeat_unknown - 1)
        parts.append(len(self.clips) + np.arange(len(self.nonwords)))
        return np.concatenate(parts)

    @property
    def labels_of_pass(self) -> NDArray[np.int32]:
        """int32[clips of a pass]; every pass has as many of each class."""
        rows = self.of_pass(0)
        made = rows >= len(self.clips)
        labels = self.clips.labels[np.where(made, 0, rows)]
        return np.where(made, self.nonwords.label, labels).astype(np.int32)

    @property
    def signature(self) -> Any:
        """The `tf.TensorSpec`s of a batch; imports TensorFlow."""
        import tensorflow as tf

        samples = len(self.clips.audio.pcm(np.arange(1))[0])
        return (
            {
                "pcm": tf.TensorSpec((None, samples), tf.int16),
                "seeds": tf.TensorSpec((None,), tf.int64),
            },
            tf.TensorSpec((None,), tf.int32),
            tf.TensorSpec((None,), tf.float32),
        )
