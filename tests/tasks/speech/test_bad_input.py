"""What users hand over by mistake, and what they are told."""

import csv
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import Result

from tests.preprocessing.wav_files import chunk, layout, riff
from tests.tasks.toy_words import RATE_HZ, spoken, wav_bytes
from textapps.core.errors import DataError
from textapps.tasks import lifecycle
from textapps.tasks.speech import data
from textapps.tasks.speech.task import TASK

Make = Callable[[str, str], Any]
Tiny = Callable[..., Any]
Fails = Callable[..., None]

WORD = spoken("up", 64)
BAD_FILES = {
    "0 samples": (riff(chunk(b"fmt ", layout(rate=8_000)), chunk(b"data", b"")), "empty"),
    "nothing at all": (b"", "the file is empty"),
    "truncated RIFF": (wav_bytes(WORD)[:-700], "cut off, 699 bytes are missing"),
    "a truncated header": (wav_bytes(WORD)[:30], "cut off"),
    "a text": (b"no sound\n" * 40, "no audio that can be read"),
    "5 ms": (wav_bytes(WORD[:40]), "too short, 40 samples"),
}


@pytest.fixture
def words(toy_data: Callable[[str], Path], tmp_path: Path) -> Path:
    """A table of clips that a test may damage."""
    shutil.copytree(toy_data("speech").parent, tmp_path / "words")
    return tmp_path / "words" / "words.csv"


@pytest.fixture
def listening(trained: Make, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Commands get the recogniser that is there already."""
    recognizer = trained("speech", "lstm")
    monkeypatch.setattr(lifecycle, "load", lambda task, run: recognizer)
    return recognizer


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_named_and_can_be_skipped(
    listening: Any,
    cli: Callable[..., Result],
    assert_fails: Fails,
    tmp_path: Path,
    name: str,
) -> None:
    content, reason = BAD_FILES[name]
    bad, good = tmp_path / "bad.wav", tmp_path / "good.wav"
    bad.write_bytes(content)
    good.write_bytes(wav_bytes(WORD))
    run = ("--run", str(listening.run.path))
    assert_fails(cli("speech", "predict", str(bad), *run), 3, f"{bad}: ", reason)
    result = cli("speech", "predict", str(bad), str(good), "--skip-bad", *run)
    assert result.exit_code == 0
    assert result.stdout.split("\t")[0] == "up"
    assert f"1 bad recording skipped: {bad}: " in result.stderr
    assert reason in result.stderr


@pytest.mark.parametrize(
    ("rate_hz", "subtype", "channels"),
    [(8_000, "PCM_16", 1), (44_100, "PCM_16", 2), (16_000, "PCM_24", 1), (8_000, "FLOAT", 1)],
)
def test_rates_and_kinds_of_samples(
    listening: Any, tmp_path: Path, rate_hz: int, subtype: str, channels: int
) -> None:
    sound = data.resampled(WORD, RATE_HZ, rate_hz)
    path = tmp_path / "word.wav"
    soundfile.write(path, np.repeat(sound[:, None], channels, axis=1), rate_hz, subtype=subtype)
    (answer,) = listening.predict([path])
    (expected,) = listening.predict([WORD])
    assert answer.label == expected.label == "up"
    np.testing.assert_allclose(answer.scores, expected.scores, atol=0.02)


def test_all_zeros(listening: Any) -> None:
    (answer,) = listening.predict([wav_bytes(np.zeros(2_400, np.float32))])
    assert np.isfinite(answer.scores).all()
    assert sum(answer.scores) == pytest.approx(1, abs=1e-5)


def test_ten_minutes(
    listening: Any, cli: Callable[..., Result], assert_fails: Fails, tmp_path: Path
) -> None:
    long = tmp_path / "long.wav"
    long.write_bytes(wav_bytes(np.zeros(600 * RATE_HZ, np.float32)))
    result = cli("speech", "predict", str(long), "--run", str(listening.run.path))
    assert_fails(
        result, 3, f"{long}: 600.0 s long", "the limit is 30 s", "`textapps speech listen`"
    )


def test_a_class_of_one_clip(
    words: Path, tiny: Tiny, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with words.open(newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    kept = [row for row in rows if row[1] != "stay"]
    single = next(row for row in rows if row[1] == "stay" and row[2] == "train")

    def write(chosen: list[list[str]]) -> None:
        with words.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([head, *chosen])

    write([*kept, single])
    caplog.set_level(logging.WARNING, "textapps")
    config = tiny("speech", "simple_rnn", **{"data.source": str(words)})
    assert "stay" in lifecycle.begin(TASK, config, tmp_path).labels
    assert "words: only one clip of stay to train on" in caplog.text
    assert "words: no clip of stay in validation" in caplog.text
    write(kept)
    with pytest.raises(DataError, match=r"words: unknown command 'stay', choose from .*up"):
        lifecycle.begin(TASK, config, tmp_path)


def test_a_bad_file_among_many_to_train_on(
    words: Path, tiny: Tiny, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad = words.parent / "1" / "7.wav"
    bad.write_bytes(b"not a sound")
    changes = {"data.source": str(words)}
    with pytest.raises(DataError, match=rf"{bad}: no audio that can be read"):
        lifecycle.train(TASK, tiny("speech", "simple_rnn", **changes), tmp_path / "first")
    assert not (tmp_path / "first").exists()
    caplog.set_level(logging.WARNING, "textapps")
    config = tiny("speech", "simple_rnn", **changes, **{"data.skip_bad": True})
    made = lifecycle.begin(TASK, config, tmp_path)
    assert f"words: 1 bad recording skipped: {bad}: no audio" in caplog.text
    assert (made.run.path / "data.json").exists()


def test_what_cannot_be_listened_to(
    listening: Any, cli: Callable[..., Result], assert_fails: Fails, tmp_path: Path
) -> None:
    run = ("--run", str(listening.run.path))
    text = tmp_path / "words.txt"
    text.write_text("no sound")
    assert_fails(cli("speech", "listen", str(text), *run), 3, "no audio that can be read")
    missing = str(tmp_path / "none.wav")
    assert_fails(cli("speech", "listen", missing, *run), 3, f"{missing}: no such file")
    pipe = tmp_path / "pipe.wav"
    os.mkfifo(pipe)
    told = f"{pipe}: a pipe, not a recording; of a pipe, '-' reads raw samples"
    assert_fails(cli("speech", "listen", str(pipe), *run), 3, told)
    assert_fails(cli("speech", "listen", str(tmp_path), *run), 3, f"{tmp_path}: a folder, not a")
    assert_fails(cli("speech", "listen", "-", *run, input=b""), 3, "no samples")
    wav = wav_bytes(WORD)
    assert_fails(cli("speech", "listen", "-", *run, input=wav), 3, "arecord -t raw")
    wrong = cli("speech", "listen", str(text), "--threshold", "2", *run)
    assert_fails(wrong, 2, "threshold", "less than or equal to 1")
    wide = cli("speech", "listen", str(text), "--hop-ms", "900", *run)
    assert_fails(wide, 2, "hop_ms 900 must not be more than")
