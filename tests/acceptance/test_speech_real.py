"""The speech task on real recordings, as a user runs it: minutes each, `make acceptance`."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(3600)]

Textapps = Callable[..., subprocess.CompletedProcess[str]]
COMMANDS = ("yes", "no", "left", "right", "happy", "cat", "bed", "down")
PRETRAINED = Path(__file__).parents[2] / "models" / "pretrained"
CLOSED = ("--set", "data.unknown=0", "--set", "data.silence=0")


def done(textapps: Textapps, *arguments: str, **environ: str) -> str:
    """What a command that must succeed prints."""
    result = textapps("speech", *arguments, timeout=3600, **environ)
    assert result.returncode == 0, result.stderr
    return result.stdout


def trained(textapps: Textapps, shared_data: Path, *options: str) -> dict[str, Any]:
    """The figures of the test split, after training."""
    data = str(shared_data / "speech_commands")
    done(textapps, "train", "--data", data, "--commands", ",".join(COMMANDS), *options)
    metrics: dict[str, Any] = json.loads(done(textapps, "evaluate", "--json"))["metrics"]
    return metrics


@pytest.mark.parametrize(
    ("backbone", "least"),
    [("gru", 0.96), ("lstm", 0.96), ("transformer", 0.94), ("simple_rnn", 0.91)],
)
def test_the_default_preset_knows_eight_commands(
    textapps: Textapps, shared_data: Path, tmp_path: Path, backbone: str, least: float
) -> None:
    """All of it: train, evaluate, recognise, listen, export with verification."""
    found = trained(textapps, shared_data, "--backbone", backbone, *CLOSED)
    assert found["accuracy"] >= least
    assert found["parameters"] <= 250_000
    assert found["accuracy_10_db"] >= found["accuracy"] - 0.05
    recordings = sorted((shared_data / "speech_commands" / "yes").glob("*.flac"))[:9]
    answers = done(textapps, "predict", *map(str, recordings)).splitlines()
    assert sum(line.startswith("yes\t") for line in answers) >= 8
    assert done(textapps, "export") == "models/exported/speech/1\n"


def test_other_words_and_silence_are_told_apart(textapps: Textapps, shared_data: Path) -> None:
    found = trained(textapps, shared_data)
    assert found["accuracy"] >= 0.92
    assert found["false_accept_rate"] < 0.5


def test_a_streaming_model_is_little_worse(textapps: Textapps, shared_data: Path) -> None:
    found = trained(textapps, shared_data, "--streaming", *CLOSED)
    assert found["accuracy"] >= 0.94


def test_the_tiny_preset_fits_a_small_device(
    textapps: Textapps, shared_data: Path, tmp_path: Path
) -> None:
    found = trained(textapps, shared_data, "--preset", "tiny", *CLOSED)
    assert found["parameters"] <= 30_000
    path = tmp_path / done(textapps, "export", "--format", "tflite").strip()
    manifest = json.loads((path / "textapps.json").read_bytes())
    assert manifest["files"]["int8"]["bytes"] <= 120_000
    assert manifest["accuracy"]["int8"] >= 0.92
    pairs = manifest["int8_against_float"]
    lost = pairs["only_float_right"] - pairs["only_int8_right"]
    assert lost <= 0.005 * manifest["evaluated_on"]["examples"]


def test_the_preset_for_microcontrollers(
    textapps: Textapps, shared_data: Path, tmp_path: Path
) -> None:
    found = trained(textapps, shared_data, "--preset", "micro", *CLOSED)
    path = tmp_path / done(textapps, "export", "--format", "micro").strip()
    manifest = json.loads((path / "textapps.json").read_bytes())
    assert manifest["files"]["int8"]["bytes"] <= 100_000
    assert manifest["accuracy"]["int8"] >= 0.94
    assert manifest["accuracy"]["int8"] >= found["accuracy"] - 0.005


def test_the_sample_is_learnt(textapps: Textapps) -> None:
    done(textapps, "train", "--data", "sample", "--preset", "tiny")
    metrics = json.loads(done(textapps, "evaluate", "--json"))["metrics"]
    assert metrics["accuracy"] > 0.95


def test_a_word_is_added_to_the_model_of_the_package(textapps: Textapps, shared_data: Path) -> None:
    """From five recordings, in seconds; then other words are rejected with a margin."""
    data = shared_data / "speech_commands"
    rows = (data / "splits.tsv").read_text(encoding="utf-8").split("\n")
    of_split = {
        split: [
            str(data / path)
            for path, _, each in (row.partition("\t") for row in rows)
            if each == split and path.startswith("house/")
        ]
        for split in ("training", "testing")
    }
    where = ("--run", "pretrained:commands", "--data", str(data))
    words = ("house", *of_split["training"][:5])
    package = {"TEXTAPPS_PRETRAINED_DIR": str(PRETRAINED)}
    made = json.loads(done(textapps, "add-word", *words, *where, "--json", **package))
    assert made["false_accepts"]["other words"]["taken"] <= 8
    answers = done(textapps, "predict", *of_split["testing"]).splitlines()
    assert sum(line.startswith("house\t") for line in answers) >= 0.8 * len(answers)
    metrics = json.loads(done(textapps, "evaluate", "--false-accepts", "5%", "--json"))["metrics"]
    assert metrics["false_accept_rate"] <= 0.15
    assert metrics["false_reject_rate"] <= 0.07
    twice = textapps("speech", "add-word", *words, timeout=600)
    assert twice.returncode == 2
    assert "has the word 'house' already" in twice.stderr
