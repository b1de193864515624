"""The answers that `textapps sentiment predict` prints."""

from collections.abc import Iterable, Iterator, Mapping

from textapps.core.counted import counted
from textapps.core.notices import notice
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
    abstain_below: float | None = None,
) -> Iterator[Row]:
    """Label and probability of each text, in order.

    Args:
        skip_bad: as in `readable`.
        top_k: as in `named_fields`.
        abstain_below: the probability of a label below which none is given; a notice in the end
            counts these texts.
    """
    abstained = total = 0
    with classifier.long_texts.said():
        for chunk in chunks(readable(texts, skip_bad=skip_bad), CHUNK):
            answers = classifier.predict([asked.text for _, asked in chunk])
            for (index, asked), answer in zip(chunk, answers, strict=True):
                fields = named_fields(answer, classifier.labels, top_k)
                label, total = answer.label, total + 1
                if abstain_below is not None and answer.probability < abstain_below:
                    fields["label"], label = None, "-"
                    abstained += 1
                yield Row(fields_of(index, asked, fields), f"{label}\t{answer.probability:.4f}")
    if abstain_below is not None:
        notice("no label for %s of %s", f"{abstained:,}", counted(total, "text"))
