"""Texts and options that cannot be used: one line that says so, the right exit code."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests import processes

Cli = Callable[..., Result]
Fails = Callable[..., None]
Make = Callable[[str, str], Any]

TRAIN = ("generate", "train", "--preset", "tiny", "--backbone", "simple_rnn")
GOOD = b"the cat sat on the mat.\n" * 40


@pytest.fixture(scope="session")
def text_models(untrained: Make) -> Path:
    """A folder with one finished run, which no test may change."""
    path: Path = untrained("generate", "gru").run.path
    return path.parents[1]


@pytest.mark.parametrize(
    ("content", "options", "code", "parts"),
    [
        (None, [], 3, ["no such file or folder", "verses.txt"]),
        (b"", [], 3, ["verses.txt is empty"]),
        (b"\xef\xbb\xbf", [], 3, ["verses.txt is empty"]),
        (b"a cat", [], 3, ["verses: no text for validation", "--validation-data", "--split"]),
        (GOOD[:30], [], 3, ["verses: 28 characters", "a chunk of 32", "model.chunk"]),
        (GOOD, ["--set", "model.chunk=864"], 3, ["verses: 864 characters", "a chunk of 864"]),
        (GOOD, ["--split", "0.03"], 3, ["verses: 28 characters", "a chunk of 32"]),
        (GOOD, ["--split", "0.001"], 3, ["verses: no text for train"]),
        (GOOD, ["--split", "1"], 2, ["data.split = 1", "--split", "less than 1"]),
        (
            GOOD,
            ["--mixed-precision", "--set", "backbone.recurrent_dropout=0.2"],
            2,
            ["backbone.recurrent_dropout needs full precision"],
        ),
        (GOOD, ["--set", "model.chunk=0"], 2, ["model.chunk = 0", "greater than or equal to 1"]),
        (GOOD + b"caf\xe9", [], 3, ["verses.txt: not UTF-8 (byte 0xe9 at position 964)"]),
        (GOOD + b"a\0b", [], 3, ["verses.txt: a NUL character"]),
        (GOOD.decode().encode("utf-16-le"), [], 3, ["verses.txt: a NUL character"]),
        (b"\x7fELF\x02\x01\x01" + bytes(9), [], 3, ["verses.txt: a NUL character"]),
        (GOOD, ["--validation-data", "nowhere.txt"], 3, ["no such file or folder: nowhere.txt"]),
    ],
)
def test_bad_texts(
    cli: Cli,
    assert_fails: Fails,
    tmp_path: Path,
    content: bytes | None,
    options: list[str],
    code: int,
    parts: list[str],
) -> None:
    path = tmp_path / "verses.txt"
    if content is not None:
        path.write_bytes(content)
    models = tmp_path / "models"
    result = cli(*TRAIN, "--data", str(path), "--models-dir", str(models), *options)
    assert_fails(result, code, *parts)
    assert not models.exists()


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (["--length", "0"], ["length = 0", "--length", "greater than or equal to 1"]),
        (["--length", "100001"], ["length = 100001", "less than or equal to 100000"]),
        (["--length", "long"], ["--length", "'long'"]),
        (["--temperature", "-1"], ["temperature = -1.0", "greater than or equal to 0"]),
        (["--temperature", "nan"], ["temperature = NaN"]),
        (["--top-k", "-1"], ["top_k = -1", "greater than or equal to 0"]),
        (["--top-p", "0"], ["top_p = 0.0", "greater than 0"]),
        (["--top-p", "1.1"], ["top_p = 1.1", "less than or equal to 1"]),
        (["--min-p", "1.1"], ["min_p = 1.1", "less than or equal to 1"]),
        (["--repetition-penalty", "0.5"], ["repetition_penalty = 0.5", "equal to 1"]),
        (["--stop", ""], ['stop = ""', "at least 1 character"]),
        (["--count", "0"], ["--count", "0"]),
        (["--random-seed", "-1"], ["--random-seed", "-1"]),
        (["--input", "nowhere.txt"], ["--input", "nowhere.txt"]),
        (["--temprature", "1"], ["unknown option '--temprature'", "'--temperature'"]),
    ],
    ids=" ".join,
)
def test_wrong_options(
    cli: Cli, assert_fails: Fails, tmp_path: Path, options: list[str], parts: list[str]
) -> None:
    """Refused before a run is looked for."""
    assert_fails(cli("generate", *options, "--models-dir", str(tmp_path)), 2, *parts)


def test_top_k_above_the_vocabulary(cli: Cli, assert_fails: Fails, text_models: Path) -> None:
    where = ("--models-dir", str(text_models), "--length", "3")
    result = cli("generate", "--seed", "the", "--top-k", "5000", *where)
    assert_fails(result, 2, "top_k 5000 is more than the 20 characters that the model knows")
    assert cli("generate", "--seed", "the", "--top-k", "20", *where).exit_code == 0


@pytest.mark.slow
def test_a_seed_longer_than_the_context(cli: Cli, untrained: Make) -> None:
    """What lies further back than the transformer sees is forgotten, and no error."""
    generator = untrained("generate", "transformer")
    seen = generator.config.backbone.context * generator.config.backbone.layers
    end = "the dog, größer, sat on the log.\n" * (1 + seen // 20)
    assert len(end) > seen
    options = ("--length", "5", "--json", "--random-seed", "3")
    where = ("--models-dir", str(generator.run.path.parents[1]))
    answers = []
    for seed in (end, "the cat " * 100 + end):
        result = cli("generate", "predict", seed, *options, *where)
        assert result.exit_code == 0, result.stderr
        answers.append(json.loads(result.stdout)["text"])
    assert len(answers[0]) == 5
    assert answers[0] == answers[1]


def test_the_oddest_seeds_are_continued(cli: Cli, text_models: Path) -> None:
    lines = b"the cat\n\n\0\n\xff\xfe\n\xf0\x9f\x98\x80\r\nno end of line"
    options = ("--length", "4", "--json", "--models-dir", str(text_models))
    result = cli("generate", "predict", "-", *options, input=lines)
    assert result.exit_code == 0, result.stderr
    answers = [json.loads(line) for line in result.stdout.split("\n")[:-1]]
    assert [len(answer["text"]) for answer in answers] == [4] * 6
    assert [answer["input"] for answer in answers[2:5]] == ["\0", "\ufffd\ufffd", "\U0001f600"]
    assert "'\\x00', '\ufffd', '😀'" in result.stderr
    assert "warning: standard input:3: " in result.stderr


def test_no_seeds_at_all(cli: Cli, text_models: Path) -> None:
    result = cli("generate", "predict", "-", "--models-dir", str(text_models), input=b"")
    assert (result.exit_code, result.stdout) == (0, "")


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (None, ["nowhere", "No such file"]),
        (b"", ["is empty"]),
        (b"a\0b", ["a NUL character"]),
        (b"caf\xe9", ["not UTF-8 (byte 0xe9 at position 4)"]),
    ],
)
def test_texts_that_cannot_be_scored(
    cli: Cli,
    assert_fails: Fails,
    tmp_path: Path,
    text_models: Path,
    content: bytes | None,
    parts: list[str],
) -> None:
    where = ("--models-dir", str(text_models))
    if content is None:
        assert_fails(cli("generate", "score", "nowhere", *where), 3, *parts)
        return
    path = tmp_path / "text.txt"
    path.write_bytes(content)
    assert_fails(cli("generate", "score", str(path), *where), 3, *parts)
    assert_fails(cli("generate", "score", "-", *where, input=content), 3, *parts)


@pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="no pipes that break")
def test_a_reader_that_has_enough(text_models: Path) -> None:
    """As `textapps generate --seed … | head -c 5`: no traceback, and not to the end."""
    command = ("generate", "--seed", "the", "--length", "90000", "--random-seed", "1")
    process = processes.Popen(
        [sys.executable, "-m", "textapps", *command, "--models-dir", str(text_models)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.read(5).startswith(b"the")
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert (process.wait(100), errors.count(b"\n")) == (0, 1)
    assert errors.endswith(b" answers; --run names another one\n")
