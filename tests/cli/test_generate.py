"""Tests of the generate commands: what goes to stdout, what to stderr, in which shape."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from tests import processes
from textapps.tasks.generate import predict

Cli = Callable[..., Result]


@pytest.fixture(scope="module")
def ready(untrained) -> object:
    """A generator that knows nothing."""
    return untrained("generate", "simple_rnn")


def test_a_seed_stands_straight_behind_generate(cli: Cli, ready) -> None:
    """From the real files of a run: seed and text, and nothing else on stdout."""
    run = ("--run", str(ready.run.path))
    straight = cli("generate", "--seed", "the ", "--random-seed", "3", *run)
    assert (straight.exit_code, straight.stderr) == (0, "")
    (text,) = ready.generate(["the "], random_seed=3)
    assert len(text) == ready.config.decoding.length
    assert straight.stdout == f"the {text}\n"
    assert cli("generate", "predict", "the ", "--random-seed", "3", *run).stdout == straight.stdout


def test_generate_alone_shows_its_help(cli: Cli) -> None:
    result = cli("generate")
    assert "textapps generate --seed" in result.stdout + result.stderr


def test_options_of_predict_are_known_without_it(cli: Cli) -> None:
    result = cli("generate", "--tempreature", "1")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "did you mean '--temperature'" in result.stderr


def test_without_a_random_seed_one_is_drawn_and_told(ask: Cli) -> None:
    result = ask("--seed", "the ")
    (seed,) = re.fullmatch(r"random seed (\d+)\n.* answers; .*\n", result.stderr).groups()
    assert ask("--seed", "the ", "--random-seed", seed).stdout == result.stdout


def test_json_names_what_each_text_came_from(ask: Cli, ready) -> None:
    result = ask("predict", "a", "", "--count", "2", "--random-seed", "5", "--json")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [list(row) for row in rows] == [["index", "input", "sample", "random_seed", "text"]] * 4
    assert [(r["index"], r["input"], r["sample"]) for r in rows] == [
        (0, "a", 0),
        (0, "a", 1),
        (1, "", 0),
        (1, "", 1),
    ]
    for row in rows:
        assert [row["text"]] == ready.generate([row["input"]], row["random_seed"])


def test_a_table_of_seeds(ask: Cli, ready, tmp_path: Path) -> None:
    path = tmp_path / "seeds.jsonl"
    path.write_text('{"id": 3, "text": "a"}\n{"text": "the "}\n')
    options = ("--count", "2", "--random-seed", "5", "--json")
    result = ask("predict", "--input", str(path), *options)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(row["input"], row.get("id"), row["random_seed"]) for row in rows] == [
        ("a", "3", 5),
        ("a", "3", 6),
        ("the ", None, 7),
        ("the ", None, 8),
    ]
    for row in rows:
        assert [row["text"]] == ready.generate([row["input"]], row["random_seed"])


def test_several_texts_are_told_apart(ask: Cli) -> None:
    lines = ask("predict", "x", "--count", "3", "--length", "2", "--temperature", "0").stdout
    assert re.fullmatch(r"--- 1.1\nx..\n--- 1.2\nx..\n--- 1.3\nx..\n", lines, re.DOTALL)


def test_seeds_from_a_file_and_from_standard_input(
    ask: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In chunks, which change nothing."""
    seeds = [f"the {number}" for number in range(5)]
    path = tmp_path / "seeds.txt"
    path.write_text("\n".join(seeds), encoding="utf-8")
    options = ("--random-seed", "1", "--length", "4", "--json")
    whole = ask("predict", *seeds, *options).stdout
    monkeypatch.setattr(predict, "CHUNK", 2)
    assert ask("predict", "--input", str(path), *options).stdout == whole
    assert ask("predict", "-", *options, input=path.read_bytes()).stdout == whole


def test_the_stop_text_is_not_printed(ask: Cli) -> None:
    options = ("--temperature", "0", "--length", "60", "--random-seed", "0")
    whole = ask("--seed", "the", *options).stdout.removeprefix("the").removesuffix("\n")
    stop = whole[20:23]
    found = ask("--seed", "the", *options, "--stop", stop).stdout
    assert found == "the" + whole[: whole.index(stop)] + "\n"


