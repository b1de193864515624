"""The signatures of an export with which the page of a server learns words, as `add_word` does."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from textapps.core.errors import DataError
from textapps.datasets.clips.config import UNKNOWN
from textapps.exporting.archive import ENROL, Endpoint
from textapps.exporting.steady import steady_case
from textapps.exporting.verification import Case
from textapps.preprocessing.recordings import read_recordings
from textapps.savedmodel.limits import CallLimits
from textapps.tasks.speech.negatives import SPLITS, Negatives, read_negatives
from textapps.tasks.speech.predictor import SpeechRecognizer
from textapps.tasks.speech.versions import VERSIONS, Versions

LOGGER = logging.getLogger("textapps")
EMBED, NEGATIVES = "embed", "negatives"
RECORDINGS = 10  # of a word; each is varied in ways of its own


class WordSignatures:
    """What `add_word` computes of recordings and of other clips, in the graph.

    Logits are those of the labels, that of `unknown` raised by the margin of the run.
    """

    def __init__(self, recognizer: SpeechRecognizer, negatives: Negatives) -> None:
        self._answers = recognizer.answers
        self._versions = Versions(recognizer.config, RECORDINGS)
        self._embeddings = np.concatenate([each.embeddings for each in negatives])
        self._kinds = np.concatenate([each.kinds for each in negatives])
        self._words = np.concatenate([each.words for each in negatives])
        self._splits = np.repeat(SPLITS, [len(each) for each in negatives])

    def embed(self, audio_bytes: Any) -> dict[str, Any]:
        """string[batch], as `serving_default` takes them →

        embedding float32[batch, pooled], what the last layer reads; logits float32[batch, labels];
        error string[batch]. A row with an error has zeros.
        """
        clip, good, error = self._clips(audio_bytes)
        embedding = self._answers.embeddings(clip)
        good = good[:, None]
        return {
            "embedding": tf.where(good, embedding, 0),
            "logits": tf.where(good, self._logits(embedding), 0),
            "error": error,
        }

    def enrol(self, audio_bytes: Any, number: Any) -> dict[str, Any]:
        """The same of the versions of each recording, the first of which is the recording itself.

        int32[batch], which recording of its word each is → embeddings float32[batch, versions,
        pooled], logits float32[batch, versions, labels], error.
        """
        clip, good, error = self._clips(audio_bytes)
        versions = self._versions(clip, number)
        embedding = self._answers.embeddings(tf.reshape(versions, [-1, clip.shape[1]]))
        good = good[:, None, None]

        def by_recording(values: Any) -> Any:
            return tf.where(good, tf.reshape(values, [-1, VERSIONS, values.shape[-1]]), 0)

        return {
            "embeddings": by_recording(embedding),
            "logits": by_recording(self._logits(embedding)),
            "error": error,
        }

    def negatives(self, number: Any) -> dict[str, Any]:
        """int32[batch] → a clip of the run's data each.

        embedding and logits as of `embed`; kind, word and split string[batch], as `Embedded` has
        them. Numbers that no clip has get zeros and ''.
        """
        there = (number >= 0) & (number < len(self._embeddings))
        place = tf.where(there, number, 0)
        embedding = tf.gather(self._embeddings, place)
        texts = {"kind": self._kinds, "word": self._words, "split": self._splits}
        return {
            "embedding": tf.where(there[:, None], embedding, 0),
            "logits": tf.where(there[:, None], self._logits(embedding), 0),
            **{
                name: tf.where(there, tf.gather(tf.constant(values.tolist()), place), "")
                for name, values in texts.items()
            },
        }

    def _clips(self, audio_bytes: Any) -> tuple[Any, Any, Any]:
        """float32[batch, clip], bool[batch] of good ones, string[batch] of errors."""
        answers, audio = self._answers, self._answers.audio
        waveform, samples, error = read_recordings(audio_bytes, audio.sample_rate, answers.loudest)
        good = error == ""
        waveform = tf.clip_by_value(tf.where(good[:, None], waveform, 0), -1.0, 1.0)
        clip, _, _ = answers.stretch(waveform, samples)
        return tf.ensure_shape(clip, [None, audio.clip_samples]), good, error

    def _logits(self, embedding: Any) -> Any:
        return self._answers.rejection(self._answers.model.head(embedding))


def word_endpoints(recognizer: SpeechRecognizer, limits: CallLimits) -> dict[str, Endpoint]:
    """`embed`, `enrol` and `negatives`; none if the recogniser cannot learn words.

    If its data cannot be read, a warning says so.

    Args:
        limits: of a call that recognises recordings.
    """
    if UNKNOWN not in recognizer.labels or recognizer.run.pretrained:
        return {}
    try:
        found = read_negatives(recognizer)
    except DataError as error:
        LOGGER.warning("the web page cannot add words to this export: %s", error)
        return {}
    made = WordSignatures(recognizer, found)
    files = tf.TensorSpec([None], tf.string, "audio_bytes")
    number = tf.TensorSpec([None], tf.int32, "number")
    several = limits.model_copy(update={"row_bytes": VERSIONS * limits.row_bytes})
    row = CallLimits(row_bytes=4 * found[0].embeddings.shape[1] + 1_000)
    return {
        EMBED: Endpoint(made.embed, [files], limits),
        ENROL: Endpoint(made.enrol, [files, number], several),
        NEGATIVES: Endpoint(made.negatives, [number], row),
    }


def word_cases(endpoints: dict[str, Endpoint], files: Sequence[bytes]) -> list[Case]:
    """What the verification asks of them; [] if they are not there.

    Args:
        files: good and bad recordings.
    """
    if ENROL not in endpoints:
        return []
    return [
        steady_case(EMBED, endpoints[EMBED], {"audio_bytes": files}),
        steady_case(
            ENROL,
            endpoints[ENROL],
            {
                "audio_bytes": [files[0], files[-1], files[1]],
                "number": [*np.array([1, 0, RECORDINGS], np.int32)],
            },
        ),
        steady_case(NEGATIVES, endpoints[NEGATIVES], {"number": [*np.array([1, 0, -1], np.int32)]}),
    ]
