"""The benchmarks of speech: what is the same on both sides, and what is made of the figures."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import results, results_page, results_speech, speech, speech_speed
from benchmarks import speech_speed_side as side
from benchmarks.speech_speed import QUESTIONS, SIDES
from textapps.preprocessing.log_mel import FrontEnd
from textapps.preprocessing.normalization import Normalization
from textapps.tasks.speech.config import PRESETS
from textapps.tasks.speech.model import SpeechModel
from textapps.training.seeding import seed_everything


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where results go in this test, empty."""
    path = tmp_path / "docs" / "results"
    monkeypatch.setattr(results, "RESULTS", path)
    return path


def row_of(page: str, start: str) -> str:
    return next(line for line in page.splitlines() if line.startswith(f"| {start}"))


def figures(accuracy: float) -> dict[str, Any]:
    return {
        "metrics": {
            "accuracy": accuracy,
            "accuracy_low": accuracy - 0.01,
            "accuracy_high": accuracy + 0.005,
            "accuracy_10_db": accuracy - 0.03,
            "false_accept_rate": 0.125,
        },
        "parameters": 201_224,
        "passes": 40.0,
        "training_seconds": 432.1,
        "wall_seconds": None,
        "peak_memory_mb": 1_789,
        "lite": {
            "bytes": {"float": 812_345, "int8": 234_567},
            "accuracy": {"float": accuracy, "int8": accuracy - 0.002},
            "int8_against_float": {"only_float_right": 5, "only_int8_right": 3},
        },
    }


@pytest.mark.parametrize("kind", ["simple_rnn", "lstm", "gru"])
def test_both_sides_have_the_same_logits(kind: str) -> None:
    pytest.importorskip("torch")
    from benchmarks.speech_speed_pytorch import Recognizer

    sizes = {"backbone.units": 6, "preprocessor.mels": 11, "preprocessor.clip_seconds": 0.2}
    config = PRESETS.resolve(flags={"preset": "small", "backbone.kind": kind, **sizes})
    random = np.random.default_rng(1)
    normalization = Normalization(random.normal(-7, 1, 11), random.uniform(1, 2, 11))
    front_end = FrontEnd(config.preprocessor, normalization)
    model = SpeechModel(config, front_end, 3)
    model.build()
    for variable in model.variables:
        if "seed_generator" not in variable.path:
            low = 0.5 if variable.path.endswith("variance") else -0.8
            variable.assign(random.uniform(low, 0.8, variable.shape))
    arrays = side.weights_of(model)
    dumped = config.model_dump()
    other = Recognizer(arrays, dumped["preprocessor"], dumped["stem"], dumped["backbone"])
    other.load(arrays)
    pcm = side.clips(4)[0][:, :3_200]
    ours = model({"pcm": pcm, "seeds": np.zeros(4, np.int64)}).numpy()
    import torch

    with torch.no_grad():
        theirs = other.eval()(torch.tensor(pcm)).numpy()
    np.testing.assert_allclose(theirs, ours, rtol=1e-4, atol=1e-4)
    assert np.ptp(ours, axis=0).min() > 1e-3, "the clips must matter"


def test_training_in_pytorch_learns() -> None:
    torch = pytest.importorskip("torch")
    from benchmarks.speech_speed_pytorch import Recognizer, Trainer

    seed_everything(0)
    torch.manual_seed(0)  # of what it drops
    sizes = {"backbone.units": 8, "preprocessor.mels": 12}
    config = PRESETS.resolve(flags={"preset": "small", **sizes})
    front_end = FrontEnd(config.preprocessor, Normalization(np.full(12, -7), np.full(12, 3)))
    model = SpeechModel(config, front_end, 2)
    model.build()
    dumped = config.model_dump()
    arrays = side.weights_of(model)
    other = Recognizer(arrays, dumped["preprocessor"], dumped["stem"], dumped["backbone"])
    trainer = Trainer(other, {**dumped["training"], "learning_rate": 0.02}, dumped["model"])
    pcm, labels = (torch.tensor(each) for each in side.clips(12))
    for _ in range(40):
        trainer.step(pcm, labels.long())
    assert (other.eval()(pcm).argmax(dim=1) == labels).all()
    assert any((w != a).any() for w, a in zip(trainer.weights, trainer.averages, strict=True))


def test_a_side_answers_every_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def made_up(run: Path, scratch: Path) -> side.Ask:
        return lambda question: {"seconds": len(question), "run": run.name}

    monkeypatch.setitem(side.SIDE, "lite", made_up)
    monkeypatch.setattr(sys, "stdin", io.StringIO("float\nint8\n"))
    side.main(["lite", "a/run", str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line) for line in lines] == [
        {"seconds": 5, "run": "run"},
        {"seconds": 4, "run": "run"},
    ]


