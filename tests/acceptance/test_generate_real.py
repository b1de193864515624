"""The generate task on real data, as a user runs it: minutes each, `make acceptance`."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.acceptance

Textapps = Callable[..., subprocess.CompletedProcess[str]]
AN_HOUR = 3600


def done(textapps: Textapps, *arguments: str) -> str:
    """What a command that must succeed prints."""
    result = textapps("generate", *arguments, timeout=AN_HOUR)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize(
    ("backbone", "most"),
    [("gru", 1.53), ("lstm", 1.53), ("transformer", 1.75), ("simple_rnn", 1.75)],
)
def test_the_default_preset_on_tinyshakespeare(
    textapps: Textapps, shared_data: Path, backbone: str, most: float
) -> None:
    """All of it: train for three minutes or so, evaluate, generate, export with verification."""
    data = ("--data", "tiny_shakespeare", "--data-dir", str(shared_data / "tfds"))
    done(textapps, "train", *data, "--split", "0.9", "--backbone", backbone)
    metrics = json.loads(done(textapps, "evaluate", "--json"))["metrics"]
    assert metrics["nats_per_character"] <= most
    if most < 1.6:
        assert metrics["gain_over_ngrams"] > 0
    text = done(textapps, "--seed", "ROMEO:", "--random-seed", "1", "--length", "300")
    assert text.startswith("ROMEO:")
    assert len(text) == len("ROMEO:") + 300 + 1
    assert done(textapps, "--seed", "ROMEO:", "--random-seed", "1", "--length", "300") == text
    assert done(textapps, "export") == "models/exported/generate/1\n"


def test_chinese_poems(textapps: Textapps, shared_data: Path) -> None:
    """Thousands of characters, of which some stand in the other splits only."""
    poems = str(shared_data / "poetry" / "tang_poems.tsv.gz")
    done(textapps, "train", "--data", poems, "--max-seconds", "240")
    metrics = json.loads(done(textapps, "evaluate", "--json"))["metrics"]
    assert metrics["nats_per_character"] < 5.5
    text = done(textapps, "--seed", "春眠不覺曉，", "--random-seed", "1", "--length", "60")
    assert sum("\u4e00" <= character <= "\u9fff" for character in text) > 40
