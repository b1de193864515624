"""Asking exports in a fresh process what their runs have answered."""

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
from textapps.savedmodel.graph import COMPILED
from textapps.savedmodel.tensors import as_array, decode, decode_all, encode, encode_all

Tensors = Mapping[str, Any]
Questions = Sequence[tuple[str, Tensors]]  # signature and inputs

ROOT = Path(__file__).parents[2]  # where the child finds this package and no other copy of it

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
            "inputs": encode_all(self.inputs),
            "outputs": encode_all(self.outputs),
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "Case":
        """The case that `to_json` wrote."""
        inputs, outputs = decode_all(fields["inputs"]), decode_all(fields["outputs"])
        return cls(fields["signature"], inputs, outputs)


@dataclass(frozen=True)
class Candidate:
    """An export that is to be verified.

    TensorFlow Text's operations are loaded only if `tensorflow_text` says so, and count as
    TensorFlow's own then. Raises ValueError where no case asks the default signature with two or
    more rows.
    """

    directory: Path | str
    cases: Sequence[Case]
    tensorflow_text: bool = False

    def __post_init__(self) -> None:
        if not any(len(case.rows()) > 1 for case in self.defaults):
            raise ValueError("verification needs a case of serving_default with two or more rows")

    @property
    def defaults(self) -> list[Case]:
        """The cases of the default signature."""
        return [case for case in self.cases if case.signature == "serving_default"]

    @property
    def questions(self) -> Questions:
        """Every case, then every row of every case, then the hard texts."""
        whole = [(case.signature, case.inputs) for case in self.cases]
        rows = [(case.signature, row) for case in self.cases for row in case.rows()]
        hard = [_with_text(self.defaults[0], text) for text in HARD_TEXTS.values()]
        return [*whole, *rows, *(("serving_default", inputs) for inputs in hard)]

    def failures(self, findings: Mapping[str, Any], tolerance: float) -> dict[str, str]:
        """Check → the first problem that it found in what came back for `questions`."""
        found: dict[str, str] = {}
        if findings["operations"]:
            found["operations"] = f"not in plain TensorFlow: {', '.join(findings['operations'])}"
        if findings["compiled"]:
            found["compilation"] = (
                f"XLA is needed for {', '.join(findings['compiled'])}; only a signature whose name "
                f"ends with {COMPILED} may need it"
            )
        if "loading" in findings:
            return found | {"loading": findings["loading"]}
        answers = iter(findings["answers"])
        whole = [next(answers) for _ in self.cases]
        single = [[next(answers) for _ in case.rows()] for case in self.cases]
        found |= _check_answers(self.cases, whole, tolerance)
        found |= _check_batching(self.cases, whole, single, tolerance)
        found |= _check_hard_texts(dict(zip(HARD_TEXTS, answers, strict=True)))
        if findings.get("warmup"):
            found["warm-up"] = findings["warmup"]
        return found


def verify_all(candidates: Sequence[Candidate], tolerance: float = 1e-5) -> None:
    """Checks SavedModels in one fresh CPU process without Keras and the rooms that make models.

    - isolation from Keras and from those rooms
    - operations: all of TensorFlow's own; none of cuDNN, Flex or calling back into Python
    - compilation: no signature needs XLA but those whose names end with `COMPILED`
    - loading
    - answers: every case gives its outputs, numbers within `tolerance` · max(1, |expected|)
    - batching: every row of every case gives the same when asked alone, without the padding that a
      longer neighbour causes
    - empty text, very long text (100,000 characters), non-Latin text: the default signature's
      string inputs are answered with finite numbers
    - warm-up: the requests in assets.extra, if any, parse and run

    Raises ExportError naming every check that failed.
    """
    result = _examine([(c.directory, c.questions, c.tensorflow_text) for c in candidates])
    problems = []
    for candidate, findings in zip(candidates, result["findings"], strict=True):
        failures = candidate.failures(findings, tolerance)
        if result["imported"]:
            failures = {"isolation": f"imported {', '.join(result['imported'])}"} | failures
        if failures:
            which = f" in {candidate.directory}" if len(candidates) > 1 else ""
            said = "; ".join(f"{check}: {problem}" for check, problem in failures.items())
            problems.append(f"the export{which} does not verify: {said}")
    if problems:
        raise ExportError("; ".join(problems))


