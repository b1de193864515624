"""What can be seen inside a classifier of texts."""

from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf

from textapps.core.counted import counted
from textapps.core.errors import DataError, RunError
from textapps.core.tokens import FIRST, PAD
from textapps.datasets.texts.loader import load_texts
from textapps.interpret.request import Request
from textapps.interpret.section import Section, Seen
from textapps.tasks.predictor import utf8
from textapps.tasks.sentiment.model import SentimentModel
from textapps.tasks.sentiment.predictor import SentimentClassifier
from textapps.tasks.sentiment.why import why_sections

TEXTS = 32  # of the validation split
SHORTEST = 3  # characters


def inspect(classifier: SentimentClassifier, request: Request) -> Seen:
    """The sections on some texts.

    Raises:
        DataError: a text has fewer than three characters, or there is none and the validation data
            cannot be read.
    """
    texts, looked_at = _texts_of(classifier, request)
    return Seen(looked_at, _sections(classifier, texts, request))


def _texts_of(classifier: SentimentClassifier, request: Request) -> tuple[Sequence[str], str]:
    """The texts to look at, and what they are."""
    if request.inputs:
        for text in request.inputs:
            if len(text.strip()) < SHORTEST:
                raise DataError(
                    f"{text!r} has fewer than {SHORTEST} characters: give a longer text"
                )
        return request.inputs, counted(len(request.inputs), "text")
    config = classifier.config
    split = load_texts(config.data, ("validation",), classifier.labels)[0]
    texts = sorted(split.texts, key=len)[-4 * TEXTS :: 4]  # long ones, but not only the longest
    return texts[::-1], f"{counted(len(texts), 'text')} of the validation split of {split.name}"


def _sections(
    classifier: SentimentClassifier, texts: Sequence[str], request: Request
) -> Iterator[Section]:
    # Imported here because the plotting library is slow to import.
    from textapps.interpret.sections.around import Read, around

    model, ids = classifier.model, _ids(classifier, texts)

    def read_by(model: SentimentModel) -> Any:
        mask = ids != PAD
        x, mask, _ = model.stem(model.embedding(ids), mask=mask)
        lengths = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)
        return Read(x, lengths.numpy())

    first = None
    try:
        before, begun = request.initial()
        first = (before.backbone, read_by(before))
    except RunError as error:
        begun = f"the first weights cannot be had: {error}"
    read = read_by(model)
    pieces = _pieces(classifier, ids[0].numpy())
    unit = "token" if classifier.config.model.stride == 1 else "position"
    yield from why_sections(classifier, texts)
    yield from around(model.backbone, read, pieces, unit=unit, first=first, begun=begun)


def _ids(classifier: SentimentClassifier, texts: Sequence[str]) -> Any:
    """int32[texts, time], padded with 0."""
    ids = classifier.preprocessor(tf.constant([utf8(text) for text in texts]))["ids"]
    if not int(tf.reduce_sum(tf.cast(ids[0] != PAD, tf.int32))):
        raise DataError(f"{texts[0]!r} has no token that the model reads: give another text")
    return ids


def _pieces(classifier: SentimentClassifier, ids: Any) -> list[str]:
    """What each position of the backbone stands for: the token it is at, and those up to the next.

    Args:
        ids: int32[time].
    """
    tokens = classifier.preprocessor.tokenizer.vocabulary.tokens
    names = [tokens[i - FIRST] if i >= FIRST else "?" for i in ids[ids != PAD]]
    stride = classifier.config.model.stride
    return [" ".join(names[start : start + stride]) for start in range(0, len(names), stride)]