def answers(logits: list[float]) -> dict[str, list[dict[str, Any]]]:
    def times(*seconds: float, **more: Any) -> list[dict[str, Any]]:
        return [{"seconds": each, **more} for each in seconds]

    return {
        "textapps train": times(9.0, 1.0, 2.0, 4.0, logits=[0.5, -1.0]),
        "pytorch train": times(9.0, 4.0, 2.0, 8.0, logits=logits),
        "lite float": times(1.0, 0.002, 0.001, 0.003),
    }


def test_rates_and_ratio_leave_the_first_answer_out() -> None:
    found = speech_speed.summary(answers([0.5, -1.0001]))
    clips = side.BATCH * side.STEPS
    assert found["training"]["textapps"] == {
        "median_per_second": clips / 2,
        "least_per_second": clips / 4,
        "most_per_second": clips,
    }
    assert found["times_pytorch"] == 2.0
    assert found["milliseconds_per_clip"] == {"lite float": 2.0}


def test_sides_with_other_models_are_an_error() -> None:
    with pytest.raises(RuntimeError, match=r"logits differ by 0\.1"):
        speech_speed.summary(answers([0.6, -1.0]))


def test_sides_are_asked_in_turn_and_closed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, closed = [], []

    class Companion:
        def __init__(self, command: list[str]) -> None:
            self.side = command[3]
            assert command[4] == str(tmp_path / "run")

        def ask(self, line: str) -> str:
            asked.append(f"{self.side} {line}")
            return json.dumps(answers([0.5, -1.0])["textapps train"][1])

        def close(self) -> None:
            closed.append(self.side)

    monkeypatch.setattr(speech_speed.child, "Companion", Companion)
    given = ["--run", str(tmp_path / "run"), "--rounds", "2"]
    speech_speed.main(given)
    each = [f"{name} {question}" for name in SIDES for question in QUESTIONS[name]]
    assert asked == each * 3
    assert closed == list(SIDES)
    page = (folder.parent / "results.md").read_text(encoding="utf-8")
    assert "textapps trains 1.00 times as fast as PyTorch." in page
    assert "| SavedModel, a WAV file | 1000.0 |" in page
    speech_speed.main(given)
    assert len(asked) == 3 * len(each)  # not measured again


def test_each_result_is_measured_once_by_its_name(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for word in speech.COMMANDS:
        (tmp_path / "clips" / word).mkdir(parents=True)
    measured = []

    def measure(work: Path, *arguments: Any) -> dict[str, Any]:
        measured.append((work.name, *arguments))
        return figures(0.95)

    monkeypatch.setattr(speech, "measure", measure)
    given = ["--data", str(tmp_path / "clips"), "--work", str(tmp_path / "work")]
    speech.main([*given, "--backbone", "lstm"])
    source = ["--data", str(tmp_path / "clips"), "--commands", ",".join(speech.COMMANDS)]
    closed = {"data.unknown": "0", "data.silence": "0"}
    assert measured == [("speech-closed-small-lstm", "small", "lstm", source, closed)]
    speech.main(given)
    assert sorted(row[2] for row in measured) == ["gru", "lstm", "simple_rnn", "transformer"]
    measured.clear()
    speech.main([*given, "--set", "open", "--streaming"])
    (row,) = measured
    assert row == (
        "speech-open-small-gru-streaming",
        "small",
        "gru",
        source,
        {"model.streaming": "true"},
    )


def test_a_folder_without_a_command_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        speech.main(["--data", str(tmp_path)])
    assert stopped.value.code == 2
    assert "has no folder yes" in capsys.readouterr().err


def test_what_was_measured_stands_on_the_page(folder: Path) -> None:
    results.write_result("speech-closed-small-gru", figures(0.965))
    results.write_result("speech-open-small-gru-streaming", figures(0.91))
    page = results_page.render().partition("## Speech")[2]
    name = "closed: `gru`, preset `small`"
    assert row_of(page, name) == (
        f"| {name} | **96.50** (95.50 to 97.00) |  | 12.50 | 201,224 | 40.0 | 432 |  | 1,789 |"
    )
    assert row_of(page, "open: `gru`, preset `small`, streaming").startswith(
        "| open: `gru`, preset `small`, streaming | **91.00**"
    )
    assert f"| {name} | 96.50 |  | 93.50 |  |  |" in page
    assert f"| {name} | 812 | 235 | 96.50 | 96.30 | 5 | 3 |" in page
    assert row_of(page, "closed: `gru`, preset `tiny`").count("not measured") == 1


def test_every_expected_result_has_its_row(folder: Path) -> None:
    page = "\n\n".join(results_speech.sections())
    assert page.count("not measured") == len(results_speech.EXPECTED) + 1
