import json
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result

from textapps.cli.commands.data import data_group
from textapps.core.errors import ConfigurationError, DataError

PETS = (
    "label\ttext\tsplit\ncat\tpurrs\ttrain\ndog\tbarks\ttrain\ncat\tmeows\tdev\ndog\tyaps\ttest\n"
)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(data_group, [str(argument) for argument in arguments])


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    path = tmp_path / "pets.tsv"
    path.write_text(PETS, encoding="utf-8")
    return path


def lines(result: Result) -> list[Sequence[str]]:
    assert result.exit_code == 0, result.output
    return [line.split() for line in result.stdout.splitlines()]


def test_list(tmp_path: Path) -> None:
    folder = tmp_path / "imdb_reviews" / "plain_text" / "1.0.0"
    folder.mkdir(parents=True)
    (folder / "dataset_info.json").touch()
    table = lines(run("list", "--data-dir", tmp_path))
    assert table[0][:2] == ["sample", "bundled"]
    assert table[1][:2] == ["imdb_reviews", "prepared"]
    assert ["glue/sst2", "to", "download"] in [row[:3] for row in table]
    entries = json.loads(run("list", "--data-dir", tmp_path, "--json").stdout)
    assert entries[1]["directory"] == str(folder)
    assert entries[0]["directory"] is None
    assert [entry["name"] for entry in entries] == [row[0] for row in table]


def test_show(pets: Path) -> None:
    table = lines(run("show", pets))
    assert table[:5] == [
        ["pets"],
        ["train", "validation", "test"],
        ["rows", "2", "1", "1"],
        ["cat", "1", "(50.0%)", "1", "(100.0%)", "0", "(0.0%)"],
        ["dog", "1", "(50.0%)", "0", "(0.0%)", "1", "(100.0%)"],
    ]
    assert ["characters,", "longest", "5", "5", "4"] in table
    assert table[-2:] == [["cat:", "purrs"], ["dog:", "barks"]]


def test_show_json(pets: Path) -> None:
    answer = json.loads(run("show", pets, "--json").stdout)
    assert answer["name"] == "pets"
    assert answer["splits"]["train"]["classes"] == {"cat": 1, "dog": 1}
    assert answer["splits"]["test"]["examples"] == [{"label": "dog", "text": "yaps"}]


def test_columns_can_be_named(pets: Path) -> None:
    pets.write_text(PETS.replace("label\ttext", "kind\tnoise"), encoding="utf-8")
    result = run("show", pets)
    assert isinstance(result.exception, DataError)
    assert "--label-column" in str(result.exception)
    assert lines(run("show", pets, "--text-column", "noise", "--label-column", "kind"))


def test_examples_cannot_move_the_cursor(pets: Path) -> None:
    pets.write_text(PETS.replace("purrs", "\x1b[2Jpu\x85rrs" + "x" * 200), encoding="utf-8")
    shown = run("show", pets).stdout
    assert "cat: [2Jpu rrsxxx" in shown
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) < 120


def test_show_bundled_sample() -> None:
    assert lines(run("show", "sample"))[0] == ["sample"]


def test_check_of_a_good_set(pets: Path) -> None:
    result = run("check", pets)
    assert result.exit_code == 0
    assert "defects: 0" in result.stdout


def test_check_of_a_bad_set(pets: Path) -> None:
    pets.write_bytes(PETS.encode() + b"cat\tpurrs\ttest\ncat\t\ttest\ncat\tm\xe9ows\ttest\nonly\n")
    result = run("check", pets)
    assert isinstance(result.exception, DataError)
    assert result.exception.exit_code == 3
    assert str(result.exception).startswith(f"pets has 2 defects that stop training: {pets}:8: not")
    shown = result.stdout.splitlines()
    assert "rows without text, left out: 1" in shown
    assert shown[shown.index("rows in train and test: 1") + 1] == f"  {pets}:6 as {pets}:2"
    assert shown[shown.index("defects: 2") + 2] == f"  {pets}:9: 1 cells in 3 columns"


def test_check_json_names_every_row(pets: Path) -> None:
    pets.write_text(PETS + "cat\tpurrs\ttrain\n" * 7 + "bad\n", encoding="utf-8")
    result = run("check", pets, "--json")
    assert isinstance(result.exception, DataError)
    answer = json.loads(result.stdout)
    assert len(answer["duplicates"]) == 7
    assert answer["duplicates"][0] == {"place": f"{pets}:6", "first": f"{pets}:2"}
    assert answer["defects"] == [{"place": f"{pets}:13", "message": "1 cells in 3 columns"}]
    assert (answer["empty"], answer["conflicts"], answer["shared"]) == ([], [], {})
    assert "… and 2 more" in run("check", pets).stdout


def test_check_of_a_set_of_one_class(pets: Path) -> None:
    pets.write_text("label\ttext\ncat\tone\ncat\ttwo\n", encoding="utf-8")
    result = run("check", pets)
    assert isinstance(result.exception, DataError)
    assert "one class only" in str(result.exception)


