"""Tests of the speech commands: what goes to stdout, what to stderr, in which shape."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from tests.tasks.toy_words import RATE_HZ, WORDS, noise, spoken, wav_bytes
from textapps.tasks.registry import get_about
from textapps.tasks.speech import predict

Cli = Callable[..., Result]


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """A folder of a clip of each word."""
    for number, word in enumerate(WORDS):
        path = tmp_path / "clips" / f"{number}" / "clip.wav"
        path.parent.mkdir(parents=True)
        path.write_bytes(wav_bytes(spoken(word, 60)))
    return tmp_path / "clips"


@pytest.fixture(scope="module")
def ready(trained) -> object:
    """A recogniser that knows the words."""
    return trained("speech", "lstm")


@pytest.fixture(autouse=True)
def _short_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    from textapps.tasks.speech import evaluate

    monkeypatch.setattr(evaluate, "STREAM_SECONDS", 20.0)


def test_a_line_for_each_recording(cli: Cli, ready, clips: Path) -> None:
    """From the real files of a run: answers, and nothing else on stdout."""
    paths = [str(path) for path in sorted(clips.rglob("*.wav"))]
    result = cli("speech", "predict", paths[0], str(clips), "--run", str(ready.run.path))
    assert (result.exit_code, result.stderr) == (0, "")
    asked = [paths[0], *paths]
    assert result.stdout == "".join(
        f"{answer.label}\t{answer.probability:.4f}\t{path}\n"
        for path, answer in zip(asked, ready.predict(asked), strict=True)
    )


def test_json(ask: Cli, ready, clips: Path) -> None:
    rows = [json.loads(line) for line in ask("predict", str(clips), "--json").stdout.splitlines()]
    assert len(rows) == 3
    for index, row in enumerate(rows):
        path = clips / str(index) / "clip.wav"
        (answer,) = ready.predict([path])
        assert list(row) == ["index", "input", "label", "probability", "scores", "probabilities"]
        assert (row["index"], row["input"], row["label"]) == (index, str(path), answer.label)
        assert row["scores"] == pytest.approx(answer.scores, abs=1e-6)


def test_paths_from_a_file_and_a_recording_from_standard_input(
    ask: Cli, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ask("predict", str(clips)).stdout
    paths = tmp_path / "paths.txt"
    paths.write_text("".join(f"{path}\n" for path in sorted(clips.iterdir())), encoding="utf-8")
    monkeypatch.setattr(predict, "CHUNK", 2)
    assert ask("predict", "--input", str(paths)).stdout == whole
    first = clips / "0" / "clip.wav"
    answer = ask("predict", "-", input=first.read_bytes()).stdout
    assert answer == whole.splitlines(keepends=True)[0].replace(str(first), "-")


def test_a_table_of_recordings(ask: Cli, ready, clips: Path, tmp_path: Path) -> None:
    paths = [str(clips / name / "clip.wav") for name in ("2", "0")]
    table = tmp_path / "clips.csv"
    table.write_text("take,recording\n" + "".join(f"t{n},{path}\n" for n, path in enumerate(paths)))
    options = ("--input", str(table), "--path-column", "recording", "--json", "--top-k", "2")
    result = ask("predict", *options)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    for number, (row, answer) in enumerate(zip(rows, ready.predict(paths), strict=True)):
        assert (row["take"], row["input"], row["label"]) == (
            f"t{number}",
            paths[number],
            answer.label,
        )
        best = sorted(answer.scores, reverse=True)[:2]
        assert list(row["probabilities"].values()) == pytest.approx(best, abs=1e-6)


def test_what_is_skipped_keeps_its_number(ask: Cli, clips: Path) -> None:
    for number in range(5):
        (clips / "1" / f"bad-{number}.wav").write_bytes(b"no sound")
    result = ask("predict", str(clips), "none.wav", "--skip-bad", "--json")
    indices = [json.loads(line)["index"] for line in result.stdout.splitlines()]
    assert indices == [0, 6, 7]
    assert result.stderr.startswith("warning: 6 bad recordings skipped: ")
    assert "bad-2.wav" in result.stderr
    assert "… and 3 more" in result.stderr
    assert "bad-3.wav" not in result.stderr


def test_nothing_or_too_much_to_predict(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "paths").write_text("a.wav\n")
    for arguments in ((), ("a.wav", "--input", str(tmp_path / "paths")), ("-", "-")):
        result = cli("speech", "predict", *arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith("error: ")


def stream() -> np.ndarray:
    """Four seconds at 8 kHz with four words in them."""
    sound = 0.1 * noise(4)[: 4 * RATE_HZ]
    for place in range(4):
        word = spoken(WORDS[place % 2], 400 + place)
        start = 4_000 + 7_000 * place
        sound[start : start + len(word)] += word
    return sound


def test_listen(ask: Cli, ready, tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    path.write_bytes(wav_bytes(stream()))
    lines = ask("listen", str(path), "--threshold", "0.4").stdout.splitlines()
    expected = list(ready.listen([stream()], threshold=0.4))
    assert len(lines) == len(expected) >= 2
    for line, heard in zip(lines, expected, strict=True):
        seconds, label, probability = line.split("\t")
        assert (seconds, label) == (f"{heard.time_ms / 1_000:.2f}", heard.label)
        assert float(probability) == pytest.approx(heard.probability, abs=2e-3)
    pcm = np.rint(stream() * 32_768).astype("<i2").tobytes()
    raw = ask("listen", "-", "--threshold", "0.4", "--json", input=pcm).stdout.splitlines()
    rows = [json.loads(line) for line in raw]
    assert [list(row) for row in rows] == [["seconds", "label", "probability"]] * len(rows)
    assert [row["label"] for row in rows] == [each.label for each in expected]
    assert ask("listen", str(path), "--threshold", "1").stdout == ""
    assert ask("listen", str(path), "--hop-ms", "120", "--smoothing-ms", "0").exit_code == 0


@pytest.mark.slow
def test_evaluate(ask: Cli, ready: Any, models: Path) -> None:
    result = ask("evaluate")
    (run,) = (models / "speech").iterdir()
    metrics = json.loads((run / "metrics.json").read_bytes())["metrics"]
    first, *figures = result.stdout.splitlines()
    assert first == "words, test: 33 clips"
    names = [name for name in get_about("speech").figures if name != "accuracy_8_khz"]
    assert [line.split()[0] for line in figures] == names  # the clips are at 8 kHz already
    for line in figures:
        name = line.split()[0]
        low, high = metrics[f"{name}_low"], metrics[f"{name}_high"]
        assert line.split() == f"{name} {metrics[name]:.4f} 95 %: {low:.4f} to {high:.4f}".split()
    assert result.stderr.splitlines()[-1] == f"report: {run / 'report.html'}"
    assert str(Path(ready.config.data.source).parent) not in (run / "report.html").read_text(
        encoding="utf-8"
    )
    assert (run / "report.html").stat().st_size > 10_000


def test_evaluate_on_other_clips_keeps_the_commands(ask: Cli, models: Path, toy_data) -> None:
    """A folder in which more is said: what is no command is unknown there too."""
    words = toy_data("speech")
    other = words.parent.parent / f"{words.parent.name}-other"
    shutil.copytree(words.parent, other, dirs_exist_ok=True)
    answer = json.loads(ask("evaluate", "--data", str(other / words.name), "--json").stdout)
    assert (answer["split"], answer["examples"]) == ("test", 33)
    (run,) = (models / "speech").iterdir()
    assert not (run / "metrics.json").exists()
    assert not (run / "report.html").exists()
    assert {path.suffix for path in (run / "evaluations").iterdir()} == {".json", ".html", ".npz"}


def test_train_and_resume(cli: Cli, toy_data, tmp_path: Path) -> None:
    sizes = ("--preset", "tiny", "--backbone", "gru", "--units", "8", "--epochs", "1")
    small = ("--set", "preprocessor.clip_seconds=0.3", "--commands", "up,stay", "--streaming")
    where = ("--data", str(toy_data("speech")), "--models-dir", str(tmp_path), "--skip-bad")
    result = cli("speech", "train", *where, *sizes, *small)
    assert result.exit_code == 0, result.stderr
    run = Path(result.stdout.strip())
    config = (run / "config.toml").read_text(encoding="utf-8")
    for line in ('    "up",\n    "stay",\n', "streaming = true", "skip_bad = true"):
        assert line in config
    assert "best validation loss " in result.stderr
    again = cli("speech", "train", "--resume", str(run))
    assert (again.exit_code, again.stdout) == (0, result.stdout)
    assert "already finished" in again.stderr
    refused = cli("speech", "train", "--resume", str(run), "--streaming")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "leave out --streaming" in refused.stderr


@pytest.mark.slow
def test_export(ask: Cli, models: Path) -> None:
    result = ask("export", "--name", "toy", "--no-verify")
    assert result.stdout == f"{models / 'exported' / 'toy' / '1'}\n"
    assert (Path(result.stdout.strip()) / "saved_model.pb").exists()


@pytest.mark.exhaustive
def test_export_for_small_devices(ask: Cli, models: Path) -> None:
    result = ask("export", "--format", "tflite")
    assert result.stdout == f"{models / 'tflite' / 'speech' / '1'}\n"
    names = {path.name for path in Path(result.stdout.strip()).iterdir()}
    files = {f"speech{kind}.tflite" for kind in ("", "-int8", "-step", "-step-int8")}
    assert names == {*files, "textapps.json"}
    *_, whole, small, step, small_step, pairs = result.stderr.splitlines()
    assert whole.startswith("float: ")
    assert small.startswith("int8: ")
    assert "accuracy" in small
    assert step.startswith("step float: ")
    assert small_step.startswith("step int8: ")
    assert pairs.startswith("of 33 clips float alone is right on ")


def test_export_for_a_microcontroller_needs_convolutions(cli: Cli, ready) -> None:
    result = cli("speech", "export", "--format", "micro", "--run", str(ready.run.path))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1].endswith("train one with --preset micro")
