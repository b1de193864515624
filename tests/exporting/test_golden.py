"""Exports of earlier versions must still load and answer the same: never regenerate them."""

import json
from pathlib import Path

from textapps.exporting.manifest import read_manifest
from textapps.exporting.verification import Case, verify

GOLDEN = Path(__file__).parent.parent / "golden"


def test_the_golden_sentiment_export_answers_as_it_did():
    directory = GOLDEN / "sentiment" / "1"
    fields = json.loads((GOLDEN / "sentiment.json").read_text(encoding="utf-8"))
    cases = [Case.from_json(case) for case in fields["cases"]]
    manifest = read_manifest(directory)
    assert (manifest.format, manifest.task) == (1, "sentiment")
    assert {case.signature for case in cases} == manifest.signatures.keys()
    verify(directory, cases)
