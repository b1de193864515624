"""The log of requests that failed in the model or in the server."""

import logging
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from textapps.serving.errors import EXPECTED
from textapps.serving.exchange import Scope

_HIDDEN = "<input>"
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])")
_WORD = re.compile(r"\w{3,}")  # shorter words reveal nothing
# Inputs are removed from messages; if a request has more than this, its messages are not logged.
_MOST_VALUES = 10_000
_MOST_CHARACTERS = 100_000
_MOST_SHOWN = 2_000  # characters logged of each input

_log = logging.getLogger("textapps")


class Failures:
    """Logs failures with traceback, request id, model and version; inputs only if asked to."""

    def __init__(self, log_inputs: bool) -> None:
        self._log_inputs = log_inputs

    def write(self, scope: Scope, error: Exception) -> None:
        """Log an error, unless it is one of `EXPECTED`."""
        if isinstance(error, EXPECTED):
            return
        model, version = scope["served"]
        where = f" to model '{model}' version {version}" if model else ""
        inputs = scope.get("inputs", {})
        hide = _no_change if self._log_inputs else _hider(inputs)
        text = f"request {scope['request_id']}{where} failed\n{_traceback(error, hide)}"
        if self._log_inputs:
            text += "".join(f"\ninput '{name}': {_show(value)}" for name, value in inputs.items())
        _log.error("%s", text)


def _traceback(error: BaseException | None, hide: Callable[[str], str]) -> str:
    """The traceback of an error and its causes, the first cause first."""
    parts: list[str] = []
    while error is not None:
        frames = "".join(traceback.format_tb(error.__traceback__))
        message = "".join(traceback.format_exception_only(error))
        kind, _, said = message.partition(":")
        parts.insert(0, f"{frames}{kind}:{hide(said)}" if said else frames + message)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\nand then:\n".join(part.rstrip() for part in parts)


def _hider(inputs: Mapping[str, Any]) -> Callable[[str], str]:
    """A function that removes the inputs of a request from a message."""
    values = [item for value in inputs.values() for item in _items(value)]
    texts = [value for value in values if isinstance(value, str)]
    if len(values) > _MOST_VALUES or sum(map(len, texts)) > _MOST_CHARACTERS:
        return lambda message: " (message withheld: the request is too large to be removed from it)"
    words = {word for text in texts for word in _WORD.findall(text)}
    numbers = {float(value) for value in values if not isinstance(value, str)}

    def hide(message: str) -> str:
        message = _WORD.sub(lambda found: _HIDDEN if found[0] in words else found[0], message)
        return _NUMBER.sub(lambda n: _HIDDEN if float(n[0]) in numbers else n[0], message)

    return hide


def _items(value: Any) -> Iterator[str | float]:
    """The texts and numbers of an input, up to one more than the limit."""
    flat = value.ravel()[: _MOST_VALUES + 1].tolist() if isinstance(value, np.ndarray) else [value]
    for item in flat:
        if isinstance(item, bytes):
            yield item.decode(errors="replace")
        elif isinstance(item, str | int | float):
            yield item


def _no_change(message: str) -> str:
    return message


def _show(value: Any) -> str:
    shown = value.tolist() if isinstance(value, np.ndarray) else value
    text = repr(shown)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