def verify(
    directory: Path | str,
    cases: Sequence[Case],
    tolerance: float = 1e-5,
    tensorflow_text: bool = False,
) -> None:
    """`verify_all` of one export."""
    verify_all([Candidate(directory, cases, tensorflow_text)], tolerance)


def ask(
    directory: Path | str, questions: Questions, tensorflow_text: bool = False
) -> list[dict[str, np.ndarray]]:
    """What an export answers, in a fresh process, to (signature, inputs) pairs.

    Raises ExportError where it does not load or does not answer.
    """
    (findings,) = _examine([(directory, questions, tensorflow_text)])["findings"]
    if "loading" in findings:
        raise ExportError(f"cannot load the export {directory}: {findings['loading']}")
    for (signature, _), answer in zip(questions, findings["answers"], strict=True):
        if "error" in answer:
            raise ExportError(f"{directory} does not answer '{signature}': {answer['error']}")
    return [decode_all(answer["outputs"]) for answer in findings["answers"]]


def _examine(exports: Sequence[tuple[Path | str, Questions, bool]]) -> dict[str, Any]:
    """What `verify_child` finds out about exports: directory, questions, TensorFlow Text or not."""
    request = [
        {
            "directory": str(Path(directory).resolve()),
            "tensorflow_text": tensorflow_text,
            "questions": [
                {"signature": name, "inputs": encode_all(inputs)} for name, inputs in questions
            ],
        }
        for directory, questions, tensorflow_text in exports
    ]
    try:
        with tempfile.TemporaryDirectory(prefix="textapps-verify-") as scratch:
            asked, answered = Path(scratch) / "questions.json", Path(scratch) / "answers.json"
            asked.write_text(json.dumps(request), encoding="utf-8")
            child = subprocess.run(
                [sys.executable, "-I", verify_child.__file__, str(ROOT), str(asked), str(answered)],
                env={**os.environ, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "2"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                check=False,
            )
            if child.returncode or not answered.exists():
                said = child.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
                names = ", ".join(str(directory) for directory, *_ in exports)
                raise ExportError(
                    f"the process that verifies {names} ended with code {child.returncode}: "
                    f"{said[-1][:300]}"
                )
            result: dict[str, Any] = json.loads(answered.read_bytes())
            return result
    except OSError as error:
        place = f"{tempfile.gettempdir()} (TMPDIR names another folder)"
        raise ExportError(f"cannot verify by way of {place}: {error.strerror}") from error


def differs(alone: Tensors, together: Tensors, row: int, tolerance: float) -> str | None:
    """Where the answer to a row differs from that to its batch, in words; None where it does not.

    The padding that a longer neighbour causes is no difference.
    """
    expected = {
        name: _without_padding(value[row : row + 1], alone[name].shape if name in alone else ())
        for name, value in together.items()
    }
    return _difference(alone, expected, tolerance)


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
    single: Sequence[Sequence[dict[str, Any]]],
    tolerance: float,
) -> dict[str, str]:
    failures: dict[str, str] = {}
    for case, batch, rows in zip(cases, whole, single, strict=True):
        if "error" in batch:
            continue  # _check_answers has said so
        together = _outputs(batch)
        for row, answer in enumerate(rows):
            problem = answer.get("error") or differs(_outputs(answer), together, row, tolerance)
            if problem:
                failures.setdefault(f"batching of {case.signature}", f"row {row} alone: {problem}")
    return failures


def _without_padding(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The array in a smaller shape if all else is padding, which a longer neighbour causes."""
    if array.ndim != len(shape) or any(np.less(array.shape, shape)):
        return array
    cut = array[tuple(map(slice, shape))]
    empty = b"" if array.dtype == object else 0
    return cut if np.count_nonzero(cut != empty) == np.count_nonzero(array != empty) else array


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
    return decode_all(answer.get("outputs", {}))


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
