"""What can be seen inside a model of sentiment."""

from collections.abc import Iterator

from textapps.interpret.request import Request
from textapps.interpret.section import Section, Seen
from textapps.tasks.sentiment.predictor import SentimentClassifier


def inspect(predictor: SentimentClassifier, request: Request) -> Seen:
    """The sections on some inputs."""
    return Seen("", tuple(_sections(predictor, request)))


def _sections(predictor: SentimentClassifier, request: Request) -> Iterator[Section]:
    yield from ()
