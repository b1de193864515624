"""The translate task on real data, as a user runs it: up to an hour each, `make acceptance`."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.suites.numbers import asked, hits

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(7200)]

Textapps = Callable[..., subprocess.CompletedProcess[str]]
TWO_HOURS = 7200


def done(textapps: Textapps, *arguments: str) -> str:
    """What a command that must succeed prints."""
    result = textapps("translate", *arguments, timeout=TWO_HOURS)
    assert result.returncode == 0, result.stderr
    return result.stdout


def bleu(textapps: Textapps) -> float:
    return float(json.loads(done(textapps, "evaluate", "--json"))["metrics"]["bleu"])


@pytest.mark.parametrize(
    ("backbone", "least"), [("transformer", 36), ("gru", 32), ("lstm", 32), ("simple_rnn", 24)]
)
def test_the_default_preset_on_multi30k(
    textapps: Textapps, shared_data: Path, backbone: str, least: float
) -> None:
    """All of it: train for up to 45 minutes, evaluate, translate, export with verification."""
    options = {
        "--data": "train",
        "--validation-data": "val",
        "--test-data": "test_2016_flickr",
    }
    files = shared_data / "multi30k"
    data = [w for key, name in options.items() for w in (key, str(files / f"{name}.en-de.tsv.gz"))]
    done(textapps, "train", *data, "--backbone", backbone)
    assert bleu(textapps) >= least
    ranked = done(textapps, "predict", "A man is sleeping.", "--n-best", "3").splitlines()
    assert len(ranked) == 3
    assert ranked[0].rpartition("\t")[2].startswith("Ein Mann")
    assert done(textapps, "export") == "models/exported/translate/1\n"


def test_the_sample_is_learnt(textapps: Textapps) -> None:
    done(textapps, "train", "--data", "sample", "--preset", "tiny")
    assert bleu(textapps) > 95


def test_numbers_come_through(textapps: Textapps, shared_data: Path, tmp_path: Path) -> None:
    """A shorter training than the preset's, on the sentences of `python -m benchmarks numbers`."""
    files = shared_data / "multi30k"
    data = ("--data", str(files / "train.en-de.tsv.gz"))
    validation = ("--validation-data", str(files / "val.en-de.tsv.gz"))
    run = done(textapps, "train", *data, *validation, "--epochs", "8", "--layers", "2").strip()
    sentences = tmp_path / "sentences.txt"
    questions = [each for each in asked() if each.kind != "names"]
    sentences.write_text("".join(f"{each.sentence}\n" for each in questions), encoding="utf-8")
    answers = done(textapps, "predict", "--run", run, "--input", str(sentences)).splitlines()
    right = sum(map(hits, questions, answers))
    assert right >= 0.95 * sum(len(each.wanted) for each in questions)
