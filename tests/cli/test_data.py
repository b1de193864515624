import json
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result

from textapps.cache.store import Cache
from textapps.cli.commands.data import data_group
from textapps.core.errors import ConfigurationError, DataError, RunError
from textapps.core.names import TASKS
from textapps.datasets.kinds import KINDS

PETS = (
    "label\ttext\tsplit\ncat\tpurrs\ttrain\ndog\tbarks\ttrain\ncat\tmeows\tdev\ndog\tyaps\ttest\n"
)
POEM = "the \x1b cat sat\n" * 4 + "é\aé" + "mat"  # 62 characters: the last 3 for test, 3 before
COUPLES = "one\teins\na fine film\tein guter\ntwo\tzwei\n"  # by the rule one for each split


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(data_group, [str(argument) for argument in arguments])


def lines(result: Result) -> list[Sequence[str]]:
    assert result.exit_code == 0, result.output
    return [line.split() for line in result.stdout.splitlines()]


def file(tmp_path: Path, name: str, content: str) -> Path:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return path


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    return file(tmp_path, "pets.tsv", PETS)


@pytest.fixture
def couples(tmp_path: Path) -> Path:
    return file(tmp_path, "couples.tsv", COUPLES)


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


SHOWN = {
    "sentiment": (
        """pets
                                train  validation         test
rows                                2           1            1
  cat                       1 (50.0%)  1 (100.0%)     0 (0.0%)
  dog                       1 (50.0%)    0 (0.0%)   1 (100.0%)
words, shortest                     1           1            1""",
        "first of each class in train\n  cat: purrs\n  dog: barks",
    ),
    "generate": (
        """poem
                     train  validation  test
characters              56           3     3
lines                    4           1     1
documents                1           1     1
distinct characters      9           2     3
  not in train           0           2     1""",
        "beginning of train\n  the cat sat the cat sat the cat sat the cat sat",
    ),
    "translate": (
        """couples
                               train  validation  test
pairs                              1           1     1
distinct sources                   1           1     1
source words, shortest             1           3     1""",
        "first of train\n  one → eins",
    ),
    "speech": (
        """clips
                              train  validation       test
clips                             3           3          3
  bird                    1 (33.3%)   1 (33.3%)  1 (33.3%)
  no                      1 (33.3%)   1 (33.3%)  1 (33.3%)
  yes                     1 (33.3%)   1 (33.3%)  1 (33.3%)
other words left out              0           0          0
speakers known                    1           1          1
of 16,000 Hz                      3           3          3""",
        "milliseconds, longest            30          30         30",
    ),
}


@pytest.fixture
def source(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[str], Path]:
    """`source("translate")` makes a small set for a task."""
    return lambda task: (
        file(tmp_path, "poem.txt", POEM)
        if task == "generate"
        else request.getfixturevalue(
            {"sentiment": "pets", "translate": "couples"}.get(task, "clips")
        )
    )


@pytest.mark.parametrize("task", TASKS)
def test_show(task: str, source: Callable[[str], Path]) -> None:
    begins, ends = SHOWN[task]
    shown = run("show", source(task), "--task", task).stdout
    words = [line.split() for line in shown.splitlines()]
    assert words[: begins.count("\n") + 1] == [line.split() for line in begins.splitlines()]
    assert shown.endswith(f"{ends}\n")
    widths = {len(line) for line in shown.splitlines()[1:4]}
    assert len(widths) == 1  # numbers end in one column


@pytest.mark.parametrize("task", TASKS)
def test_json_has_all_fields(task: str, source: Callable[[str], Path]) -> None:
    path = source(task)
    shown = json.loads(run("show", path, "--task", task, "--json").stdout)
    checked = json.loads(run("check", path, "--task", task, "--json").stdout)
    assert list(shown) == ["name", "splits"]
    assert {key: checked[key] for key in shown} == shown
    assert (
        list(checked)[2:]
        == {
            "sentiment": [
                "defects",
                "empty",
                "duplicates",
                "conflicts",
                "shared",
                "alike",
                "scarce",
                "unequal",
                "near",
                "unspaced",
            ],
            "generate": ["odd", "shared"],
            "translate": [
                "defects",
                "duplicates",
                "variants",
                "shared_sources",
                "shared_targets",
                "copies",
                "odd_lengths",
                "other_scripts",
                "single_words",
                "headings",
            ],
            "speech": [
                "defects",
                "still",
                "duplicates",
                "shared",
                "shared_speakers",
                "scarce",
                "unequal",
                "longer",
                "lost",
            ],
        }[task]
    )
    key, value = {
        "sentiment": ("examples", [{"label": "dog", "text": "yaps"}]),
        "generate": ("new", {"m": 1}),
        "translate": ("examples", [{"source": "two", "target": "zwei"}]),
        "speech": ("rates_hz", {"16000": 3}),
    }[task]
    assert shown["splits"]["test"][key] == value


