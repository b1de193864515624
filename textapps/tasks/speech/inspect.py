"""What can be seen inside a model of speech."""

from collections.abc import Iterator

from textapps.interpret.request import Request
from textapps.interpret.section import Section, Seen
from textapps.tasks.speech.predictor import SpeechRecognizer


def inspect(predictor: SpeechRecognizer, request: Request) -> Seen:
    """The sections on some inputs."""
    return Seen("", tuple(_sections(predictor, request)))


def _sections(predictor: SpeechRecognizer, request: Request) -> Iterator[Section]:
    yield from ()
