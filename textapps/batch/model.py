"""Calls the default signature of an exported SavedModel for windows of rows."""

import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from textapps.batch.rows import PATH, Row
from textapps.batch.windows import Window
from textapps.core.errors import ConfigurationError, ExportError, TextappsError
from textapps.core.memory import return_freed_memory
from textapps.datasets.inputs import columns_beside
from textapps.savedmodel.errors import BadInput, ModelFailed, explain
from textapps.savedmodel.loading import import_tensorflow, load_saved_model
from textapps.savedmodel.signature import Signature
from textapps.savedmodel.tensors import shortest

DEFAULT = "serving_default"
LENGTH = "length"  # tells of texts that are too long; earlier exports lack it
# Rows times the longest of them: memory grows with it. A second of speech has 32,000 bytes.
_TEXT_BYTES, _AUDIO_BYTES = 1 << 18, 1 << 23
_ERROR = "error"  # the output that says of a row why it has no answer


class Answered(NamedTuple):
    """The answers and the bad rows of a window, as lines of JSON compressed with gzip.

    The compressed windows of a file can be joined to a gzip file. Without bad rows `bad` is empty.
    `broken` is that of the window. `long_rows` are good ones that the model does not read whole.
    """

    number: int
    rows: int
    bad_rows: int
    good: bytes
    bad: bytes
    broken: str
    long_rows: int = 0


class BatchModel:
    """A SavedModel with one input, a string for each row."""

    _length: Signature | None = None
    _read = 0  # tokens of a text, as far as is known; a text has hardly more of them than bytes

    def __init__(self, directory: Path, kind: str, batch_size: int) -> None:
        """Load it.

        Raises:
            ConfigurationError: its default signature has other inputs or outputs.
            ExportError: it cannot be loaded.
        """
        import_tensorflow()
        return_freed_memory()
        try:
            self._saved = load_saved_model(directory)  # its variables live as long as it does
        except Exception as error:
            message = str(error) if isinstance(error, TextappsError) else explain(error)
            raise ExportError(f"cannot load the SavedModel in {directory}: {message}") from error
        if DEFAULT not in self._saved.signatures:
            raise ConfigurationError(f"{directory} has no signature '{DEFAULT}'")
        self._signature = Signature(DEFAULT, self._saved.signatures[DEFAULT])
        inputs = self._signature.inputs
        if [(spec.dtype, spec.shape) for spec in inputs.values()] != [("string", (None,))]:
            takes = ", ".join(f"'{name}' ({spec.dtype})" for name, spec in inputs.items())
            raise ConfigurationError(
                f"{directory} takes {takes or 'nothing'}; rows of a file need a signature that "
                "takes one string each, as the exports of textapps do"
            )
        if not self._signature.batched:
            raise ConfigurationError(f"{directory} does not answer row by row")
        (self._input,) = inputs
        if kind != PATH and LENGTH in self._saved.signatures:
            self._length = Signature(LENGTH, self._saved.signatures[LENGTH])
        self._batch_size = batch_size
        self._batch_bytes = _AUDIO_BYTES if kind == PATH else _TEXT_BYTES

    def answer(self, window: Window, file: str) -> Answered:
        """Answers each row, or says why it cannot; the same window gives the same bytes.

        Raises:
            TextappsError: the model failed, through no fault of the rows.
        """
        good = [row for row in window.rows if not row.reason]
        reasons = {row.position: row.reason for row in window.rows if row.reason}
        answers: dict[int, dict[str, Any]] = {}
        long_rows = 0
        for batch in self._batches(good):
            long_rows += self._count_long(batch)
            for row, found in zip(batch, self._ask(batch), strict=True):
                if isinstance(found, str):
                    reasons[row.position] = found
                else:
                    given = {"index": row.position, "input": row.text}
                    others = columns_beside(row.others, given | found)
                    answers[row.position] = {**given, **others, **found}
        bad = [
            {
                "index": row.position,
                "file": file,
                "line": row.line,
                "input": row.text or None,
                "reason": reasons[row.position],
            }
            for row in window.rows
            if row.position in reasons
        ]
        return Answered(
            window.number,
            len(window.rows),
            len(bad),
            _packed([answers[row.position] for row in window.rows if row.position in answers]),
            _packed(bad) if bad else b"",
            window.broken,
            long_rows,
        )

    def _batches(self, rows: Sequence[Row]) -> Iterator[list[Row]]:
        """Batches of rows of similar length, so that there is little padding."""
        batch: list[Row] = []
        for row in sorted(rows, key=lambda row: len(row.payload)):
            too_large = (len(batch) + 1) * len(row.payload) > self._batch_bytes
            if batch and (len(batch) == self._batch_size or too_large):
                yield batch
                batch = []
            batch.append(row)
        if batch:
            yield batch

    def _count_long(self, rows: Sequence[Row]) -> int:
        rows = [row for row in rows if len(row.payload) >= self._read]
        if self._length is None or not rows:
            return 0
        found = self._length.call({self._input: _payloads(rows)})
        self._read = int(found["max_tokens"][0])
        return int(np.count_nonzero(found["tokens"] > self._read))

    def _ask(self, rows: Sequence[Row]) -> list[dict[str, Any] | str]:
        """The outputs of each row, or why it is refused; one bad row does not affect the others."""
        try:
            outputs = self._signature.call({self._input: _payloads(rows)})
        except BadInput as error:
            if len(rows) == 1:
                return [str(error)]
            return [found for row in rows for found in self._ask([row])]
        except ModelFailed as error:
            hint = "; try a smaller --batch-size" if len(rows) > 1 else ""
            raise TextappsError(f"the model failed: {error}{hint}") from error
        # In the order of the names: that in which a SavedModel gives them may change.
        columns = {name: _plain(outputs[name]) for name in self._signature.outputs}
        errors = columns.pop(_ERROR, [""] * len(rows))
        return [
            error or dict(zip(columns, values, strict=True))
            for error, *values in zip(errors, *columns.values(), strict=True)
        ]


def _payloads(rows: Sequence[Row]) -> np.ndarray:
    payloads = np.empty(len(rows), dtype=object)
    payloads[:] = [row.payload for row in rows]
    return payloads


def _plain(array: np.ndarray) -> list[Any]:
    """The rows of an array as JSON values."""
    if array.dtype != object:
        plain: list[Any] = shortest(array).tolist()
        return plain
    flat = [item.decode(errors="replace") for item in array.ravel()]
    if array.ndim == 1:
        return flat
    text: list[Any] = np.array(flat, dtype=object).reshape(array.shape).tolist()
    return text


def _packed(lines: list[dict[str, Any]]) -> bytes:
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    return gzip.compress(text.encode(), mtime=0)  # no time: the same lines, the same bytes
