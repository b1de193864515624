"""The answers that `textapps speech predict` prints."""

import logging
import sys
from collections.abc import Iterable, Iterator, Mapping

from textapps.core.counted import counted
from textapps.tasks.classification import named_fields
from textapps.tasks.rows import Asked, Row, chunks, fields_of
from textapps.tasks.speech.predictor import SpeechRecognizer
from textapps.tasks.speech.recordings import read_all

LOGGER = logging.getLogger("textapps")
CHUNK = 256  # recordings that are held in memory at a time
SHOWN = 3  # bad ones that are named


def rows(
    recognizer: SpeechRecognizer,
    paths: Iterable[Asked],
    options: Mapping[str, object],
    skip_bad: bool = False,
    top_k: int | None = None,
) -> Iterator[Row]:
    """Label, probability and path of each recording, in order.

    Args:
        paths: files and folders; "-" is one recording on standard input.
        skip_bad: leave out what cannot be read, and warn of it in the end.
        top_k: as in `named_fields`.

    Raises:
        DataError: a recording cannot be read.
    """
    skipped: list[str] = []
    rate_hz = recognizer.config.preprocessor.sample_rate
    sounds = read_all(paths, rate_hz, sys.stdin.buffer, skipped if skip_bad else None)
    for chunk in chunks(enumerate(sounds), CHUNK):
        good = [(index, asked, sound) for index, (asked, sound) in chunk if sound is not None]
        answers = recognizer.predict([sound for _, _, sound in good])
        for (index, asked, _), answer in zip(good, answers, strict=True):
            yield Row(
                fields_of(index, asked, named_fields(answer, recognizer.labels, top_k)),
                f"{answer.label}\t{answer.probability:.4f}\t{asked.text}",
            )
    if skipped:
        more = f"; … and {len(skipped) - SHOWN:,} more" if len(skipped) > SHOWN else ""
        count = counted(len(skipped), "bad recording")
        LOGGER.warning("%s skipped: %s%s", count, "; ".join(skipped[:SHOWN]), more)
