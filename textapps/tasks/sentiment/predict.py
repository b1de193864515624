"""The answers that `textapps sentiment predict` prints."""

from collections.abc import Iterable, Iterator, Mapping

from textapps.tasks.rows import Row, chunks
from textapps.tasks.sentiment.predictor import SentimentClassifier

CHUNK = 1024  # texts that are held in memory at a time


def rows(
    classifier: SentimentClassifier, texts: Iterable[str], options: Mapping[str, object]
) -> Iterator[Row]:
    """Label and probability of each text, in order."""
    for chunk in chunks(enumerate(texts), CHUNK):
        answers = classifier.predict([text for _, text in chunk])
        for (index, text), answer in zip(chunk, answers, strict=True):
            yield Row(
                {"index": index, "input": text, **answer._asdict()},
                f"{answer.label}\t{answer.probability:.4f}",
            )
