"""What is to be inspected, and how closely."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from textapps.core.errors import ConfigurationError

CHARACTERS = 2_000


@dataclass(frozen=True, kw_only=True)
class Request:
    """What `inspect` was asked; every run on a page gets the same.

    inputs: texts, or for speech paths; none for some of the run's validation data.
    properties: properties of text of the user's own: name → what has it.
    characters: how much of a text to look at, from its beginning.
    distance: how many steps back gradients are followed.
    positions: from how many positions of the text.
    lesson: whether to train a network of two units on the text, for its numbers.
    initial: the model with the weights that training began with, and where these came from. Called
        once at most. RunError if the run that it started from is gone.
    """

    inputs: tuple[str, ...] = ()
    properties: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    characters: int = CHARACTERS
    distance: int = 200
    positions: int = 200
    lesson: bool = False
    initial: Callable[[], tuple[Any, str]]


def parse_properties(given: Iterable[str]) -> dict[str, re.Pattern[str]]:
    """The expressions of several NAME=REGEX, by name.

    Raises:
        ConfigurationError: as `parse_property`, or two have the same name.
    """
    found: dict[str, re.Pattern[str]] = {}
    for name, expression in map(parse_property, given):
        if name in found:
            raise ConfigurationError(f"--property {name}: given twice; give each its own name")
        found[name] = expression
    return found


def parse_property(given: str) -> tuple[str, re.Pattern[str]]:
    """The name and the expression of NAME=REGEX.

    >>> parse_property("number=[0-9]+")
    ('number', re.compile('[0-9]+'))

    Raises:
        ConfigurationError: it has another form, or the expression is none.
    """
    name, equals, expression = given.partition("=")
    if not (name.strip() and equals and expression):
        raise ConfigurationError(
            f"--property {given}: give a name and an expression, as in number=[0-9]+"
        )
    try:
        return name.strip(), re.compile(expression)
    except re.error as error:
        raise ConfigurationError(f"--property {given}: not a regular expression: {error}") from None
