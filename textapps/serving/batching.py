"""How requests share model calls, and TensorFlow Serving's file of batching parameters."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from textapps.core.errors import ConfigurationError, unknown

# The fields of TensorFlow Serving's BatchingParameters that textapps uses, and those it ignores.
_FOLLOWED = ("max_batch_size", "batch_timeout_micros", "max_enqueued_batches")
_IGNORED = (
    "num_batch_threads",
    "thread_pool_name",
    "allowed_batch_sizes",
    "pad_variable_length_inputs",
    "enable_large_batch_splitting",
    "max_execution_batch_size",
)
_FIELD = re.compile(r"\s*(\w+)\s*(?::\s*([^\s{};,]+)|:?\s*\{\s*value\s*:\s*([^\s{};,]+)\s*\})[;,]?")


@dataclass(frozen=True)
class Batching:
    """How requests share model calls, and the limits of queues and calls.

    A shared call has at most `max_batch_size` rows. It begins when the previous call has ended and
    it is full or its oldest request has waited for `batch_timeout_ms`. At most `max_queue` requests
    wait for a signature; a request without an answer after `deadline_ms` fails. A call may need at
    most `max_call_bytes` of memory.

    Requests share calls if `enabled` is true and the rows of the model are independent: its
    manifest says so, it is one of `models`, or `all_models` is true.
    """

    max_batch_size: int = 64
    batch_timeout_ms: float = 0.0
    max_queue: int = 1000
    deadline_ms: float = 30_000.0
    max_call_bytes: int = 2**30
    enabled: bool = True
    models: frozenset[str] = frozenset()
    all_models: bool = False

    def shares(self, model: str, manifest: Mapping[str, Any]) -> bool:
        """Whether requests to a model share calls.

        The rows of every export of textapps are independent; older manifests do not say so.
        """
        independent = bool(manifest) and manifest.get("rows_independent", True) is True
        return self.enabled and (independent or self.all_models or model in self.models)


def read_batching(text: str, name: str) -> tuple[dict[str, Any], list[str]]:
    """Reads a file for TensorFlow Serving's --batching_parameters_file, which covers all models.

    Args:
        text: the content of the file.
        name: the name of the file, for errors.

    Returns:
        Values by the names of `Settings`, and the keys that are ignored.

    Raises:
        ConfigurationError: a syntax error, an unknown key or a value out of range.

    >>> read_batching("max_batch_size { value: 8 } num_batch_threads: 4", "f")
    ({'batch_all': True, 'max_batch_size': 8}, ['num_batch_threads'])
    """
    given: dict[str, int] = {}
    ignored: dict[str, None] = {}
    text = re.sub(r"#[^\n]*", "", text).rstrip()
    place = 0
    while place < len(text):
        field = _FIELD.match(text, place)
        if field is None:
            raise ConfigurationError(
                f"{name} should hold keys like 'max_batch_size {{ value: 64 }}', not "
                f"'{' '.join(text[place:].split())[:40]}'"
            )
        place = field.end()
        key, value = field[1], field[2] or field[3]
        if key in _IGNORED:
            ignored[key] = None
        elif key in _FOLLOWED:
            least = 0 if key == "batch_timeout_micros" else 1
            if not (value.isascii() and value.isdigit() and int(value) >= least):
                raise ConfigurationError(
                    f"{name}: {key} should be a whole number from {least} up, not '{value}'"
                )
            given[key] = int(value)
        else:
            raise ConfigurationError(f"{name}: {unknown('key', key, (*_FOLLOWED, *_IGNORED))}")
    settings: dict[str, Any] = {"batch_all": True}
    if "max_batch_size" in given:
        settings["max_batch_size"] = given["max_batch_size"]
    if "batch_timeout_micros" in given:
        settings["batch_timeout_ms"] = given["batch_timeout_micros"] / 1000
    if "max_enqueued_batches" in given:
        rows = given.get("max_batch_size", Batching.max_batch_size)
        settings["max_queue"] = given["max_enqueued_batches"] * rows
    return settings, list(ignored)
