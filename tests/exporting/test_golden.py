"""Exports of earlier versions must still load and answer the same: never regenerate them."""

import json
from pathlib import Path

import pytest

from textapps.exporting.verification import Candidate, Case, verify_all
from textapps.savedmodel.manifest import read_manifest

GOLDEN = Path(__file__).parent.parent / "golden"
TASKS = ("sentiment", "generate", "translate", "speech")


@pytest.mark.slow
@pytest.mark.usefixtures("python_anew")
def test_the_golden_exports_answer_as_they_did() -> None:
    candidates = []
    for task in TASKS:
        directory = GOLDEN / task / "1"
        fields = json.loads((GOLDEN / f"{task}.json").read_text(encoding="utf-8"))
        cases = [Case.from_json(case) for case in fields["cases"]]
        manifest = read_manifest(directory)
        assert (manifest.format, manifest.task) == (1, task)
        assert {case.signature for case in cases} == manifest.signatures.keys()
        candidates.append(Candidate(directory, cases, tensorflow_text=task == "translate"))
    verify_all(candidates)
