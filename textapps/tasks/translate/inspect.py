"""What can be seen inside a model of translate."""

from collections.abc import Iterator

from textapps.interpret.request import Request
from textapps.interpret.section import Section, Seen
from textapps.tasks.translate.predictor import Translator


def inspect(predictor: Translator, request: Request) -> Seen:
    """The sections on some inputs."""
    return Seen("", tuple(_sections(predictor, request)))


def _sections(predictor: Translator, request: Request) -> Iterator[Section]:
    yield from ()
