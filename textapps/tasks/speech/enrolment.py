"""The recordings from which a recogniser learns a new word."""

import hashlib
import io
import logging
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.core.counted import counted
from textapps.core.errors import DataError
from textapps.datasets.clips.config import SILENCE
from textapps.tasks.speech.config import SpeechConfig
from textapps.tasks.speech.data import resampled
from textapps.tasks.speech.predictor import SpeechRecognizer
from textapps.tasks.speech.recordings import Recording, read_whole
from textapps.tasks.speech.versions import Versions

LOGGER = logging.getLogger("textapps")
FEWEST, ENOUGH = 3, 5  # recordings of a word: what is needed, and from where on there are enough
_QUIET = 1e-3  # the largest sample of a recording that is silence to any model: -60 dB


class Enrolment(NamedTuple):
    """Recordings of one word.

    places: their names in messages
    waveforms: float32[recordings, samples of a clip], the loudest stretch of each
    rate_hz: their sample rate, that of the model
    """

    places: tuple[str, ...]
    waveforms: NDArray[np.float32]
    rate_hz: int

    @property
    def files(self) -> list[bytes]:
        """Each as a WAV file of 16-bit samples."""
        import soundfile

        written = []
        for waveform in self.waveforms:
            file = io.BytesIO()
            soundfile.write(file, waveform, self.rate_hz, subtype="PCM_16", format="WAV")
            written.append(file.getvalue())
        return written

    def versions(self, config: SpeechConfig) -> NDArray[np.float32]:
        """Each as it is and as training would vary it: float32[recordings, `VERSIONS`, samples]."""
        count = len(self.waveforms)
        made = Versions(config, count)(tf.constant(self.waveforms), tf.range(count))
        return np.asarray(made)


def read_enrolment(
    recognizer: SpeechRecognizer, word: str, recordings: Sequence[Recording]
) -> Enrolment:
    """Reads recordings of a word; a warning says which have a lower sample rate than the model.

    Raises:
        DataError: there are too few, one is bad, silent or the same as another.
    """
    if len(recordings) < FEWEST:
        raise DataError(
            f"{counted(len(recordings), 'recording')} of '{word}': give {ENOUGH} to 10, best of "
            f"several voices ({FEWEST} at least)"
        )
    audio = recognizer.config.preprocessor
    places = tuple(_place(each, number) for number, each in enumerate(recordings, 1))
    clips = np.zeros((len(recordings), audio.clip_samples), np.float32)
    seen: dict[str, str] = {}
    narrow: list[str] = []
    for place, recording, clip in zip(places, recordings, clips, strict=True):
        sound = read_whole(recording, audio.sample_rate, place)
        if sound.rate_hz < audio.sample_rate:
            narrow.append(f"{place} ({sound.rate_hz:,} Hz)")
        waveform = resampled(sound.waveform, sound.rate_hz, audio.sample_rate)
        if np.abs(waveform).max() < _QUIET:
            raise DataError(f"{place}: silence, where '{word}' should be said: record it again")
        digest = hashlib.sha256(sound.waveform.tobytes()).hexdigest()
        if digest in seen:
            raise DataError(f"{place}: the same recording as {seen[digest]}: give different ones")
        seen[digest] = place
        stretch = recognizer.answers.loudest(waveform)
        clip[: len(stretch)] = stretch
    if len(recordings) < ENOUGH:
        count = counted(len(recordings), "recording")
        LOGGER.warning(
            "only %s of '%s': with %d to 10 it is recognised better", count, word, ENOUGH
        )
    if narrow:
        LOGGER.warning(
            "%s: a lower sample rate than that of the model, %s Hz, so high frequencies are "
            "missing; '%s' is recognised best in recordings like these",
            ", ".join(narrow),
            f"{audio.sample_rate:,}",
            word,
        )
    _refuse_silence(recognizer, word, places, clips)
    return Enrolment(places, clips, audio.sample_rate)


def _refuse_silence(
    recognizer: SpeechRecognizer, word: str, places: Sequence[str], clips: NDArray[np.float32]
) -> None:
    """DataError if the model hears no word in a clip."""
    for place, answer in zip(places, recognizer.predict(list(clips)), strict=True):
        if answer.label == SILENCE and answer.probability >= 0.5:
            raise DataError(
                f"{place}: no word is heard in it (silence, {100 * answer.probability:.0f} %), "
                f"where '{word}' should be said: record it again, nearer or louder"
            )


def _place(recording: Recording, number: int) -> str:
    return f"recording {number}" if isinstance(recording, bytes | np.ndarray) else str(recording)
