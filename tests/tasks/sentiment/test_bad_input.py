"""Wrong data, options and configuration: one line that says so, the right exit code."""

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Cli = Callable[..., Result]
Fails = Callable[..., None]

TRAIN = ("sentiment", "train", "--preset", "tiny", "--backbone", "simple_rnn")
GOOD = b"label,text\n" + b"".join(
    b"%s,text %d\n" % (label, number) for number in range(40) for label in (b"pos", b"neg")
)


@pytest.mark.parametrize(
    ("content", "options", "parts"),
    [
        (None, [], ["no such file or folder", "reviews.csv"]),
        (b"", [], ["reviews.csv: no rows in this file"]),
        (b"label,text\n", [], ["reviews.csv: no rows in this file"]),
        (b"label,review_text\npos,good\n", [], ["no text column", "--text-column"]),
        (GOOD, ["--label-column", "labl"], ["no column 'labl'", "did you mean 'label'?"]),
        (GOOD.replace(b"neg,", b"pos,"), [], ["only one class, 'pos'"]),
        (b"label,text\npos,good\nneg,bad\n", [], ["class 'neg' has too few rows (1)"]),
        (GOOD + b"pos,caf\xe9\n", [], ["reviews.csv:82: not UTF-8 (byte 0xe9 at position 8)"]),
        (GOOD + b"pos,a\0b\n", [], ["reviews.csv:82: a NUL character"]),
        (GOOD.decode().encode("utf-16-le"), [], ["reviews.csv:1: a NUL character"]),
        (GOOD + b"pos,one,two\n", [], ["reviews.csv:82: 3 cells in 2 columns"]),
        (GOOD + b",no label\n", [], ["reviews.csv:82: no label"]),
    ],
    ids=lambda value: None if isinstance(value, list) else f"{len(value or b'')} bytes",
)
def test_bad_data(
    cli: Cli,
    assert_fails: Fails,
    tmp_path: Path,
    content: bytes | None,
    options: list[str],
    parts: list[str],
) -> None:
    path = tmp_path / "reviews.csv"
    if content is not None:
        path.write_bytes(content)
    models = tmp_path / "models"
    result = cli(*TRAIN, "--data", str(path), "--models-dir", str(models), *options)
    assert_fails(result, 3, *parts)
    assert not models.exists()


def test_a_mistyped_file_is_suggested(cli: Cli, assert_fails: Fails, tmp_path: Path) -> None:
    (tmp_path / "reviews.csv").write_bytes(GOOD)
    result = cli(*TRAIN, "--data", str(tmp_path / "review.csv"), "--models-dir", str(tmp_path))
    assert_fails(result, 3, f"did you mean '{tmp_path / 'reviews.csv'}'?")


