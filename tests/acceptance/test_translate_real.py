"""The translate task on real data, as a user runs it: up to an hour each, `make acceptance`."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

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