def test_unknown_characters_are_named(ask: Cli) -> None:
    result = ask("--seed", "the 映 cat ☃", "--random-seed", "0")
    assert "warning: never seen in training, read as unknown: '映', '☃'" in result.stderr
    assert result.stdout.startswith("the 映 cat ☃")


def test_score(ask: Cli, ready, tmp_path: Path) -> None:
    path = tmp_path / "other.txt"
    path.write_text("the dog sat ☃", encoding="utf-8")
    nats = ready.nats("the dog sat ☃")
    row = json.loads(ask("score", str(path), "--json").stdout)
    assert (row["characters"], row["unknown_characters"], row["adapted"]) == (13, 1, False)
    assert row["nats_per_character"] == pytest.approx(nats.mean(), rel=1e-6)
    assert row["bits_per_character"] == pytest.approx(nats.mean() / 0.693147, rel=1e-5)
    assert (row["text"], row["surprise"]) == ("the dog sat ☃", pytest.approx(nats.tolist()))
    assert [str(each) for each in row["surprise"]] == [str(np.float32(n)) for n in nats]
    text = ask("score", "-", input=path.read_bytes()).stdout
    assert text.startswith("13 characters, 1 unknown\nnats_per_character ")
    adapted = ask("score", str(path), "--adapt").stdout
    assert adapted.startswith("13 characters, 1 unknown\nwith adaptation, which the text is too sh")
    path.write_text(28 * "the dog sat ☃", encoding="utf-8")
    adapted = ask("score", str(path), "--adapt").stdout
    assert "with adaptation: from character 337 on, the model has learned from what" in adapted
    path.write_text("the dog sat ☃", encoding="utf-8")
    assert json.loads(ask("score", str(path), "--adapt", "--json").stdout)["adapted"]
    shown = ask("score", str(path), "--show").stdout
    assert "the dog sat ☃" in shown
    assert "\x1b" not in shown


def test_a_text_to_read_is_not_mixed_with_json(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("the cat")
    result = cli("generate", "score", str(tmp_path / "a.txt"), "--show", "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--show prints a text to read: leave it or --json out" in result.stderr


def test_evaluate(ask: Cli, models: Path) -> None:
    result = ask("evaluate")
    (run,) = (models / "generate").iterdir()
    written = json.loads((run / "metrics.json").read_bytes())
    assert result.stdout.startswith(f"verses, test: {written['examples']} characters\n")
    nats = written["metrics"]["nats_per_character"]
    assert f"nats_per_character  {nats:.4f}" in result.stdout
    assert "n-grams up to" in result.stdout
    assert (run / "report.html").stat().st_size > 10_000
    assert json.loads(ask("evaluate", "--json").stdout)["metrics"]["nats_per_character"] == nats


def test_train_and_resume(cli: Cli, toy_data, tmp_path: Path) -> None:
    options = ("--data", str(toy_data("generate")), "--preset", "tiny", "--backbone", "simple_rnn")
    sizes = ("--units", "6", "--epochs", "1", "--split", "0.8", "--models-dir", str(tmp_path))
    result = cli("generate", "train", *options, *sizes)
    assert result.exit_code == 0, result.stderr
    run = Path(result.stdout.strip())
    assert "split = 0.8" in (run / "config.toml").read_text(encoding="utf-8")
    assert "nats per character" in result.stderr
    again = cli("generate", "train", "--resume", str(run))
    assert (again.exit_code, again.stdout) == (0, result.stdout)
    assert "already finished" in again.stderr


def test_a_reader_that_goes_away(ready) -> None:
    """As `| head -c 20` does."""
    command = [sys.executable, "-m", "textapps", "generate", "--length", "4000", "--run"]
    with processes.Popen(
        [*command, str(ready.run.path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert len(process.stdout.read(20)) == 20
        process.stdout.close()
        told = process.stderr.read().decode()
        assert process.wait() == 0
    assert re.fullmatch(r"random seed \d+\n", told)