@pytest.mark.parametrize("task", TASKS)
def test_check_of_a_good_set(task: str, source: Callable[[str], Path]) -> None:
    result = run("check", source(task), "--task", task)
    assert result.exit_code == 0
    shown = result.stdout.splitlines()
    assert shown[-1].endswith(": 0")
    if task == "generate":
        assert shown[8:11] == [
            "characters of validation that train lacks: 2",
            "  'é' U+00E9: 2",
            "  '\\x07' U+0007: 1",
        ]


BAD = {
    "sentiment": (
        PETS.encode() + b"cat\tpurrs\ttest\ncat\t\ttest\ncat\tm\xe9ows\ttest\nonly\n",
        "pets has 2 defects that stop training: {path}:8: not UTF-8",
        [
            "rows without text, left out: 1\n  {path}:7\n",
            "rows in train and test: 1\n  {path}:6 as {path}:2\n",
            "  {path}:9: 1 cell in 3 columns\n",
        ],
    ),
    "translate": (
        COUPLES.encode() + b"one\teins\none\tein\ntwo\npair\tzwei\n",
        "couples has 1 defect that stops training: {path}:6: no target sentence in this pair",
        [
            "pairs repeated in their split: 1\n  {path}:4 as {path}:1\n",
            "sources with another translation: 1\n  {path}:5 as {path}:1\n",
            "targets in train and test: 1\n  {path}:3 as {path}:7\n",
        ],
    ),
    "speech": (
        b"no audio",
        "clips has 1 defect that stops training: {path}: no audio that can be read, unknown or",
        ["classes of fewer than two clips: 9\n", "defects: 1\n  {path}: no audio that can"],
    ),
}


@pytest.mark.parametrize("task", BAD)
def test_check_of_a_bad_set(task: str, source: Callable[[str], Path]) -> None:
    content, message, findings = BAD[task]
    given = source(task)
    path = given / "yes" / "two_nohash_0.wav" if task == "speech" else given
    path.write_bytes(content)
    result = run("check", given, "--task", task)
    assert isinstance(result.exception, DataError)
    assert result.exception.exit_code == 3
    assert str(result.exception).startswith(message.format(path=path))
    for finding in findings:
        assert finding.format(path=path) in result.stdout
    answer = json.loads(run("check", given, "--task", task, "--json").stdout)
    assert answer["defects"][0]["place"].startswith(str(path))


def test_json_names_every_row(pets: Path) -> None:
    pets.write_text(PETS + "cat\tpurrs\ttrain\n" * 7, encoding="utf-8")
    answer = json.loads(run("check", pets, "--json").stdout)
    assert answer["duplicates"] == [
        {"place": f"{pets}:{line}", "first": f"{pets}:2"} for line in range(6, 13)
    ]
    assert "rows repeated in their split: 7" in run("check", pets).stdout
    assert "… and 2 more" in run("check", pets).stdout


def test_a_set_of_which_no_split_can_be_shown(pets: Path) -> None:
    pets.write_text("label\ttext\ncat\tone\ncat\ttwo\n", encoding="utf-8")
    result = run("check", pets)
    assert isinstance(result.exception, DataError)
    assert "only one class" in str(result.exception)
    assert result.stdout.startswith("pets\n\nrows without text")


def test_examples_cannot_move_the_cursor(pets: Path) -> None:
    pets.write_text(PETS.replace("purrs", "\x1b[2Jpu\x85rrs" + "x" * 200), encoding="utf-8")
    shown = run("show", pets).stdout
    assert "cat: [2Jpu rrsxxx" in shown
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) < 120


