"""Whether a new word is learned from clips by which it is judged later."""

import logging
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from textapps.core.errors import DataError
from textapps.core.notices import muted
from textapps.datasets.clips.audio import ClipAudio
from textapps.datasets.clips.config import SILENCE, UNKNOWN
from textapps.datasets.clips.loader import ClipLoader
from textapps.datasets.clips.recording import to_pcm
from textapps.tasks.speech.config import SpeechConfig
from textapps.tasks.speech.data import shape_of

LOGGER = logging.getLogger("textapps")
SPLITS = ("validation", "test")


def warn_of_tested(
    config: SpeechConfig, labels: Sequence[str], word: str, waveforms: NDArray[np.float32]
) -> None:
    """Warns of recordings of a word whose samples are those of a clip of it in another split.

    Data that cannot be read give no warning.

    Args:
        config: of the recogniser that learns the word.
        labels: with the word.
        waveforms: float32[recordings, samples of a clip].
    """
    sounds = [pcm.tobytes() for pcm in to_pcm(waveforms)]
    for split, known in _said(config, labels, word):
        count = sum(sound in known for sound in sounds)
        if count:
            LOGGER.warning(
                "the %s split has %d of the %d recordings of '%s': its figures there are too good; "
                "give others",
                split,
                count,
                len(sounds),
                word,
            )


def _said(
    config: SpeechConfig, labels: Sequence[str], word: str
) -> Iterator[tuple[str, set[bytes]]]:
    """Each split, with the samples of the clips in which the word is said."""
    commands = tuple(label for label in labels if label not in (UNKNOWN, SILENCE))
    data = config.data.model_copy(update={"commands": commands})
    loader = ClipLoader(data, labels)
    for split in SPLITS:
        try:
            with muted():
                _, recordings = loader.recordings(split)
        except DataError:
            continue
        audio, _ = ClipAudio.decode(
            [one for one in recordings if one.word == word],
            shape_of(config),
            memory_bytes=data.memory_mb * 1_000_000,
            report=lambda defect: None,  # `own_negatives` tells of bad files
        )
        yield split, {pcm.tobytes() for pcm in audio.pcm(np.arange(len(audio)))}
