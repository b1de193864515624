"""Files in ../shared/cases with composed and decomposed accents: one text, one answer."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.acceptance

Textapps = Callable[..., subprocess.CompletedProcess[str]]


def figure(textapps: Textapps, task: str, metric: str, path: Path) -> float:
    done = textapps(task, "evaluate", "--data", str(path), "--json", timeout=600)
    assert done.returncode == 0, done.stderr
    found: float = json.loads(done.stdout)["metrics"][metric]
    return found


def test_accuracy(textapps: Textapps, cases: Path) -> None:
    texts = cases / "texts"
    data = ("--data", str(texts / "fr_nfc.csv"), "--preset", "tiny")
    done = textapps("sentiment", "train", *data, timeout=600)
    assert done.returncode == 0, done.stderr
    found = [
        figure(textapps, "sentiment", "accuracy", texts / f"fr_test_{form}.csv")
        for form in ("nfc", "nfd")
    ]
    assert found == [1.0, 1.0]


def test_bleu(textapps: Textapps, cases: Path) -> None:
    pairs = cases / "pairs"
    data = ("--data", str(pairs / "longpair.tsv"), "--preset", "tiny", "--epochs", "40")
    done = textapps("translate", "train", *data, timeout=1_200)
    assert done.returncode == 0, done.stderr
    found = [
        figure(textapps, "translate", "chrf", pairs / f"{form}_test.csv") for form in ("nfc", "nfd")
    ]
    assert found[0] == found[1] > 5
