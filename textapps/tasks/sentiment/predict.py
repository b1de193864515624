"""The answers that `textapps sentiment predict` prints."""

from collections.abc import Iterable, Iterator, Mapping

from textapps.tasks.classification import named_fields
from textapps.tasks.rows import Asked, Row, chunks, fields_of, readable
from textapps.tasks.sentiment.predictor import SentimentClassifier

CHUNK = 1024  # texts that are held in memory at a time


def rows(
    classifier: SentimentClassifier,
    texts: Iterable[Asked],
    options: Mapping[str, object],
    skip_bad: bool = False,
    top_k: int | None = None,
) -> Iterator[Row]:
    """Label and probability of each text, in order.

    Args:
        skip_bad: as in `readable`.
        top_k: as in `named_fields`.
    """
    with classifier.long_texts.said():
        for chunk in chunks(readable(texts, skip_bad=skip_bad), CHUNK):
            answers = classifier.predict([asked.text for _, asked in chunk])
            for (index, asked), answer in zip(chunk, answers, strict=True):
                yield Row(
                    fields_of(index, asked, named_fields(answer, classifier.labels, top_k)),
                    f"{answer.label}\t{answer.probability:.4f}",
                )