@pytest.fixture
def poem(tmp_path: Path) -> Path:
    """62 characters, of which the last 3 are for test and the 3 before them for validation."""
    path = tmp_path / "poem.txt"
    path.write_text("the \x1b cat sat\n" * 4 + "é\aé" + "mat", encoding="utf-8")
    return path


def test_show_a_text(poem: Path) -> None:
    table = lines(run("show", poem, "--task", "generate"))
    assert table[:7] == [
        ["poem"],
        ["train", "validation", "test"],
        ["characters", "56", "3", "3"],
        ["lines", "4", "1", "1"],
        ["documents", "1", "1", "1"],
        ["distinct", "characters", "9", "2", "3"],
        ["not", "in", "train", "0", "2", "1"],
    ]
    assert table[-1] == ["the", "cat", "sat"] * 4
    answer = json.loads(run("show", poem, "--task", "generate", "--json").stdout)
    assert answer["splits"]["validation"]["new"] == {"é": 2, "\a": 1}


def test_check_of_a_text(poem: Path) -> None:
    result = run("check", poem, "--task", "generate")
    assert result.exit_code == 0
    shown = result.stdout.splitlines()
    assert shown[8:11] == [
        "characters of validation that train has not: 2",
        "  'é' U+00E9: 2",
        "  '\\x07' U+0007: 1",
    ]
    assert shown[shown.index("control and replacement characters in train: 1") + 1] == (
        "  '\\x1b' U+001B: 4"
    )
    assert shown[-1].endswith(": 0")
    answer = json.loads(run("check", poem, "--task", "generate", "--json").stdout)
    assert answer["odd"] == {"train": {"\x1b": 4}, "validation": {"\a": 1}, "test": {}}


@pytest.mark.parametrize("command", ["show", "check"])
def test_a_text_taken_for_labelled_ones_is_told_how_to_look_at_it(
    command: str, poem: Path, pets: Path
) -> None:
    poem = poem.rename(poem.with_suffix(".md"))
    assert "; or, for a text without labels, --task generate" in str(run(command, poem).exception)
    pets.write_text("a\tb\n1\t2\n", encoding="utf-8")
    for wrong in (pets, pets.with_name("nowhere.md")):
        result = run(command, wrong)
        assert isinstance(result.exception, DataError)
        assert "--task" not in str(result.exception)
    result = run(command, poem, "--task", "generate", "--label-column", "b")
    assert result.exit_code == 2
    assert "has no labels" in result.stderr


@pytest.fixture
def couples(tmp_path: Path) -> Path:
    """By the rule "one" trains, "a fine film" validates and "two" tests."""
    path = tmp_path / "couples.tsv"
    path.write_text("one\teins\na fine film\tein guter\ntwo\tzwei\n", encoding="utf-8")
    return path


def test_show_pairs(couples: Path) -> None:
    table = lines(run("show", couples, "--task", "translate"))
    assert table[:5] == [
        ["couples"],
        ["train", "validation", "test"],
        ["pairs", "1", "1", "1"],
        ["distinct", "sources", "1", "1", "1"],
        ["source", "words,", "shortest", "1", "3", "1"],
    ]
    assert ["target", "characters,", "longest", "4", "9", "4"] in table
    assert table[-1] == ["one", "→", "eins"]
    answer = json.loads(run("show", couples, "--task", "translate", "--json").stdout)
    assert answer["splits"]["test"]["examples"] == [{"source": "two", "target": "zwei"}]


def test_options_of_pairs_need_no_task(tmp_path: Path, couples: Path) -> None:
    rows = [line.split("\t") for line in couples.read_text(encoding="utf-8").splitlines()]
    sides = [tmp_path / "couples.en", tmp_path / "couples.de"]
    for path, side in zip(sides, zip(*rows, strict=True), strict=True):
        path.write_text("".join(f"{text}\n" for text in side), encoding="utf-8")
    expected = lines(run("show", couples, "--task", "translate"))
    assert lines(run("show", sides[0], "--target-file", sides[1])) == expected
    couples.write_text("en\tde\n" + couples.read_text(encoding="utf-8"), encoding="utf-8")
    columns = ("--source-column", "en", "--target-column", "de")
    assert lines(run("show", couples, *columns)) == expected
    result = run("show", couples, *columns[:2])
    assert isinstance(result.exception, ConfigurationError)
    assert "source_column and target_column go together" in str(result.exception)
    for task, why in (("sentiment", "are no pairs"), ("generate", "no labels and no pairs")):
        result = run("check", couples, "--task", task, *columns)
        assert (result.exit_code, why in result.stderr) == (2, True)
    result = run("check", couples, "--task", "translate", "--text-column", "en")
    assert "--text-column: pairs have --source-column" in result.stderr


