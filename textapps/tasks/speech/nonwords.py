"""The words that nobody says in each pass of training."""

import numpy as np
from numpy.typing import NDArray

from textapps.core.errors import ConfigurationError
from textapps.datasets.clips.config import SILENCE, UNKNOWN
from textapps.datasets.clips.examples import Clips
from textapps.datasets.clips.nonwords import WAYS, nonword
from textapps.datasets.clips.recording import from_pcm, to_pcm


class NonWords:
    """Clips made from those of commands, and labelled `unknown`.

    Each is a function of the random seed, the pass and its number.

    Args:
        clips: of the training split.
        seed: the random seed of the run.
        share: how many, by the number of clips of commands.

    Raises:
        ConfigurationError: there shall be some, but there is no class `unknown` or one command.
    """

    def __init__(self, clips: Clips, seed: int, share: float) -> None:
        names = clips.names
        commands = [label for label, name in enumerate(names) if name not in (UNKNOWN, SILENCE)]
        self.clips = clips
        self.seed = seed
        self.label = names.index(UNKNOWN) if UNKNOWN in names else 0
        self._rows = np.flatnonzero(np.isin(clips.labels, commands))
        several = len(np.unique(clips.labels[self._rows])) > 1
        if share and not (several and UNKNOWN in names):
            raise ConfigurationError(
                "--nonwords needs the class unknown and two commands: give --commands"
            )
        self._count = round(share * len(self._rows))

    def __len__(self) -> int:
        return self._count

    def pcm(self, pass_index: int, number: int) -> NDArray[np.int16]:
        """int16[samples]: one of the clips of a pass."""
        # Raw draws of PCG64, whose stream NumPy never changes (NEP 19).
        draws = np.random.PCG64(np.random.SeedSequence((self.seed, pass_index, number)))
        way, first, second, speed = draws.random_raw(4) / 2.0**64
        row = self._rows[int(first * len(self._rows))]
        others = self._rows[self.clips.labels[self._rows] != self.clips.labels[row]]
        other = others[int(second * len(others))]
        one, two = from_pcm(self.clips.audio.pcm(np.array([row, other])))
        return to_pcm(nonword(WAYS[int(way * len(WAYS))], one, two, speed, self.clips.rate_hz))