def test_without_network_a_set_that_is_not_there_fails_soon(
    cli: Cli, assert_fails: Fails, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    monkeypatch.setattr(socket.socket, "connect", no_network)
    import tensorflow_datasets  # noqa: F401  (its import is not what is timed)

    began = time.monotonic()
    result = cli(*TRAIN, "--data", "imdb_reviews", "--data-dir", str(tmp_path))
    assert_fails(result, 3, "imdb_reviews: no network", "--data-dir", str(tmp_path))
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(("bom", "end"), [(b"", b"\n"), (b"\xef\xbb\xbf", b"\r\n")])
def test_marks_line_ends_and_long_lines_change_nothing(
    cli: Cli, models: Path, traced: None, tmp_path: Path, bom: bytes, end: bytes
) -> None:
    texts = [b"a fine film", "dull\u0085 night \u2028 x".encode(), b"the film " * 116_000, b"meh"]
    table = tmp_path / "more.csv"
    rows = [b"split,label,text", *(b"test,0," + text for text in texts)]
    table.write_bytes(bom + b"".join(row + end for row in rows))
    data = ("--data", str(table))
    result = cli("sentiment", "evaluate", *data, "--json", "--models-dir", str(models))
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["examples"] == 4

    lines = tmp_path / "texts.txt"
    lines.write_bytes(bom + b"".join(text + end for text in texts))
    arguments = ("sentiment", "predict", "--json", "--models-dir", str(models))
    answers = cli(*arguments, "--input", str(lines))
    expected = cli(*arguments, *(text.decode() for text in texts))
    assert answers.stdout == expected.stdout
    assert len(answers.stdout.split("\n")) == 5
    assert answers.stderr == expected.stderr
    assert answers.stderr.startswith(
        "texts of more than 200 tokens (preprocessor.max_tokens): 1 of 4"
    )


def test_no_line_to_predict_is_too_odd(
    cli: Cli, models: Path, traced: None, tmp_path: Path
) -> None:
    lines = b"a fine film\n\n\0\n\xff\xfe\n \t \nawful\0film\nno end of line"
    result = cli("sentiment", "predict", "-", "--models-dir", str(models), input=lines)
    assert result.exit_code == 0, result.stderr
    assert len(result.stdout.splitlines()) == 7
    path = tmp_path / "texts.txt"
    for number, line in ((3, b"\0"), (2, b"\xff\xfe")):
        path.write_bytes(b"a fine film\n" * (number - 1) + line)
        result = cli("sentiment", "predict", "--input", str(path), "--models-dir", str(models))
        assert (result.exit_code, result.stdout) == (3, "")
        assert f"texts.txt:{number}: " in result.stderr
    empty = tmp_path / "empty.txt"
    empty.touch()
    result = cli("sentiment", "predict", "--input", str(empty), "--models-dir", str(models))
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (["--backbone", "gur"], ["unknown backbone 'gur'", "did you mean 'gru'?"]),
        (["--preset", "smal"], ["unknown preset 'smal'", "did you mean 'small'?"]),
        (["--tokens", "words"], ["unknown kind of token 'words'", "did you mean 'word'?"]),
        (["--set", "backbone.kind=gur"], ["backbone.kind", "did you mean 'gru'?"]),
        (["--set", "preset=smal"], ["unknown preset 'smal'", "did you mean 'small'?"]),
        (["--set", "training.epoch=3"], ["'training.epoch'", "--set", "did you mean 'epochs'?"]),
        (["--set", "trainig.epochs=3"], ["'trainig", "did you mean 'training'?"]),
        (["--set", "training.epochs"], ["does not have the form KEY=VALUE"]),
        (["--set", "training.schedule=liner"], ["training.schedule", "did you mean 'linear'?"]),
        (["--epochs", "0"], ["training.epochs = 0", "--epochs", "greater than or equal to 1"]),
        (["--epochs", "many"], ["--epochs", "many"]),
        (["--dropout", "1"], ["backbone.dropout = 1", "less than 1"]),
        (["--epoch", "3"], ["unknown option '--epoch'", "did you mean '--epochs'?"]),
        (["--units", "7"], ["backbone.units", "even"]),
        (["--backbone", "transformer", "--units", "30"], ["units 30 must be a multiple of"]),
        (["--config", "nowhere.toml"], ["nowhere.toml"]),
        (["more"], ["unexpected extra argument"]),
    ],
    ids=" ".join,
)
def test_wrong_options(
    cli: Cli, assert_fails: Fails, tmp_path: Path, options: list[str], parts: list[str]
) -> None:
    models = tmp_path / "models"
    result = cli("sentiment", "train", "--data", "sample", "--models-dir", str(models), *options)
    assert_fails(result, 2, *parts)
    assert not models.exists()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[training]\nepoch = 3\n", ["unknown key 'training.epoch' in", "did you mean 'epochs'?"]),
        ("[trainig]\nepochs = 3\n", ["unknown key 'trainig", "did you mean 'training'?"]),
        ('[training]\nepochs = "3"\n', ['training.epochs = "3" in', "integer"]),
        ("[training\n", ["is not valid TOML"]),
        (
            "format = 2\n",
            ["has format 2, this version of textapps reads 1", "install a newer textapps"],
        ),
        ('task = "translate"\n', ["task", "sentiment"]),
        ('preset = "smal"\n', ["unknown preset 'smal'", "did you mean 'small'?"]),
    ],
)
def test_wrong_configuration_files(
    cli: Cli, assert_fails: Fails, tmp_path: Path, text: str, parts: list[str]
) -> None:
    path, models = tmp_path / "config.toml", tmp_path / "models"
    path.write_text(text)
    options = ("--config", str(path), "--models-dir", str(models))
    assert_fails(cli("sentiment", "train", "--data", "sample", *options), 2, *parts)
    assert not models.exists()


@pytest.mark.parametrize(
    ("name", "value", "parts"),
    [
        ("TEXTAPPS_TRAINING__EPOCH", "3", ["training.epoch'", "did you mean 'epochs'?"]),
        ("TEXTAPPS_TRAINING__EPOCHS", "three", ["training.epochs = ", "TEXTAPPS_TRAINING__EPOCHS"]),
        ("TEXTAPPS_PRESET", "smal", ["unknown preset 'smal'", "did you mean 'small'?"]),
        ("TEXTAPPS_TRAINING", "3", ["TEXTAPPS_TRAINING__KEY"]),
    ],
)
def test_wrong_environment(
    cli: Cli,
    assert_fails: Fails,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    parts: list[str],
) -> None:
    monkeypatch.setenv(name, value)
    assert_fails(cli("sentiment", "train", "--data", "sample"), 2, *parts)
