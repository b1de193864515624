"""Listening: thresholds by false alarms, microphones, formats, and clips that were uncertain."""

import errno
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import Result

from tests.tasks.toy_words import RATE_HZ, WORDS, noise, spoken, wav_bytes
from textapps.core import files
from textapps.core.errors import ConfigurationError, DataError
from textapps.decoding.config import DetectionConfig
from textapps.decoding.detector import Detection
from textapps.tasks import lifecycle
from textapps.tasks.speech import calibration
from textapps.tasks.speech.calibration import threshold_for_alarms
from textapps.tasks.speech.microphone import microphone_pieces
from textapps.tasks.speech.uncertain import UncertainClips
from textapps.training.checkpoint import CheckpointStore

Make = Callable[[str, str], Any]
Cli = Callable[..., Result]
Fails = Callable[..., None]


@pytest.fixture(scope="module")
def base(trained: Make) -> Any:
    return trained("speech", "lstm")


@pytest.fixture
def listening(base: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Commands get the recogniser that is there already."""
    monkeypatch.setattr(lifecycle, "load", lambda task, run: base)
    return base


def stream() -> Any:
    """Four seconds at 8 kHz with four words in them."""
    sound = 0.1 * noise(4)[: 4 * RATE_HZ]
    for place in range(4):
        word = spoken(WORDS[place % 2], 400 + place)
        start = 4_000 + 7_000 * place
        sound[start : start + len(word)] += word
    return sound


def rows(*alarms: float) -> list[dict[str, float]]:
    """Figures of rising thresholds."""
    return [
        {"threshold": 0.2 + place / 10, "false_alarms_per_hour": each, "miss_rate": place / 10}
        for place, each in enumerate(alarms)
    ]


@pytest.mark.parametrize(
    ("allowed", "expected"), [(9, 0.2), (8, 0.2), (7, 0.4), (5, 0.4), (4, 0.5), (2.5, 0.5)]
)
def test_of_those_with_few_alarms_the_one_with_fewest_misses(
    base: Any, monkeypatch: Any, allowed: float, expected: float
) -> None:
    made = rows(8, 9, 5, 2.5, 4, 0)
    made[-1]["miss_rate"] = 1.0  # it detects nothing
    monkeypatch.setattr(calibration, "_kept", lambda *_: made)
    found = threshold_for_alarms(base, allowed, base.config.detection)
    assert found == pytest.approx(expected)


def test_too_few_alarms_are_asked_for(base: Any, monkeypatch: Any) -> None:
    made = rows(8, 9, 5, 2.5, 4, 0)
    made[-1]["miss_rate"] = 1.0
    monkeypatch.setattr(calibration, "_kept", lambda *_: made)
    with pytest.raises(ConfigurationError, match=r"per-hour 2 is not reached.* has 2\.5 or more"):
        threshold_for_alarms(base, 2, base.config.detection)
    deaf = [{**row, "miss_rate": 1.0} for row in made]
    monkeypatch.setattr(calibration, "_kept", lambda *_: deaf)
    with pytest.raises(ConfigurationError, match=r"no threshold detects half of the commands; "):
        threshold_for_alarms(base, 2, base.config.detection)


def test_the_calibration_stream_is_heard_once(
    base: Any, copied: Any, monkeypatch: Any, tmp_path: Path
) -> None:
    recognizer = copied(base)
    monkeypatch.setattr(calibration, "SECONDS", 40.0)
    heard = []
    listener = recognizer.listener

    def counted(hop_ms: int) -> Any:
        heard.append(hop_ms)
        return listener(hop_ms)

    recognizer.listener = counted
    config = recognizer.config.detection
    first = threshold_for_alarms(recognizer, 1_000, config)
    assert first == threshold_for_alarms(recognizer, 1_000, config)
    assert heard == [config.hop_ms]
    other = config.model_copy(update={"smoothing_ms": 200})
    threshold_for_alarms(recognizer, 1_000, other)
    assert heard == [config.hop_ms] * 2
    found = list(recognizer.listen([stream()], false_alarms_per_hour=1_000, smoothing_ms=200))
    assert {each.label for each in found} <= set(recognizer.commands)
    assert heard == [config.hop_ms] * 3  # once to listen
    further = SimpleNamespace(best_step=-1)
    monkeypatch.setattr(CheckpointStore, "newest_state", lambda store: further)
    threshold_for_alarms(recognizer, 1_000, other)  # of a run that was trained further
    assert heard == [config.hop_ms] * 4


def test_without_validation_clips(base: Any, copied: Any, tmp_path: Path) -> None:
    lost = base.config.data.model_copy(update={"source": str(tmp_path / "gone")})
    moved = copied(base)
    moved.config = base.config.model_copy(update={"data": lost})
    with pytest.raises(DataError, match=r"^give --threshold: .*gone"):
        moved.listen([stream()], false_alarms_per_hour=2)


def test_a_recording_that_is_shorter_than_a_clip_is_heard(base: Any) -> None:
    """As `predict` hears it: padded with silence at its end."""
    for seconds in (0.2, 0.4, 0.9):
        word = spoken(WORDS[0], 400)[: int(seconds * RATE_HZ)]
        (heard, *_) = [one for one in base.listener(100).answers([word]) if len(one.scores)]
        (answer,) = base.predict([word])
        assert heard.scores[0] == pytest.approx(answer.scores, abs=1e-5)


def test_close_misses_that_wait_are_saved_at_an_interruption(
    base: Any, monkeypatch: Any, tmp_path: Path
) -> None:
    def pieces() -> Any:
        yield stream()[: 2 * RATE_HZ]
        raise KeyboardInterrupt

    saved = []
    monkeypatch.setattr(UncertainClips, "finish", lambda self: saved.append(len(self._waiting)))
    found = base.listen(pieces(), save_uncertain=tmp_path, threshold=1.0)
    with pytest.raises(KeyboardInterrupt):
        list(found)
    assert saved


def test_formats(listening: Any, cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    path.write_bytes(wav_bytes(stream()))
    run = ("--run", str(listening.run.path), "--threshold", "0.4")
    lines = cli("speech", "listen", str(path), *run).stdout.splitlines()
    subtitles = cli("speech", "listen", str(path), *run, "--output-format", "srt").stdout
    blocks = subtitles.removesuffix("\n").split("\n\n")
    assert len(blocks) == len(lines) >= 2
    for number, (block, line) in enumerate(zip(blocks, lines, strict=True), 1):
        seconds, label, _ = line.split("\t")
        first, times, said = block.strip().split("\n")
        assert (first, said) == (str(number), label)
        start, end = (float(time[-6:].replace(",", ".")) for time in times.split(" --> "))
        assert end == pytest.approx(float(seconds), abs=0.006)
        assert end - start == pytest.approx(0.3, abs=0.002)
    json_lines = cli("speech", "listen", str(path), *run, "--output-format", "jsonl").stdout
    assert json_lines == cli("speech", "listen", str(path), *run, "--json").stdout != ""


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "give a FILE, '-' or --microphone"),
        (("a.wav", "--microphone"), "give a FILE, '-' or --microphone"),
        (("-", "--json", "--output-format", "srt"), "contradict"),
        (("-", "--threshold", "0.5", "--false-alarms-per-hour", "2"), "choose the same thing"),
    ],
)
def test_options_that_do_not_go_together(cli: Cli, options: tuple[str, ...], told: str) -> None:
    result = cli("speech", "listen", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr


class Microphone:
    """As sounddevice has it: calls back with some blocks, and then with none."""

    def __init__(self, *, callback: Any, blocksize: int, **_: Any) -> None:
        self.active = True
        self._callback, self._size = callback, blocksize

    def __enter__(self) -> "Microphone":
        for number in range(3):
            block = np.full((self._size, 1), number / 10, np.float32)
            self._callback(block, self._size, None, None)
        return self

    def __exit__(self, *_: object) -> None:
        self.active = False


@pytest.fixture
def sounddevice(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A stand-in for the package."""
    module: Any = ModuleType("sounddevice")
    module.PortAudioError = type("PortAudioError", (Exception,), {})
    module.InputStream = Microphone
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    monkeypatch.setattr("textapps.tasks.speech.microphone._PATIENCE_SECONDS", 0.01)
    return module


def test_a_microphone_that_vanishes(sounddevice: Any) -> None:
    pieces = microphone_pieces(RATE_HZ)
    heard = [next(pieces) for _ in range(3)]
    assert [piece.shape for piece in heard] == [(400,)] * 3
    np.testing.assert_allclose([piece[0] for piece in heard], [0, 0.1, 0.2])
    with pytest.raises(DataError, match="the microphone has vanished"):
        next(pieces)


def test_no_microphone(
    listening: Any, sounddevice: Any, cli: Cli, assert_fails: Fails, monkeypatch: Any
) -> None:
    def fail(**_: object) -> None:
        raise sounddevice.PortAudioError("Error querying device -1")

    run = ("--run", str(listening.run.path))
    monkeypatch.setattr(sounddevice, "InputStream", fail)
    result = cli("speech", "listen", "--microphone", *run)
    assert_fails(result, 3, "no microphone can be read (Error querying device -1)", "listen -")
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    result = cli("speech", "listen", "--microphone", *run)
    assert_fails(result, 2, "--microphone needs the package sounddevice", "textapps[microphone]")


CONFIG = DetectionConfig(threshold=0.8, smoothing_ms=0, refractory_ms=500, hop_ms=100)


def uncertain_of(folder: Path, peaks: dict[int, float]) -> UncertainClips:
    """Thirty hops of 100 ms, in which the probability of "go" has these peaks."""
    clips = UncertainClips(["go", "silence"], ["go"], CONFIG, folder, 1_000, 300)
    for hop in range(30):
        (piece,) = clips.recorded([np.full(100, hop / 100, np.float32)])
        assert len(piece) == 100
        probability = peaks.get(hop, 0.0)
        time_ms = 100.0 * (hop + 1)
        found = [Detection("go", time_ms, probability)] if probability >= 0.8 else []
        clips.watch([[probability, 1 - probability]], np.array([time_ms]), found)
    clips.finish()
    return clips


def test_close_misses_are_saved_with_their_sound(tmp_path: Path) -> None:
    clips = uncertain_of(tmp_path / "new", {9: 0.6, 20: 0.4})
    assert clips.saved == 1
    (path,) = (tmp_path / "new").iterdir()
    assert path.name == "go-1.00s.wav"
    sound, rate_hz = soundfile.read(path)
    assert (rate_hz, len(sound)) == (1_000, 700)  # a clip, and 200 ms on both sides
    np.testing.assert_allclose(sound[[0, 499, 699]], [0.05, 0.09, 0.11], atol=1e-4)


def test_clips_of_an_earlier_call_stay(tmp_path: Path) -> None:
    for peak in (0.6, 0.7, 0.6):
        uncertain_of(tmp_path, {9: peak})
    names = [path.name for path in sorted(tmp_path.iterdir())]
    assert names == ["go-1.00s-2.wav", "go-1.00s-3.wav", "go-1.00s.wav"]


@pytest.mark.parametrize("peaks", [{9: 0.6, 12: 0.9}, {9: 0.9, 12: 0.6}, {9: 0.9}, {3: 0.3}])
def test_what_was_detected_or_far_from_it_is_not_saved(
    tmp_path: Path, peaks: dict[int, float]
) -> None:
    assert uncertain_of(tmp_path / "new", peaks).saved == 0
    assert not (tmp_path / "new").exists()


def test_uncertain_clips_of_a_recording(
    listening: Any, cli: Cli, assert_fails: Fails, tmp_path: Path, monkeypatch: Any
) -> None:
    path = tmp_path / "long.wav"
    path.write_bytes(wav_bytes(stream()))
    run = ("--run", str(listening.run.path), "--threshold", "1")
    saved = tmp_path / "uncertain"
    result = cli("speech", "listen", str(path), *run, "--save-uncertain", str(saved))
    assert (result.exit_code, result.stdout) == (0, "")
    found = sorted(saved.iterdir())
    assert found
    answers = listening.predict([str(each) for each in found])
    for each, answer in zip(found, answers, strict=True):
        assert each.name.startswith(answer.label.replace(", ", "_"))

    def full(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files, "write_file", full)
    result = cli("speech", "listen", str(path), *run, "--save-uncertain", str(saved))
    assert_fails(result, 1, f"{saved}: No space left on device", "free some space")
