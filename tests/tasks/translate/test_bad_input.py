"""Pairs, sentences and options that cannot be used: one line that says so, the right exit code."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.tasks.toy_language import sentences, translate

Cli = Callable[..., Result]
Fails = Callable[..., None]

TRAIN = ("translate", "train", "--preset", "tiny", "--backbone", "gru", "--units", "6")
ROWS = [f"{source}\t{translate(source)}\n" for source in sentences(60)]
GOOD = "".join(ROWS)


@pytest.fixture(scope="session")
def toy_models(trained: Callable[[str, str], Any]) -> Path:
    """A folder with one finished run, which no test may change."""
    path: Path = trained("translate", "gru").run.path
    return path.parents[1]


@pytest.mark.parametrize(
    ("content", "options", "code", "parts"),
    [
        (None, [], 3, ["no such file or folder", "pairs.tsv"]),
        ("", [], 3, ["no rows in this file"]),
        ("\n \n", [], 3, ["pairs.tsv: no rows in this file"]),
        (GOOD + "bab.\t\n", [], 3, ["pairs.tsv:61: no target sentence in this pair"]),
        (GOOD + "\n\n \tabax.\n", [], 3, ["pairs.tsv:63: no source sentence in this pair"]),
        (GOOD + "bab.\n", [], 3, ["pairs.tsv:61: no target sentence"]),
        (GOOD + "b\0b\tabax.\n", [], 3, ["pairs.tsv:61", "NUL"]),
        (GOOD.encode() + b"caf\xe9\tabax.\n", [], 3, ["pairs.tsv:61", "UTF-8"]),
        ("".join(ROWS[:1]), [], 3, ["pairs: no pairs for"]),
        (GOOD, ["--validation-data", "nowhere.tsv"], 3, ["no such file or folder: nowhere.tsv"]),
        (GOOD, ["--source-column", "en"], 2, ["source_column and target_column go together"]),
        (
            GOOD,
            ["--source-column", "en", "--target-column", "de"],
            3,
            ["pairs.tsv", "no column 'en'"],
        ),
        (GOOD, ["--vocabulary-size", "9"], 2, ["vocabulary_size 9 is too small", "at least"]),
        (GOOD, ["--vocabulary-size", "7"], 2, ["preprocessor.vocabulary_size = 7"]),
        (GOOD, ["--attention", "dots"], 2, ["unknown attention 'dots'", "'dot'"]),
        (GOOD, ["--tokens", "words"], 2, ["unknown kind of token 'words'", "'word'"]),
        (
            GOOD,
            ["--tokens", "word", "--set", "preprocessor.sampling_alpha=0.1"],
            2,
            ["sampling_alpha needs tokens = 'subword'"],
        ),
        (GOOD, ["--set", "model.label_smoothing=1"], 2, ["model.label_smoothing = 1"]),
    ],
)
def test_bad_pairs_and_options_of_training(
    cli: Cli,
    assert_fails: Fails,
    tmp_path: Path,
    content: str | bytes | None,
    options: list[str],
    code: int,
    parts: list[str],
) -> None:
    path = tmp_path / "pairs.tsv"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    models = tmp_path / "models"
    result = cli(*TRAIN, "--data", str(path), "--models-dir", str(models), *options)
    assert_fails(result, code, *parts)
    assert not models.exists()


@pytest.mark.parametrize(
    ("source", "target", "parts"),
    [
        ("a.\nb.\nc.\n", "x.\ny.\n", ["unequal numbers of lines, 3 in", "2 in", "t.de"]),
        ("a.\n\nc.\n", "x.\ny.\nz.\n", ["t.en:2: no source sentence in this pair"]),
        ("a.\nb.\nc.\n", "x.\ny.\n \n", ["t.de:3: no target sentence in this pair"]),
        ("\n", "\n", ["no sentence pairs in these files"]),
        (None, "x.\n", ["no such file or folder", "t.en"]),
    ],
)
def test_bad_parallel_files(
    cli: Cli,
    assert_fails: Fails,
    tmp_path: Path,
    source: str | None,
    target: str,
    parts: list[str],
) -> None:
    files = (tmp_path / "t.en", tmp_path / "t.de")
    for path, content in zip(files, (source, target), strict=True):
        if content is not None:
            path.write_text(content, encoding="utf-8")
    given = ("--source-file", str(files[0]), "--target-file", str(files[1]))
    models = tmp_path / "models"
    assert_fails(cli(*TRAIN, *given, "--models-dir", str(models)), 3, *parts)
    assert not models.exists()


def test_one_parallel_file_alone(cli: Cli, assert_fails: Fails, tmp_path: Path) -> None:
    result = cli(*TRAIN, "--source-file", "t.en", "--models-dir", str(tmp_path))
    assert_fails(result, 2, "source_file and target_file go together")


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ([], ["give sentences, or --input FILE, or '-'"]),
        (["bab.", "--input", "-"], ["give sentences, or --input FILE"]),
        (["bab.", "--beam", "0"], ["beam = 0", "--beam", "greater than or equal to 1"]),
        (["bab.", "--beam", "101"], ["beam = 101", "less than or equal to 100"]),
        (["bab.", "--beam", "wide"], ["--beam", "'wide'"]),
        (["bab.", "--length-penalty", "-1"], ["length_penalty = -1.0", "--length-penalty"]),
        (["bab.", "--length-penalty", "nan"], ["length_penalty = NaN"]),
        (["bab.", "--no-repeat-ngram-size", "-1"], ["no_repeat_ngram_size = -1"]),
        (["bab.", "--repetition-penalty", "0.5"], ["repetition_penalty = 0.5"]),
        (["bab.", "--temperature", "-1"], ["temperature = -1.0"]),
        (["bab.", "--n-best", "0"], ["--n-best"]),
        (["bab.", "--n-best", "2", "--temperature", "1"], ["n_best must be 1"]),
        (["bab.", "--random-seed", "-1"], ["--random-seed", "-1"]),
        (["--input", "nowhere.txt"], ["--input", "nowhere.txt"]),
        (["bab.", "--nbest", "2"], ["unknown option '--nbest'", "'--n-best'"]),
    ],
    ids=" ".join,
)
def test_wrong_options_of_predict(
    cli: Cli, assert_fails: Fails, tmp_path: Path, options: list[str], parts: list[str]
) -> None:
    """Refused before a run is looked for."""
    assert_fails(cli("translate", "predict", *options, "--models-dir", str(tmp_path)), 2, *parts)


def test_no_run_yet(cli: Cli, assert_fails: Fails, tmp_path: Path) -> None:
    result = cli("translate", "predict", "bab.", "--models-dir", str(tmp_path))
    assert_fails(result, 1, "no finished run of translate")


def test_data_to_check_on_that_are_not_there(
    cli: Cli, assert_fails: Fails, toy_models: Path, tmp_path: Path
) -> None:
    path = tmp_path / "other.tsv"
    path.write_text("bab.\n", encoding="utf-8")
    where = ("--models-dir", str(toy_models))
    assert_fails(
        cli("translate", "evaluate", "--data", str(path), *where), 3, "other.tsv:1: no target"
    )
    result = cli("translate", "evaluate", "--data", "nowhere.tsv", *where)
    assert_fails(result, 3, "no such file or folder: nowhere.tsv")


@pytest.mark.slow
def test_the_oddest_sentences_are_answered(cli: Cli, toy_models: Path) -> None:
    lines = b"bab dek.\n\n\0\n\xff\xfe\n\xf0\x9f\x98\x80\r\n" + b"bab " * 10_000
    options = ("-", "--json", "--models-dir", str(toy_models))
    result = cli("translate", "predict", *options, input=lines + b"\nno end of line")
    assert result.exit_code == 0
    assert "warning: standard input:3: " in result.stderr
    answers = [json.loads(line) for line in result.stdout.split("\n")[:-1]]
    assert [answer["index"] for answer in answers] == list(range(7))
    assert [answer["translation"] for answer in answers[:3]] == ["idix abax.", "", ""]
    assert [answer["input"] for answer in answers[2:5]] == ["\0", "\ufffd\ufffd", "😀"]
    assert len(answers[5]["translation"]) < 1_000


def test_no_sentences_at_all(cli: Cli, toy_models: Path) -> None:
    result = cli("translate", "predict", "-", "--models-dir", str(toy_models), input=b"")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
