"""Lines of ../shared/cases with several sentences, and beyond the length of a model."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.acceptance

Textapps = Callable[..., subprocess.CompletedProcess[str]]


def test_sentences_of_a_line(textapps: Textapps, cases: Path) -> None:
    pairs = cases / "pairs"
    data = ("--data", str(pairs / "longpair.tsv"), "--preset", "tiny", "--epochs", "30")
    done = textapps("translate", "train", *data, timeout=1_200)
    assert done.returncode == 0, done.stderr
    path = str(pairs / "odd.txt")
    done = textapps("translate", "predict", "--input", path, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "preprocessor.max_tokens" not in done.stderr
    lines = done.stdout.split("\n")
    one, several, hundred = (lines[row] for row in (0, 8, 9))
    assert hundred == " ".join([one] * hundred.count(one))
    assert hundred.count(one) > 50
    assert several.startswith(f"{one} ")
    done = textapps("translate", "predict", "--input", path, "--no-split-sentences", timeout=600)
    assert (
        "texts with a sentence of more than 256 tokens (preprocessor.max_tokens): 1 of 12; only "
        "the beginning of each is read"
    ) in done.stderr
