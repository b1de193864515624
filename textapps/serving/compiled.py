"""Signatures with a form that XLA compiles."""

import logging
import time
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from pydantic import ValidationError

from textapps.core.errors import TextappsError
from textapps.core.notices import notice
from textapps.savedmodel.errors import BadInput
from textapps.savedmodel.manifest import CompiledForm
from textapps.savedmodel.signature import Arrays, Signature
from textapps.serving.warmup import blank

_log = logging.getLogger("textapps")


class CompiledCalls:
    """Calls the compiled form of a signature, `compiled_name`, once it is compiled.

    XLA compiles it for a number of rows. A call of fewer rows is filled up with copies of its last
    one; a call of more takes the signature as it is.
    """

    def __init__(
        self,
        signature: Signature,
        compiled: Signature,
        rows: Iterable[int],
        options: Mapping[str, Any],
    ) -> None:
        """Compile nothing yet. `rows` and `options` are what the manifest says."""
        self.compiled_name = compiled.name
        self._signature = signature
        self._compiled = compiled
        self._rows = sorted(rows)
        self._options = options
        self._ready: tuple[int, ...] = ()

    def compile(self) -> None:
        """Compile it for each number of rows, which takes seconds; until then calls do without.

        Raises BadInput or ModelFailed where it cannot be compiled.
        """
        inputs = {name: self._made_up(name) for name in self._compiled.inputs}
        for rows in self._rows:
            self._compiled.call(_filled(inputs, rows))
            self._ready = (*self._ready, rows)

    def call(self, inputs: Arrays) -> dict[str, np.ndarray]:
        """The outputs for checked inputs; the errors are those of `Signature.call`."""
        given = len(next(iter(inputs.values())))
        rows = next((rows for rows in self._ready if rows >= given > 0), None)
        if rows is None:
            return self._signature.call(inputs)
        try:
            outputs = self._compiled.call(_filled(inputs, rows))
        except BadInput:
            if rows == given:
                raise
            return self._signature.call(inputs)  # too large perhaps, but only with more rows
        return {name: array[:given] for name, array in outputs.items()}

    def _made_up(self, name: str) -> np.ndarray:
        """One row of an input: an option as if it were not there, a text and a state of nothing."""
        array = blank(self._compiled.inputs[name])
        option = _mapping(self._options.get(name))
        if option:
            array[:] = option.get("off", option.get("minimum", 0))
        return array


def compiled_calls(
    manifest: Mapping[str, Any], signatures: Mapping[str, Signature]
) -> dict[str, CompiledCalls]:
    """Of signatures with a compiled form, and of these forms, how they are called.

    What else the manifest of a foreign model calls `compiled` is passed over.
    """
    forms, options = (_mapping(manifest.get(key)) for key in ("compiled", "options"))
    calls: dict[str, CompiledCalls] = {}
    for name, fields in forms.items():
        try:
            form = CompiledForm.model_validate(fields)
            called = CompiledCalls(signatures[name], signatures[form.signature], form.rows, options)
        except (ValidationError, KeyError):
            continue
        calls[name] = called
        calls[form.signature] = called  # a client may not have it compiled for any rows
    return calls


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def compile_all(calls: Iterable[CompiledCalls], model: str) -> None:
    """Compile what can be compiled on this machine, and log it; `model` is its name and version."""
    start, distinct = time.perf_counter(), list(dict.fromkeys(calls))
    try:
        for each in distinct:
            each.compile()
    except TextappsError as error:
        _log.warning("%s: served without its compiled signatures: %s", model, error)
    else:
        names = ", ".join(call.compiled_name for call in distinct)
        seconds = time.perf_counter() - start
        notice("%s: %s compiled after %.1f s and used from now on", model, names, seconds)


def _filled(inputs: Arrays, rows: int) -> dict[str, np.ndarray]:
    """The inputs with copies of their last row, if they have fewer rows."""
    return {
        name: np.concatenate([array, np.repeat(array[-1:], rows - len(array), axis=0)])
        for name, array in inputs.items()
    }
