"""Words added to a trained recogniser, and taken away again."""

import html
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import tensorflow as tf
from click.testing import Result

from tests.tasks.toy_words import RATE_HZ, WORDS, noise, siren, spoken, wav_bytes
from textapps.core.errors import ConfigurationError, DataError, RunError
from textapps.core.notices import NOTICE
from textapps.tasks import lifecycle
from textapps.tasks.speech import data
from textapps.tasks.speech import evaluate as evaluation
from textapps.tasks.speech.kept_recordings import with_added_words
from textapps.tasks.speech.task import TASK
from textapps.tasks.speech.vocabulary import AddedWord, add_word, remove_word
from textapps.training.decision import write_threshold
from textapps.training.run_directory import RunDirectory

Make = Callable[[str, str], Any]
Cli = Callable[..., Result]
Fails = Callable[..., None]


@pytest.fixture(scope="module")
def base(trained: Make) -> Any:
    return trained("speech", "lstm")


@pytest.fixture(scope="module")
def added(base: Any, tmp_path_factory: pytest.TempPathFactory) -> AddedWord:
    sirens = [siren(number) for number in range(5)]
    return add_word(base, "siren", sirens, tmp_path_factory.mktemp("added"))


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Five recordings of the new word."""
    paths = [tmp_path / "sirens" / f"{number}.wav" for number in range(5)]
    paths[0].parent.mkdir()
    for number, path in enumerate(paths):
        path.write_bytes(wav_bytes(siren(number)))
    return [str(path) for path in paths]


def clips_of(recognizer: Any) -> Any:
    """float32[clips, samples] of every word, and how the old labels name them."""
    split = data.load_split(recognizer.config, "test", recognizer.labels)
    return split.waveforms()


def logits(recognizer: Any, clips: Any) -> Any:
    model = recognizer.model
    return model.logits(model.front_end.frames(tf.constant(clips))).numpy()


def test_a_word_is_learned_from_five_recordings(added: AddedWord) -> None:
    labels = added.recognizer.labels
    assert labels == (*WORDS, "siren", "unknown", "silence")
    assert added.recognizer.config.data.commands == (*WORDS, "siren")
    answers = added.recognizer.predict([siren(number) for number in range(40, 60)])
    assert sum(answer.label == "siren" for answer in answers) >= 18
    assert (added.recordings, added.recognised) == (5, 5)
    assert list(added.false_accepts) == ["other words", "commands", "silence"]
    assert [count for _, count in added.false_accepts.values()] == [4, 18, 4]
    assert "5 of 5 recordings" in added.told


def test_other_words_are_answered_as_before(base: Any, added: AddedWord) -> None:
    clips, labels = clips_of(base), added.recognizer.labels
    old, new = logits(base, clips), logits(added.recognizer, clips)
    place = labels.index("siren")
    np.testing.assert_allclose(np.delete(new, place, axis=1), old, atol=1e-5)
    kept = np.argmax(new, axis=1) != place
    assert kept.mean() > 0.9
    before = base.scores(list(clips[kept]))
    after = added.recognizer.scores(list(clips[kept]))
    # The new word takes its share from all others alike.
    rest = np.delete(after, place, axis=1)
    np.testing.assert_allclose(rest / (1 - after[:, [place]]), before, atol=1e-5)
    others = np.array(labels)[np.argmax(after, axis=1)]
    np.testing.assert_array_equal(others, np.array(base.labels)[np.argmax(before, axis=1)])


def test_the_run_is_whole(added: AddedWord, base: Any, tmp_path: Path) -> None:
    run = added.recognizer.run
    assert run.finished
    assert run.config["start"]["init_from"] == base.run.origin
    again = lifecycle.load(TASK, RunDirectory.open(run.path, "speech"))
    word = siren(70)
    np.testing.assert_array_equal(again.scores([word]), added.recognizer.scores([word]))
    with pytest.raises(RunError, match=r"cannot be resumed; start a new run .* --init-from"):
        lifecycle.resume(TASK, run)
    written = again.export(tmp_path, verify=False, warmup=False, explain=False)
    ask = tf.saved_model.load(str(written)).signatures["serving_default"]
    given = ask(audio_bytes=tf.constant([wav_bytes(word)]))
    assert given["label"].numpy()[0] == b"siren"
    np.testing.assert_allclose(given["scores"], again.scores([word]), atol=1e-2)


def test_the_report_says_that_it_was_not_trained(added: AddedWord, monkeypatch: Any) -> None:
    monkeypatch.setattr(evaluation, "STREAM_SECONDS", 20.0)
    found = lifecycle.evaluate(TASK, added.recognizer)
    report = lifecycle.write_report(TASK, added.recognizer, found)
    page = html.unescape(report.read_text(encoding="utf-8"))
    source = Path(added.recognizer.run.config["start"]["init_from"]).name
    assert f"made from {source} without training: 'siren' added from 5 recordings" in page
    assert "Learning curves" not in page
    assert (
        str(Path(added.recognizer.config.data.source).parent) not in page.partition("mistakes")[2]
    )


def test_a_removed_word_leaves_the_answers_of_before(
    base: Any, added: AddedWord, tmp_path: Path
) -> None:
    left = remove_word(added.recognizer, "siren", tmp_path)
    assert left.labels == base.labels
    clips = clips_of(base)
    np.testing.assert_allclose(logits(left, clips), logits(base, clips), atol=1e-5)
    assert not (left.run.path / "recordings").exists()
    fewer = remove_word(left, "up", tmp_path)
    assert fewer.labels == (*WORDS[1:], "unknown", "silence")
    place = base.labels.index("up")
    expected = np.delete(logits(base, clips), place, axis=1)
    np.testing.assert_allclose(logits(fewer, clips), expected, atol=1e-5)
    told = f"run {fewer.run.name} has no command 'up', but {', '.join(WORDS[1:])}: choose another"
    with pytest.raises(ConfigurationError, match=told):
        remove_word(fewer, "up", tmp_path)
    with pytest.raises(ConfigurationError, match="'unknown' is no command and stays"):
        remove_word(fewer, "unknown", tmp_path)
    last = remove_word(fewer, "stay", tmp_path)
    with pytest.raises(ConfigurationError, match="is the only command"):
        remove_word(last, WORDS[1], tmp_path)


@pytest.mark.parametrize("share", [1.0, 2, -0.1, float("nan")])
def test_a_share_that_is_none(base: Any, tmp_path: Path, share: float) -> None:
    with pytest.raises(ConfigurationError, match="false_accepts must be at least 0 and below 1"):
        add_word(base, "siren", [np.ones(900, np.float32)] * 5, tmp_path, false_accepts=share)


def test_the_margin_of_a_removed_word(base: Any, tmp_path: Path, caplog: Any) -> None:
    caplog.set_level(NOTICE, "textapps")
    left = remove_word(base, "up", tmp_path)
    assert "margin" not in caplog.text
    write_threshold(left.run, 1.5)
    left = lifecycle.load(TASK, left.run)
    fewer = remove_word(left, "stay", tmp_path)
    assert fewer.answers.rejection.threshold == 1.5
    assert "was chosen with 'stay'" in caplog.text
    assert "evaluate --false-accepts" in caplog.text


def test_a_second_word_keeps_the_first(added: AddedWord, tmp_path: Path) -> None:
    hisses = [spoken("hiss", number) for number in range(300, 306)]
    both = add_word(added.recognizer, "hiss", hisses, tmp_path)
    assert both.recognizer.labels == (*WORDS, "siren", "hiss", "unknown", "silence")
    assert both.recognizer.predict([siren(75)])[0].label == "siren"
    table = (both.recognizer.run.path / "recordings" / "words.csv").read_text(encoding="utf-8")
    assert [line.split(",")[1] for line in table.split()] == [
        "label",
        *["siren"] * 5,
        *["hiss"] * 6,
    ]


BAD = {
    "one recording": (1, lambda words: words[:1], 3, ("1 recording of 'siren'", "give 5 to 10")),
    "silence": (0, lambda words: [*words, np.zeros(2_400)], 3, ("5.wav: silence",)),
    "a room": (0, lambda words: [*words, 0.1 * noise(8)[:2_400]], 3, ("5.wav: no word is heard",)),
    "twice": (0, lambda words: [*words, words[2]], 3, ("5.wav: the same recording as", "2.wav")),
    "another word": (0, lambda words: [*words, spoken("stay", 71)], 3, ("5.wav", "'stay'")),
}


@pytest.mark.parametrize("name", BAD)
def test_recordings_that_will_not_do(
    base: Any, cli: Cli, assert_fails: Fails, tmp_path: Path, monkeypatch: Any, name: str
) -> None:
    _, change, code, told = BAD[name]
    monkeypatch.setattr(lifecycle, "load", lambda task, run: base)
    paths = []
    for number, sound in enumerate(change([siren(number) for number in range(5)])):
        paths.append(tmp_path / f"{number}.wav")
        paths[-1].write_bytes(wav_bytes(np.asarray(sound, np.float32)))
    where = ("--run", str(base.run.path), "--models-dir", str(tmp_path / "models"))
    result = cli("speech", "add-word", "siren", *map(str, paths), *where)
    assert_fails(result, code, *told)
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("up", ("has the word 'up' already: give another name", "remove-word")),
        ("unknown", ("'unknown' is the name of a class",)),
        (" ", ("cannot be the name of a word",)),
    ],
)
def test_words_that_will_not_do(
    base: Any,
    cli: Cli,
    assert_fails: Fails,
    files: list[str],
    tmp_path: Path,
    monkeypatch: Any,
    word: str,
    told: tuple[str, ...],
) -> None:
    monkeypatch.setattr(lifecycle, "load", lambda task, run: base)
    where = ("--run", str(base.run.path), "--models-dir", str(tmp_path))
    assert_fails(cli("speech", "add-word", word, *files, *where), 2, *told)


def test_a_run_that_knows_no_other_words(untrained: Make, tiny: Any, tmp_path: Path) -> None:
    closed = untrained("speech", "simple_rnn")
    model = closed.model
    made = closed.__class__(closed.run, closed.config, closed.preprocessor, model, ("a", "b"))
    with pytest.raises(ConfigurationError, match=r"has no class 'unknown'.* train with --commands"):
        add_word(made, "siren", [siren(number) for number in range(5)], tmp_path)


def test_recordings_of_a_lower_rate(base: Any, tmp_path: Path, caplog: Any) -> None:
    files = [tmp_path / f"{number}.wav" for number in range(5)]
    for number, path in enumerate(files):
        rate_hz = 4_000 if number == 3 else RATE_HZ
        soundfile.write(path, data.resampled(siren(number), RATE_HZ, rate_hz), rate_hz)
    add_word(base, "siren", files, tmp_path)
    assert f"{files[3]} (4,000 Hz): a lower sample rate" in caplog.text


def test_recordings_that_are_tested_on(base: Any, tmp_path: Path, caplog: Any) -> None:
    # Of the toy data, 0 to 9 are to train on, 10 and 11 for validation, 12 to 14 to test.
    for numbers, counts in (((3, 12, 13, 11, 300), (1, 2)), ((3, 4, 300, 301, 302), (0, 0))):
        caplog.clear()
        add_word(base, "hiss", [spoken("hiss", number) for number in numbers], tmp_path)
        for split, count in zip(("validation", "test"), counts, strict=True):
            told = f"the {split} split has {count} of the 5 recordings of 'hiss'"
            assert (told in caplog.text) == bool(count)
        assert ("are too good" in caplog.text) == any(counts)


def test_copies_do_not_count_as_recordings(base: Any, tmp_path: Path, caplog: Any) -> None:
    sirens = [siren(number) for number in (0, 1, 2, 2)]
    with pytest.raises(DataError, match="recording 4: the same recording as recording 3"):
        add_word(base, "siren", sirens, tmp_path)
    assert "only 4" not in caplog.text


def test_without_the_data_of_the_run(base: Any, toy_data: Any, tmp_path: Path) -> None:
    lost = base.config.data.model_copy(update={"source": str(tmp_path / "gone")})
    moved = base.configured({})
    moved.config = base.config.model_copy(update={"data": lost})
    sirens = [siren(number) for number in range(5)]
    with pytest.raises(DataError, match=r"^name the data of .* by --data DIR: .*gone"):
        add_word(moved, "siren", sirens, tmp_path / "models")
    assert not (tmp_path / "models").exists()
    source = str(toy_data("speech"))
    made = add_word(moved, "siren", sirens, tmp_path / "models", data=source)
    assert made.recognizer.config.data.source == source
    assert made.recognised == 5


def test_the_command_line(
    base: Any, cli: Cli, files: list[str], tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(lifecycle, "load", lambda task, run: base)
    where = ("--run", str(base.run.path), "--models-dir", str(tmp_path / "models"))
    folder = str(Path(files[0]).parent)
    result = cli("speech", "add-word", "siren", folder, *where, "--json", "--false-accepts", "10%")
    assert result.exit_code == 0, result.stderr
    fields = json.loads(result.stdout)
    assert list(fields) == ["run", "word", "recordings", "recognised", "false_accepts"]
    assert "siren: 5 of 5 recordings are recognised" in result.stderr
    assert Path(fields["run"]).parent == tmp_path / "models" / "speech"
    monkeypatch.undo()
    rest = cli("speech", "remove-word", "siren", "--models-dir", str(tmp_path / "models"))
    assert rest.exit_code == 0, rest.stderr
    assert Path(rest.stdout.strip()).name > Path(fields["run"]).name
    wrong = cli("speech", "add-word", "siren", folder, *where, "--false-accepts", "5%%")
    assert (wrong.exit_code, "is no share" in wrong.stderr) == (2, True)


@pytest.mark.slow
def test_refining_trains_on_the_recordings_too(
    base: Any, cli: Cli, files: list[str], tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(lifecycle, "load", lambda task, run: base)
    where = ("--run", str(base.run.path), "--models-dir", str(tmp_path / "models"))
    result = cli("speech", "add-word", "siren", *files, *where, "--train", "--epochs", "1")
    assert result.exit_code == 0, result.stderr
    run = RunDirectory.open(Path(result.stdout.strip()))
    (kept,) = run.config["data"]["added_source"]
    assert kept.endswith("recordings/words.csv")
    record = json.loads((run.path / "data.json").read_bytes())
    assert record["labels"] == [*WORDS, "siren", "unknown", "silence"]
    assert "left out" not in result.stderr
    monkeypatch.undo()
    hisses = [spoken("hiss", number) for number in range(300, 306)]
    both = add_word(lifecycle.load(TASK, run), "hiss", hisses, tmp_path)
    config = both.recognizer.config
    sources = with_added_words(config.data, both.recognizer.run)
    words = data.load_words(
        config.model_copy(update={"data": sources}), "train", both.recognizer.labels
    ).words
    assert sources.added_source == (str(both.recognizer.run.path / "recordings/words.csv"),)
    assert (words.count("siren"), words.count("hiss")) == (5, 16)  # 10 hisses are in the data
    # Recordings of a word that is taken away are not trained on again.
    fewer = remove_word(lifecycle.load(TASK, run), "siren", tmp_path)
    assert with_added_words(fewer.config.data, fewer.run).added_source == ()
