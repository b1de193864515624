import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from textapps.core.errors import DataError
from textapps.datasets.clips.classes import shuffled
from textapps.datasets.clips.folder import ClipFolder
from textapps.datasets.clips.sound_file import endings
from textapps.datasets.clips.sources import ClipTable
from textapps.datasets.source import SPLITS, Defect
from textapps.datasets.splits import split_of

Record = Callable[..., Path]


def test_class_folders(record: Record, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("yes/b.wav", "yes/a.FLAC", "no/0a7c_nohash_3.ogg", "no/ann/c.wav"):
        record(f"words/{name}")
    record("words/_background_noise_/hum.wav")
    record("words/_unknown_/d.wav")
    record("words/.trash/e.wav")
    (tmp_path / "words/maybe").mkdir()
    (tmp_path / "words/no/notes.txt").write_text("not a clip", encoding="utf-8")
    source = ClipFolder(tmp_path / "words")
    assert (source.name, source.own_splits) == ("words", frozenset())
    with caplog.at_level(logging.WARNING, "textapps"):
        found = [(one.word, one.speaker, one.key) for one in source.examples(None)]
    assert found == [
        ("unknown", "", "_unknown_/d.wav"),
        ("no", "0a7c", "no/0a7c_nohash_3.ogg"),
        ("no", "ann", "no/ann/c.wav"),
        ("yes", "", "yes/a.FLAC"),
        ("yes", "", "yes/b.wav"),
    ]
    assert caplog.messages == [
        f"{tmp_path}/words: 1 file is not read (1 .txt); recordings end in {endings()}",
        f"{tmp_path}/words/maybe: left out, no recording in this folder",
    ]
    assert [one.place for one in source.noises] == [f"{tmp_path}/words/_background_noise_/hum.wav"]
    first = source.examples(None)[1].read(lambda defect: None)
    assert first is not None
    assert first.rate_hz == 16_000


def test_hidden_folders_are_left_out_and_linked_ones_are_read(
    record: Record, tmp_path: Path
) -> None:
    for name in ("words/yes/a.wav", "words/yes/.checkpoints/b.wav", "elsewhere/ann/c.wav"):
        record(name)
    (tmp_path / "words/yes/linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/ann/back").symlink_to(tmp_path / "words/yes")
    (tmp_path / "elsewhere/ann/round").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "words/yes/up").symlink_to(tmp_path / "words")
    (tmp_path / "words/yes/further up").symlink_to(tmp_path)
    keys = [one.key for one in ClipFolder(tmp_path / "words").examples(None)]
    assert keys == ["yes/a.wav", "yes/linked/ann/c.wav"]


def test_names_need_not_be_utf8(record: Record, tmp_path: Path) -> None:
    folder = tmp_path / "words" / "yes"
    record("words/yes/a.wav").rename(folder / "caf\udce9.wav")
    (one,) = ClipFolder(tmp_path / "words").examples(None)
    sound = one.read(lambda defect: None)
    assert sound is not None
    assert shuffled([one]) == [one]
    assert split_of(one.key) in SPLITS


def test_split_folders(record: Record, tmp_path: Path) -> None:
    for name in ("training/yes/a.wav", "training/no/b.wav", "dev/yes/c.wav"):
        record(f"words/{name}")
    source = ClipFolder(tmp_path / "words")
    assert source.own_splits == {"train", "validation"}
    assert [(one.word, one.key) for one in source.examples("validation")] == [
        ("yes", "dev/yes/c.wav")
    ]


def test_a_manifest_in_the_folder(
    record: Record, write: Callable[..., Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("yes/a.wav", "yes/b.wav", "no/c.wav", "no/d.wav"):
        record(f"words/{name}")
    rows = "yes/a.wav\ttesting\tann\nno/c.wav\ttraining\t\n./yes/b.wav\ttraining\tbob\n"
    write("words/splits.tsv", f"path\tsplit\tspeaker\n{rows}_background_noise_/x.wav\ttraining\t\n")
    source = ClipFolder(tmp_path / "words")
    with caplog.at_level(logging.WARNING, "textapps"):
        assert source.own_splits == {"train", "test"}
    assert "1 clip left out, such as" in caplog.text
    assert [(one.key, one.speaker) for one in source.examples("train")] == [
        ("no/c.wav", ""),
        ("yes/b.wav", "bob"),
    ]
    manifest = write("words/splits.tsv", "path\tsplit\nyes/z.wav\ttraining\nyes/a.wav\tnever\n")
    with pytest.raises(DataError, match=r"splits\.tsv:3: unknown split 'never', write one of"):
        ClipFolder(tmp_path / "words").examples("train")
    found: list[Defect] = []
    assert ClipFolder(tmp_path / "words", found.append).own_splits == frozenset()
    assert found[1] == Defect(str(manifest), "there is no clip yes/z.wav")
    write("words/splits.tsv", "file\tpart\nyes/a.wav\ttraining\n")
    with pytest.raises(DataError, match=r"splits\.tsv: no column 'split'"):
        ClipFolder(tmp_path / "words").examples("train")


def test_a_table_of_paths(record: Record, write: Callable[..., Path], tmp_path: Path) -> None:
    for name in ("a.wav", "far/b.flac", "_background_noise_/hum.wav"):
        record(name)
    rows = "a.wav,yes,ann,train\nfar/b.flac,_silence_,,test\n"
    path = write("words.csv", f"file,word,speaker,split\n{rows}")
    source = ClipTable(path)
    assert (source.name, source.own_splits) == ("words", {"train", "test"})
    [test] = source.examples("test")
    assert (test.word, test.speaker, test.place) == ("silence", "", f"{tmp_path}/far/b.flac")
    assert source.examples("train")[0].speaker == "ann"
    assert [Path(one.place).name for one in source.noises] == ["hum.wav"]
    plain = ClipTable(write("plain.jsonl", '{"path": "a.wav", "label": "no"}\n'))
    assert [one.word for one in plain.examples(None)] == ["no"]


def test_tables_that_cannot_be_used(write: Callable[..., Path]) -> None:
    for content, message in (
        ("label,words\nyes,a\n", "no path column, the columns are label, words; call one 'path'"),
        ("path,who\na.wav,ann\n", "no word column, .*; call one 'path' and one 'label'"),
        ("path,label\n", "no rows in this file"),
        ("path,label\na.wav,\n", r"words\.csv:2: no label in this row"),
        ("path,label\n,yes\n", r"words\.csv:2: no path in this row"),
        ("path,label,split\na.wav,yes,later\n", r"words\.csv:2: unknown split 'later'"),
    ):
        with pytest.raises(DataError, match=message):
            ClipTable(write("words.csv", content)).examples(None)
    with pytest.raises(DataError, match=r"unknown kind of file, .*, or a folder of class folders"):
        ClipTable(write("words.txt", "yes\ta.wav\n"))


def test_folders_without_clips(tmp_path: Path, write: Callable[..., Path]) -> None:
    write("words/yes/notes.txt", "none yet")
    with pytest.raises(
        DataError,
        match=r"words: no class folders with recordings; .*1 file is not read \(1 \.txt\)",
    ):
        ClipFolder(tmp_path / "words").examples(None)
