"""Examines exports in this process; exporting/verify_child.py runs it in one of its own.

Questions and findings are plain JSON values, since they pass from process to process.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from textapps.savedmodel.errors import BadInput, ModelFailed, explain
from textapps.savedmodel.graph import compiled_functions, foreign_operations, read_graph
from textapps.savedmodel.loading import load_saved_model, load_text_operations
from textapps.savedmodel.signature import Signature
from textapps.savedmodel.tensors import decode_all, encode_all
from textapps.savedmodel.warmup import WARMUP, replay


def examine_all(exports: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The findings about each export, in their order.

    Args:
        exports: each with its `directory`, whether it may use `tensorflow_text`, and `questions`:
            a `signature` and its encoded `inputs`.

    Returns:
        For each export: `operations` that a plain TensorFlow cannot run, `compiled` functions
        behind signatures that must do without XLA, and either why `loading` fails, or for each
        question the encoded `outputs` or the `error`, as `answers`. `warmup` is what goes wrong
        with the recorded requests, None if nothing does.
    """
    # TensorFlow Text's operations stay registered: exports that may not use them come first.
    order = sorted(range(len(exports)), key=lambda place: exports[place]["tensorflow_text"])
    findings = {place: _examine(**exports[place]) for place in order}
    return [findings[place] for place in range(len(exports))]


def _examine(
    directory: str, tensorflow_text: bool, questions: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    if tensorflow_text and not load_text_operations():
        return {"operations": [], "compiled": [], "loading": "TensorFlow Text is not installed"}
    path = Path(directory)
    graph = read_graph(path)
    findings: dict[str, Any] = {
        "operations": sorted(foreign_operations(graph)),
        "compiled": sorted(compiled_functions(graph)),
    }
    try:
        saved = load_saved_model(path, text_operations=tensorflow_text)
    except Exception as error:
        return {**findings, "loading": _told(error)}
    signatures = {name: Signature(name, function) for name, function in saved.signatures.items()}
    findings["answers"] = [
        _answer(signatures, question["signature"], question["inputs"]) for question in questions
    ]
    if (path / WARMUP).exists():
        findings["warmup"] = _warm_up(signatures, path / WARMUP)
    return findings


def _answer(
    signatures: Mapping[str, Signature], name: str, inputs: Mapping[str, Any]
) -> dict[str, Any]:
    if name not in signatures:
        return {"error": f"there is no signature '{name}'"}
    try:
        return {"outputs": encode_all(signatures[name].call(decode_all(inputs)))}
    except (BadInput, ModelFailed) as error:
        return {"error": str(error)}


def _warm_up(signatures: Mapping[str, Signature], path: Path) -> str | None:
    try:
        return None if replay(signatures, path) else "no requests"
    except Exception as error:
        return _told(error)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {explain(error)}"