def test_options_tell_the_task(tmp_path: Path, couples: Path, clips: Path) -> None:
    rows = [line.split("\t") for line in COUPLES.splitlines()]
    english, german = (
        file(tmp_path, f"couples.{language}", "".join(f"{text}\n" for text in side))
        for language, side in zip(("en", "de"), zip(*rows, strict=True), strict=True)
    )
    expected = lines(run("show", couples, "--task", "translate"))
    assert lines(run("show", english, "--target-file", german)) == expected
    couples.write_text("en\tde\n" + COUPLES, encoding="utf-8")
    columns = ("--source-column", "en", "--target-column", "de")
    assert lines(run("show", couples, *columns)) == expected
    shown = lines(run("show", clips, "--commands", "yes,no"))
    assert [line[0] for line in shown[3:6]] == ["yes", "no", "unknown"]
    pets = file(tmp_path, "pets.tsv", PETS.replace("label\ttext", "kind\tnoise"))
    assert "--text-column" in str(run("show", pets).exception)
    assert lines(run("show", pets, "--text-column", "noise", "--label-column", "kind"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--task sentiment --commands a,b", "--commands: labelled texts are neither pairs nor rec"),
        ("--task sentiment --source-column a", "--source-column: labelled texts are neither pairs"),
        (
            "--task generate --label-column a",
            "--label-column: a text to continue has neither labels",
        ),
        ("--task translate --text-column a", "--text-column: pairs have --source-column and"),
        ("--task speech --text-column a", "--text-column: recordings have only --commands"),
        ("--commands a,b --target-file c", "--commands: labelled texts"),
    ],
)
def test_options_of_another_task(pets: Path, options: str, message: str) -> None:
    for command in ("show", "check"):
        result = run(command, pets, *options.split())
        assert (result.exit_code, message in result.stderr) == (2, True)


def test_options_that_are_wrong(couples: Path, clips: Path) -> None:
    for arguments, message in (
        ((clips, "--commands", "yes,yes"), "'yes' is named twice"),
        ((couples, "--source-column", "en"), "source_column and target_column go together"),
    ):
        result = run("show", *arguments)
        assert isinstance(result.exception, ConfigurationError)
        assert message in str(result.exception)


@pytest.mark.parametrize("command", ["show", "check"])
def test_a_text_taken_for_labelled_ones_is_told_how_to_look_at_it(
    command: str, tmp_path: Path, pets: Path
) -> None:
    poem = file(tmp_path, "poem.md", POEM)
    assert "; or, for a text without labels, --task generate" in str(run(command, poem).exception)
    pets.write_text("a\tb\n1\t2\n", encoding="utf-8")
    for wrong in (pets, pets.with_name("nowhere.md")):
        result = run(command, wrong)
        assert isinstance(result.exception, DataError)
        assert "--task" not in str(result.exception)


def test_known_texts_need_no_task(tmp_path: Path) -> None:
    # what is asked for is the set itself, not a class of it
    result = run("show", "tiny_shakespeare:0.0.1", "--data-dir", tmp_path, "--label-column", "b")
    assert "has neither labels" in result.stderr


def test_every_kind_has_its_task_and_options() -> None:
    assert tuple(KINDS) == TASKS
    options = {option for kind in KINDS.values() for option in kind.options}
    for command in ("show", "check"):
        names = {parameter.name for parameter in data_group.commands[command].params}
        assert names == options | {"source", "task", "data_dir", "as_json"}


def test_every_command_has_an_example_and_stands_in_the_docs() -> None:
    docs = Path(__file__).parents[2].joinpath("docs", "data.md").read_text(encoding="utf-8")
    for name, command in data_group.commands.items():
        assert f"textapps data {name}" in click.unstyle(run(name, "--help").stdout)
        assert f"textapps data {name}" in docs
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help
                assert parameter.opts[0] in docs


def test_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTAPPS_CACHE_DIR", str(tmp_path / "cache"))
    assert run("cache").stdout.startswith(f"{tmp_path}/cache/data: 0.0 MB of at most 50,000.0 MB")
    made = Cache().kept("table", {}, lambda into: into.write(one=np.zeros(300_000)), "pets.csv")
    assert made is not None
    head, _, row = run("cache").stdout.splitlines()
    assert "2.4 MB of" in head
    assert row.startswith("2.4 MB")
    assert row.endswith("pets.csv")
    found = json.loads(run("cache", "--json").stdout)
    assert [(one["name"], one["of"]) for one in found["entries"]] == [
        (made.directory.name, "pets.csv")
    ]
    cleared = run("cache", "--clear")
    assert cleared.stderr.startswith("removed 2.4 MB from")
    assert "0.0 MB of" in cleared.stdout
    assert not made.directory.exists()


def test_a_cache_that_cannot_be_cleared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "x.csv"
    place.write_text("text\n")
    monkeypatch.setenv("TEXTAPPS_CACHE_DIR", str(place))
    error = run("cache", "--clear").exception
    assert isinstance(error, RunError)
    assert "cannot be cleared (Not a directory): make it writable, or name another" in str(error)
    monkeypatch.setenv("TEXTAPPS_CACHE_DIR", str(tmp_path))
    made = Cache().kept("table", {}, lambda into: into.write(one=np.zeros(3)), "pets.csv")
    assert made is not None
    monkeypatch.setenv("TEXTAPPS_CACHE_GB", "-1")
    assert isinstance(run("cache", "--clear").exception, ConfigurationError)
    assert made.directory.exists()