def test_check_of_pairs(couples: Path) -> None:
    good = run("check", couples, "--task", "translate")
    assert (good.exit_code, "defects: 0" in good.stdout) == (0, True)
    with couples.open("a", encoding="utf-8") as file:
        file.write("one\teins\none\tein\ntwo\npair\tzwei\n")
    result = run("check", couples, "--task", "translate")
    assert isinstance(result.exception, DataError)
    message = f"{couples}:6: no target sentence in this pair"
    assert str(result.exception) == f"couples has 1 defect that stop training: {message}"
    shown = result.stdout.splitlines()
    for title, place, first in (
        ("pairs repeated in their split: 1", 4, 1),
        ("sources with another translation: 1", 5, 1),
        ("targets in train and test: 1", 3, 7),
    ):
        found = shown[shown.index(title) + 1]
        assert found == f"  {couples}:{place} as {couples}:{first}"
    result = run("check", couples, "--task", "translate", "--json")
    answer = json.loads(result.stdout)
    assert answer["defects"] == [
        {"place": f"{couples}:6", "message": "no target sentence in this pair"}
    ]
    assert answer["shared_sources"] == {}
    assert answer["variants"] == [{"place": f"{couples}:5", "first": f"{couples}:1"}]
    assert answer["splits"]["train"]["pairs"] == 4


def test_show_the_bundled_pairs() -> None:
    table = lines(run("show", "sample", "--task", "translate"))
    assert ["pairs", "3,218", "399", "383"] in table


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Three words of three speakers; by the rule "one" trains, "a fine film" validates."""
    import soundfile

    drawn = np.random.default_rng(0)
    for speaker in ("one", "a fine film", "two"):
        for number, word in enumerate(("no", "yes", "bird")):
            path = tmp_path / "clips" / word / f"{speaker}_nohash_0.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, drawn.uniform(-0.5, 0.5, 160 * (number + 1)), 16_000)
    return tmp_path / "clips"


def test_show_clips(clips: Path) -> None:
    shown = run("show", clips, "--commands", "yes,no")
    table = lines(shown)
    assert table[:6] == [
        ["clips"],
        ["train", "validation", "test"],
        ["clips", "3", "3", "3"],
        ["yes", "1", "(33.3%)", "1", "(33.3%)", "1", "(33.3%)"],
        ["no", "1", "(33.3%)", "1", "(33.3%)", "1", "(33.3%)"],
        ["unknown", "1", "(33.3%)", "1", "(33.3%)", "1", "(33.3%)"],
    ]
    assert ["of", "16,000", "Hz", "3", "3", "3"] in table
    assert ["milliseconds,", "longest", "30", "30", "30"] in table
    answer = json.loads(run("show", clips, "--task", "speech", "--json").stdout)
    assert answer["splits"]["test"]["classes"] == {"bird": 1, "no": 1, "yes": 1}
    assert answer["splits"]["test"]["rates_hz"] == {"16000": 3}


def test_check_of_clips(clips: Path) -> None:
    good = run("check", clips, "--task", "speech")
    assert good.exit_code == 0
    assert good.stdout.splitlines()[-1] == "defects: 0"
    assert "classes of fewer than two clips: 9" in good.stdout
    broken = clips / "yes" / "two_nohash_0.wav"
    broken.write_text("no audio", encoding="utf-8")
    result = run("check", clips, "--task", "speech")
    assert isinstance(result.exception, DataError)
    reason = "no audio that can be read (Format not recognised); save it as WAV, FLAC or OGG"
    message = f"{broken}: {reason}"
    assert str(result.exception) == f"clips has 1 defect that stop training: {message}"
    assert f"  {message}" in result.stdout.splitlines()
    answer = json.loads(run("check", clips, "--task", "speech", "--json").stdout)
    assert answer["defects"] == [{"place": str(broken), "message": reason}]
    assert answer["shared"] == answer["shared_speakers"] == {}


def test_options_of_clips(clips: Path) -> None:
    result = run("show", clips, "--task", "speech", "--text-column", "text")
    assert (result.exit_code, "--text-column: recordings have only" in result.stderr) == (2, True)
    result = run("show", clips, "--task", "sentiment", "--commands", "yes,no")
    assert (result.exit_code, "--commands: labelled texts" in result.stderr) == (2, True)
    result = run("show", clips, "--commands", "yes,yes")
    assert isinstance(result.exception, ConfigurationError)
    assert "'yes' is named twice" in str(result.exception)


def test_known_texts_need_no_task(tmp_path: Path) -> None:
    # what is asked for is the set itself, not a class of it
    result = run("show", "tiny_shakespeare:0.0.1", "--data-dir", tmp_path, "--label-column", "b")
    assert "has no labels" in result.stderr


def test_every_command_has_an_example_and_stands_in_the_docs() -> None:
    docs = Path(__file__).parents[2].joinpath("docs", "data.md").read_text(encoding="utf-8")
    for name, command in data_group.commands.items():
        assert f"textapps data {name}" in click.unstyle(run(name, "--help").stdout)
        assert f"textapps data {name}" in docs
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help
                assert parameter.opts[0] in docs
