import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from textapps.core.errors import DataError
from textapps.datasets.clips.config import ClipsConfig
from textapps.datasets.clips.examples import Clips
from textapps.datasets.clips.loader import load_clips
from textapps.datasets.source import SPLITS
from textapps.datasets.splits import split_of

Record = Callable[..., Path]
Write = Callable[..., Path]
SECONDS = 0.02  # of a clip, 320 samples


def load(
    source: object, *splits: str, names: tuple[str, ...] = (), **config: object
) -> list[Clips]:
    values = {"source": str(source), "silence": 0, **config}
    return load_clips(
        ClipsConfig.model_validate(values),
        splits or SPLITS,
        lambda waveform, rate_hz: waveform[: len(waveform) * 16_000 // rate_hz],
        lambda waveform, samples: waveform[:samples],
        clip_seconds=SECONDS,
        names=names or None,
    )


def count(clips: Clips, number: int = 0) -> dict[str, int]:
    return dict(Counter(clips.names[label] for label in clips.labels[clips.drawn(number)]))


@pytest.fixture
def words(record: Record, tmp_path: Path) -> Path:
    """Five words of 20 speakers; in training there are 14."""
    for number in range(20):
        for word in ("yes", "no", "bird", "cat", "tree")[: 5 if number % 3 else 3]:
            record(f"words/{word}/{number:x}_nohash_0.wav", 200 + 40 * (number % 4))
    record("words/_background_noise_/hum.wav", 4_000)
    record("words/_background_noise_/tap.wav", 300)
    return tmp_path / "words"


def test_clips_are_split_by_speaker(words: Path) -> None:
    loaded = load(words)
    for split, clips in zip(SPLITS, loaded, strict=True):
        assert clips.names == ("bird", "cat", "no", "tree", "yes")
        assert (clips.name, clips.rate_hz) == ("words", 16_000)
        assert {split_of(speaker) for speaker in clips.speakers} == {split}
        assert [clips.names[label] for label in clips.labels] == clips.words == sorted(clips.words)
        assert (clips.labels.dtype, clips.lengths.max() <= 320) == (np.int32, True)
        waveforms = clips.waveforms()
        assert waveforms.shape == (len(clips), 320)
        padding = np.arange(320) >= clips.lengths[:, None]
        assert padding.any()
        assert not waveforms[padding].any()
    assert sum(map(len, loaded)) == 20 * 3 + 13 * 2


def test_places_and_counts_for_people(words: Path) -> None:
    (clips,) = load(words, "test", commands="yes,no", silence=0.1)
    silent = sum(clips.names[label] == "silence" for label in clips.labels)
    recorded = len(clips) - silent
    told = f"{recorded} of 86 clips (test) and {silent} clips of silence cut from background noise"
    assert clips.part.told("clip") == told.replace(" 1 clips", " 1 clip")
    assert all(str(words) in place for place in clips.places)
    for short, place in zip(clips.short_places, clips.places, strict=True):
        assert place == f"{words}/{short}"
    one = replace(clips, places=clips.places[:1])
    assert one.short_places == [Path(clips.places[0]).name]
    mixed = replace(clips, places=[clips.places[0], "yes/0.wav"])
    assert mixed.short_places == mixed.places
    assert replace(clips, places=[]).short_places == []


def test_files_without_a_speaker_are_split_by_their_path(record: Record, tmp_path: Path) -> None:
    keys = [f"{word}/take {number}.wav" for word in ("no", "yes") for number in range(30)]
    for key in keys:
        record(f"words/{key}")
    for split, clips in zip(SPLITS, load(tmp_path / "words"), strict=True):
        found = [Path(place).relative_to(tmp_path / "words").as_posix() for place in clips.places]
        assert sorted(found) == sorted(key for key in keys if split_of(key) == split)


def test_unknown_and_silence_are_tenths(words: Path) -> None:
    commands = "yes,no"
    for clips in load(words, commands=commands, unknown=0.25, silence=0.125, redraw=False):
        assert clips.names == ("yes", "no", "unknown", "silence")
        counts = count(clips)
        total = len(clips)
        assert counts["unknown"] == pytest.approx(total / 4, abs=1)
        assert counts["silence"] == pytest.approx(total / 8, abs=1)
        unknown = Counter(clips.words) - Counter({"yes": 99, "no": 99, "silence": 99})
        assert max(unknown.values()) - min(unknown.values()) <= 1
        assert clips.labels.tolist() == sorted(clips.labels.tolist(), key=[1, 0, 2, 3].index)
        quiet = clips.waveforms(np.flatnonzero(clips.labels == 3))
        assert (quiet != 0).mean() > 0.9
        assert [Path(noise.place).name for noise in clips.noises] == ["hum.wav", "tap.wav"]
    closed = load(words, commands=commands, unknown=0)[0]
    assert (closed.names, set(closed.words)) == (("yes", "no"), {"yes", "no"})
    assert len(closed.noises) == 2


def test_passes_take_other_unknown_words(words: Path) -> None:
    fixed, redrawn = (
        load(words, "train", commands="yes,no", unknown=0.2, redraw=redraw)[0]
        for redraw in (False, True)
    )
    assert len(redrawn) > len(fixed)
    first = redrawn.drawn(0)
    assert sorted(redrawn.places[index] for index in first) == sorted(fixed.places)
    np.testing.assert_array_equal(fixed.drawn(5), np.arange(len(fixed)))
    unknown = np.flatnonzero(redrawn.labels == 2)
    heard = [set(redrawn.drawn(number)) & set(unknown) for number in range(40)]
    assert {len(one) for one in heard} == {len(heard[0])}
    assert heard[0] != heard[1]
    assert set.union(*heard) == set(unknown)
    assert all(count(redrawn, number) == count(fixed) for number in range(3))


def test_loading_is_the_same_every_time(words: Path, record: Record) -> None:
    config = {"commands": "yes,no", "silence": 0.1}
    one, two, streamed = (
        [clips.fingerprint for clips in load(words, **config, memory_mb=size)]
        for size in (100, 100, 0)
    )
    assert one == two == streamed
    assert len({*one}) == 3
    record("words/no/1_nohash_0.wav", 333)
    assert [clips.fingerprint for clips in load(words, **config)] != one
    assert load(words, commands="no,yes", silence=0.1)[0].fingerprint not in one


def test_the_classes_of_an_earlier_training(words: Path, record: Record, tmp_path: Path) -> None:
    names = ("no", "yes", "unknown")
    clips = load(words, "test", names=names, commands="no,yes")[0]
    assert (clips.names, set(count(clips))) == (names, set(names))
    record("other/yes/a.wav")
    record("other/maybe/b.wav")
    both = {"validation_source": "sample", "test_source": "sample"}
    message = r"other/maybe/b\.wav: label 'maybe', the classes are no, yes"
    with pytest.raises(DataError, match=message):
        load(tmp_path / "other", "train", names=("no", "yes"), **both)


def test_validation_and_test_from_elsewhere(words: Path, record: Record, tmp_path: Path) -> None:
    for word in ("yes", "no", "bird", "cat", "tree"):
        record(f"other/{word}/a.wav")
    other = str(tmp_path / "other")
    train, validation, test = load(words, validation_source=other, test_source=other)
    assert len(train) == 20 * 3 + 13 * 2
    assert (len(validation), test.name, len(test.noises)) == (5, "other", 2)
    assert validation.fingerprint == test.fingerprint


def test_a_class_that_lacks_clips(
    record: Record, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for word in ("yes", "no"):
        for number in range(12):
            record(f"words/{word}/take{number}.wav", 300)
    train, validation, test = ("train", "validation", "test")
    by_split = {split_of(f"maybe/{name}.wav"): name for name in map(str, range(40))}
    record(f"words/maybe/{by_split[test]}.wav", 300)
    with pytest.raises(DataError, match="words: no clip of 'maybe' to train on; record more"):
        load(tmp_path / "words", train)
    record(f"words/maybe/{by_split[train]}.wav", 300)
    with caplog.at_level(logging.WARNING, "textapps"):
        load(tmp_path / "words", train, validation)
    assert caplog.messages == [
        "words: only one clip of maybe to train on",
        "words: no clip of maybe in validation",
    ]


def test_parts_without_clips(record: Record, tmp_path: Path) -> None:
    for number in range(3):
        record(f"words/yes/talker_nohash_{number}.wav")
        record(f"words/no/talker_nohash_{number}.wav")
    split = split_of("talker")
    for other in {*SPLITS} - {split}:
        remedy = "" if other == "train" else f": use more, or give --{other}-data"
        names = ("no", "yes")
        with pytest.raises(DataError, match=f"^words: no clips for {other}{remedy}$"):
            load(tmp_path / "words", other, names=names)


def test_bad_files(words: Path, caplog: pytest.LogCaptureFixture) -> None:
    train = load(words, "train")[0]
    bad = [Path(train.places[index]) for index in (1, 4)]
    bad[0].write_text("a text", encoding="utf-8")
    bad[1].write_bytes(bad[1].read_bytes()[:60])
    with pytest.raises(DataError, match=f"^{bad[0]}: no audio that can be read"):
        load(words, "train")
    with caplog.at_level(logging.WARNING, "textapps"):
        found = load(words, "train", skip_bad=True)[0]
    assert found.places == [place for place in train.places if Path(place) not in bad]
    np.testing.assert_array_equal(found.labels, np.delete(train.labels, [1, 4]))
    [message] = caplog.messages
    assert message.startswith(f"words: 2 bad recordings skipped: {bad[0]}: no audio that can")
    assert f"; {bad[1]}: cut off" in message


def test_a_part_of_bad_files_alone(words: Path) -> None:
    """Also beside silence that is cut from background noise."""
    (validation,) = load(words, "validation", silence=0)
    for place in validation.places:
        Path(place).write_bytes(b"no audio")
    for silence in (0, 0.1):
        with pytest.raises(DataError, match=r"^words: no clips for validation: use more"):
            load(words, "validation", silence=silence, skip_bad=True)


def test_other_rates_and_lengths(
    record: Record, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for word in ("yes", "no"):
        for number in range(6):
            record(f"words/{word}/{number}.wav", 930, 48_000, channels=2)
        record(f"words/{word}/long.flac", 900)
    given = {"validation_source": "sample", "test_source": "sample"}
    with caplog.at_level(logging.WARNING, "textapps"):
        [train] = load(tmp_path / "words", "train", **given)
    assert sorted(train.lengths.tolist()) == [310] * 12 + [320] * 2
    assert "words: 2 clips of train longer than 0.02 s: the loudest" in caplog.text


def test_speech_commands_as_published(shared_data: Path) -> None:
    """Its list of splits is what the rule makes of the names."""
    rows = (shared_data / "speech_commands/splits.tsv").read_text(encoding="utf-8").splitlines()[1:]
    names = {"training": "train", "testing": "test"}
    for row in rows:
        path, split = row.split("\t")
        speaker = Path(path).name.partition("_nohash_")[0]
        assert split_of(speaker) == names.get(split, split)


def test_a_few_clips_of_each_word(words: Path) -> None:
    (every,) = load(words, "train", commands=["yes", "no"], unknown=0.5)
    clips = load_clips(
        ClipsConfig(source=str(words), commands=("yes", "no"), unknown=0.5, silence=0),
        ["train"],
        lambda waveform, rate_hz: waveform[: len(waveform) * 16_000 // rate_hz],
        lambda waveform, samples: waveform[:samples],
        clip_seconds=SECONDS,
        most=3,
    )[0]
    assert set(clips.words) == set(every.words)
    assert set(Counter(clips.words).values()) == {3}
    assert set(clips.places) < set(every.places)


def test_added_recordings_are_trained_on_alone(words: Path, record: Record, tmp_path: Path) -> None:
    for number in range(2):
        record(f"added/lamp/{number}.wav", 210)
    given = {"added_source": [str(tmp_path / "added")], "commands": ["yes", "lamp"]}
    train, validation, test = load(words, **given)
    assert train.names[:2] == ("yes", "lamp")
    assert count(train)["lamp"] == 2
    assert "lamp" not in count(validation) | count(test)


def test_recordings_that_runs_have_kept_are_read_whatever_the_format_of_the_data(
    words: Path, record: Record, tmp_path: Path
) -> None:
    tables = []
    for run, word in enumerate(("lamp", "door")):
        record(f"{run}/recordings/0.wav", 210)
        tables.append(tmp_path / f"{run}/recordings/words.csv")
        tables[-1].write_text(f"path,label\n0.wav,{word}\n", encoding="utf-8")
        (tmp_path / f"{run}/config.toml").write_text("")
    given = {"added_source": list(map(str, tables)), "delimiter": ";", "encoding": "utf-16"}
    train, _, _ = load(words, **given, commands=["yes", "lamp", "door"])
    assert (count(train)["lamp"], count(train)["door"]) == (1, 1)
    own = tmp_path / "0/recordings/words.csv"  # of no run
    (tmp_path / "0/config.toml").unlink()
    own.write_text("path;label\n0.wav;lamp\n", encoding="utf-16")
    train, _, _ = load(words, **given, commands=["yes", "lamp", "door"])
    assert (count(train)["lamp"], count(train)["door"]) == (1, 1)
    single = ClipsConfig.model_validate({"added_source": str(tables[0])})  # as runs of before
    assert single.added_source == (str(tables[0]),)
