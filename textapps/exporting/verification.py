"""Asking an export in a fresh process what its run has answered."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from textapps.core.errors import ExportError
from textapps.exporting import verify_child
from textapps.exporting.verify_child import as_array, decode, encode

Tensors = Mapping[str, Any]

_LONG = "A very long text, the like of which nobody reads to its end. "
HARD_TEXTS = {
    "empty text": "",
    "very long text": (_LONG * (100_000 // len(_LONG) + 1))[:100_000],
    "non-Latin text": "这部电影非常好看。Прекрасный фильм! فيلم رائع ภาพยนตร์ที่ดี चलचित्र 🎬👍🏽",
}


@dataclass(frozen=True)
class Case:
    """Inputs of a signature (batch-major) and the outputs that the run itself gave for them."""

    signature: str
    inputs: Tensors
    outputs: Tensors

    def rows(self) -> list[Tensors]:
        """The inputs cut into batches of one."""
        arrays = {name: as_array(value) for name, value in self.inputs.items()}
        count = min(len(array) for array in arrays.values())
        return [{name: a[row : row + 1] for name, a in arrays.items()} for row in range(count)]

    def to_json(self) -> dict[str, Any]:
        """The case as plain JSON values, exact in every bit."""
        return {
            "signature": self.signature,
            "inputs": {name: encode(value) for name, value in self.inputs.items()},
            "outputs": {name: encode(value) for name, value in self.outputs.items()},
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "Case":
        """The case that `to_json` wrote."""
        return cls(
            fields["signature"],
            {name: decode(value) for name, value in fields["inputs"].items()},
            {name: decode(value) for name, value in fields["outputs"].items()},
        )


def verify(
    directory: Path | str,
    cases: Sequence[Case],
    tolerance: float = 1e-5,
    tensorflow_text: bool = False,
) -> None:
    """Check a SavedModel in a fresh CPU process that has TensorFlow, but no textapps or Keras.

    - operations: all of TensorFlow's own; none of cuDNN, Flex or calling back into Python
    - compilation: the default signature needs no XLA
    - loading, and isolation from textapps and Keras
    - answers: every case gives its outputs, numbers within `tolerance` · max(1, |expected|)
    - batching: every row of every case gives the same when asked alone
    - empty text, very long text (100,000 characters), non-Latin text: the default signature's
      string inputs are answered with finite numbers
    - warm-up: the requests in assets.extra, if any, parse and run

    TensorFlow Text's operations are loaded only if `tensorflow_text` says so, and count as
    TensorFlow's own then. Raises ExportError naming every check that failed, ValueError where
    no case asks the default signature with two or more rows.
    """
    defaults = [case for case in cases if case.signature == "serving_default"]
    if not any(len(case.rows()) > 1 for case in defaults):
        raise ValueError("verification needs a case of serving_default with two or more rows")
    hard = {name: _with_text(defaults[0], text) for name, text in HARD_TEXTS.items()}
    rows = [(case, row) for case in cases for row in case.rows()]
    result = _ask(
        directory,
        [(case.signature, case.inputs) for case in cases]
        + [(case.signature, row) for case, row in rows]
        + [("serving_default", inputs) for inputs in hard.values()],
        tensorflow_text,
    )
    failures: dict[str, str] = {}  # check → the first thing that it found
    if result["imported"]:
        failures["isolation"] = f"imported {', '.join(result['imported'])}"
    if result["operations"]:
        failures["operations"] = f"not in plain TensorFlow: {', '.join(result['operations'])}"
    if result["compiled"]:
        failures["compilation"] = f"serving_default needs XLA for {', '.join(result['compiled'])}"
    if "loading" in result:
        failures["loading"] = result["loading"]
    else:
        answers = iter(result["answers"])
        whole = [next(answers) for _ in cases]
        single = [next(answers) for _ in rows]
        failures |= _check_answers(cases, whole, tolerance)
        failures |= _check_batching(cases, whole, single, tolerance)
        failures |= _check_hard_texts(dict(zip(hard, answers, strict=True)))
        if result.get("warmup"):
            failures["warm-up"] = result["warmup"]
    if failures:
        found = "; ".join(f"{check}: {problem}" for check, problem in failures.items())
        raise ExportError(f"the export does not verify: {found}")


def ask(
    directory: Path | str, questions: Sequence[tuple[str, Tensors]], tensorflow_text: bool = False
) -> list[dict[str, np.ndarray]]:
    """What an export answers, in a fresh process, to (signature, inputs) pairs.

    Raises ExportError where it does not load or does not answer.
    """
    result = _ask(directory, questions, tensorflow_text)
    if "loading" in result:
        raise ExportError(f"cannot load the export {directory}: {result['loading']}")
    for (signature, _), answer in zip(questions, result["answers"], strict=True):
        if "error" in answer:
            raise ExportError(f"{directory} does not answer '{signature}': {answer['error']}")
    return [_outputs(answer) for answer in result["answers"]]


def _ask(
    directory: Path | str, questions: Sequence[tuple[str, Tensors]], tensorflow_text: bool
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="textapps-verify-") as scratch:
        asked, answered = Path(scratch) / "questions.json", Path(scratch) / "answers.json"
        encoded = [
            {"signature": signature, "inputs": {k: encode(v) for k, v in inputs.items()}}
            for signature, inputs in questions
        ]
        request = {
            "directory": str(Path(directory).resolve()),
            "tensorflow_text": tensorflow_text,
            "questions": encoded,
        }
        asked.write_text(json.dumps(request), encoding="utf-8")
        child = subprocess.run(
            [sys.executable, "-I", verify_child.__file__, str(asked), str(answered)],
            env={**os.environ, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "2"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
        if child.returncode or not answered.exists():
            said = child.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
            raise ExportError(
                f"the process that verifies {directory} ended with code {child.returncode}: "
                f"{said[-1][:300]}"
            )
        result: dict[str, Any] = json.loads(answered.read_text(encoding="utf-8"))
        return result


def _with_text(case: Case, text: str) -> Tensors:
    """The first row of `case` with `text` as each of its strings."""
    return {
        name: np.full_like(value, text) if value.dtype == object else value
        for name, value in case.rows()[0].items()
    }


def _check_answers(
    cases: Sequence[Case], answers: Sequence[dict[str, Any]], tolerance: float
) -> dict[str, str]:
    failures: dict[str, str] = {}
    for case, answer in zip(cases, answers, strict=True):
        problem = answer.get("error") or _difference(_outputs(answer), case.outputs, tolerance)
        if problem:
            failures.setdefault(f"answers of {case.signature}", problem)
    return failures


def _check_batching(
    cases: Sequence[Case],
    whole: Sequence[dict[str, Any]],
    single: Sequence[dict[str, Any]],
    tolerance: float,
) -> dict[str, str]:
    failures: dict[str, str] = {}
    alone = iter(single)
    for case, batch in zip(cases, whole, strict=True):
        for row, _ in enumerate(case.rows()):
            answer = next(alone)
            if "error" in batch:
                continue  # _check_answers has said so
            expected = {name: value[row : row + 1] for name, value in _outputs(batch).items()}
            problem = answer.get("error") or _difference(_outputs(answer), expected, tolerance)
            if problem:
                failures.setdefault(f"batching of {case.signature}", f"row {row} alone: {problem}")
    return failures


def _check_hard_texts(answers: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    failures: dict[str, str] = {}
    for name, answer in answers.items():
        if "error" in answer:
            failures[name] = answer["error"]
        for key, value in _outputs(answer).items():
            if value.dtype != object and not np.isfinite(value).all():
                failures.setdefault(name, f"'{key}' is not finite")
    return failures


def _outputs(answer: Mapping[str, Any]) -> dict[str, np.ndarray]:
    return {name: decode(value) for name, value in answer.get("outputs", {}).items()}


def _difference(actual: Tensors, expected: Tensors, tolerance: float) -> str | None:
    """Where two sets of outputs differ, in words; None where they agree."""
    if set(actual) != set(expected):
        return f"outputs {sorted(actual)} instead of {sorted(expected)}"
    for name in expected:
        # Through the encoding, so that text and its UTF-8 bytes are the same.
        got, wanted = (decode(encode(outputs[name])) for outputs in (actual, expected))
        if got.shape != wanted.shape:
            return f"'{name}' has shape {got.shape} instead of {wanted.shape}"
        wrong = got != wanted  # exact for text and whole numbers, and for equal infinities
        if wanted.dtype.kind == got.dtype.kind == "f":
            with np.errstate(invalid="ignore"):
                gap = np.abs(got.astype(float) - wanted.astype(float))
            near = gap <= tolerance * np.maximum(1.0, np.abs(wanted))
            wrong &= ~(near & np.isfinite(wanted))
        if np.any(wrong):
            at = tuple(int(index) for index in np.argwhere(wrong)[0])
            return f"'{name}' at {at} is {got[at]!r} instead of {wanted[at]!r}"
    return None
