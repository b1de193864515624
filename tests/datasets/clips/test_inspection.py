from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from textapps.core.errors import DataError
from textapps.datasets.clips.config import ClipsConfig
from textapps.datasets.clips.inspection import check, summarise
from textapps.datasets.clips.loader import load_clips
from textapps.datasets.inspection import Twin
from textapps.datasets.source import SPLITS, Defect
from textapps.datasets.splits import split_of

Record = Callable[..., Path]


def cut(waveform: NDArray[np.float32], samples: int) -> NDArray[np.float32]:
    return waveform[:samples]


SPEAKERS = ("ann", "bob", "eva")


@pytest.fixture
def table(record: Record, tmp_path: Path) -> Path:
    """Five words of three speakers, each of whom is in a split of her own."""
    lines = ["path,label,split,speaker"]
    for speaker, split in zip(SPEAKERS, SPLITS, strict=True):
        for word in ("yes", "no", "bird", "cat", "tree"):
            for take in range(2):
                name = f"{word}/{speaker}{take}.wav"
                record(name, 400 + 100 * take, 8_000 if word == "cat" else 16_000)
                lines.append(f"{name},{word},{split},{speaker}")
    path = tmp_path / "words.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_summary(table: Path, record: Record) -> None:
    record("_background_noise_/hum.wav", 40_000)
    config = ClipsConfig(source=str(table), commands=("yes", "no"), unknown=0.25, silence=0.25)
    overview, _, _ = summarise(config)
    splits = overview.splits
    assert (overview.name, list(splits)) == ("words", list(SPLITS))
    assert ["of 8,000 Hz", "2", "2", "2"] in overview.table()
    train = splits["train"]
    assert train.classes == {"yes": 2, "no": 2, "unknown": 2, "silence": 2}
    assert (train.clips, train.left_out, train.speakers) == (8, 4, 1)
    assert train.rates_hz == {8_000: 2, 16_000: 8}
    lengths = {"shortest": 25, "median": 31, "percent_95": 50, "longest": 62}
    assert train.milliseconds == lengths
    loaded = load_clips(config, SPLITS, lambda waveform, rate_hz: np.repeat(waveform, 2), cut)
    for clips, summary in zip(loaded, splits.values(), strict=True):
        drawn = clips.labels[clips.drawn(0)]
        assert list(summary.classes.values()) == np.bincount(drawn).tolist()
    assert summarise(ClipsConfig(source=str(table), silence=0))[0].splits["test"].left_out == 0


def test_findings(table: Path, tmp_path: Path) -> None:
    place = {name: str(tmp_path / name) for name in ("yes/ann0.wav", "no/ann1.wav", "no/eva0.wav")}
    Path(place["no/ann1.wav"]).write_bytes(Path(place["yes/ann0.wav"]).read_bytes())
    Path(place["no/eva0.wav"]).write_bytes(Path(place["yes/ann0.wav"]).read_bytes())
    for name in ("yes/bob0.wav", "yes/bob1.wav"):
        soundfile.write(tmp_path / name, np.zeros(500), 16_000)
    with table.open("a", encoding="utf-8") as file:
        file.write("cat/eva0.wav,cat,test,ann\nno/ann0.wav,maybe,train,ann\n")
    found = check(ClipsConfig(source=str(table), silence=0, commands=("yes", "no", "maybe")))
    assert found.still == [str(tmp_path / f"yes/bob{take}.wav") for take in range(2)]
    cat = str(tmp_path / "cat/eva0.wav")
    no = str(tmp_path / "no/ann0.wav")
    assert found.duplicates == [
        Twin(place["no/ann1.wav"], place["yes/ann0.wav"]),
        Twin(no, no),
        Twin(cat, cat),
    ]
    assert found.shared == {"train+test": [Twin(place["no/eva0.wav"], place["yes/ann0.wav"])]}
    assert found.shared_speakers == {"train+test": ["ann"]}
    assert [line.partition("; ")[0] for line in found.unequal] == [
        "train: 'yes' has 2 times as many examples as 'maybe' (2 and 1)"
    ]
    assert found.scarce == [
        "maybe: 1 clip in train",
        "unknown: 1 clip in train",
        "maybe: 0 clips in validation",
        "unknown: 1 clip in validation",
        "maybe: 0 clips in test",
        "unknown: 1 clip in test",
    ]
    assert found.defects == []


def test_all_defects_are_found(table: Path, tmp_path: Path) -> None:
    broken = [tmp_path / name for name in ("yes/ann0.wav", "no/eva1.wav")]
    broken[0].write_text("a text", encoding="utf-8")
    broken[1].unlink()
    config = ClipsConfig(source=str(table), silence=0)
    found = check(config)
    assert [defect.place for defect in found.defects] == list(map(str, broken))
    assert found.defects[1].message == "cannot be read (No such file or directory)"
    assert found.splits["train"].classes["yes"] == 1
    with pytest.raises(DataError, match=r"yes/ann0\.wav: no audio"):
        summarise(config)


def test_a_class_without_clips_to_train_on(record: Record, tmp_path: Path) -> None:
    for number in range(40):
        record(f"words/{'yes' if number % 2 else 'no'}/{number}.wav")
    rare = next(f"{number}.wav" for number in range(40) if split_of(f"rare/{number}.wav") == "test")
    record(f"words/rare/{rare}")
    found = check(ClipsConfig(source=str(tmp_path / "words"), silence=0))
    assert found.defects == [Defect("train", "no clip of 'rare' to train on")]
    assert found.splits["test"].classes["rare"] == 1


def test_a_part_without_clips(table: Path) -> None:
    lines = table.read_text(encoding="utf-8").splitlines()
    rows = [f"{line[:-3]}Zoe" for line in lines[1:] if ",train," in line]
    table.write_text("\n".join([lines[0], *rows]) + "\n", encoding="utf-8")
    found = check(ClipsConfig(source=str(table), silence=0))
    assert split_of("Zoe") == "train"
    assert found.defects == [
        Defect(split, f"words: no clips for {split}: use more, or give --{split}-data")
        for split in SPLITS[1:]
    ]


def test_a_part_of_bad_clips_alone(table: Path, tmp_path: Path) -> None:
    bad = [path for path in sorted(tmp_path.rglob("*.wav")) if path.name.startswith("eva")]
    for path in bad:
        path.write_bytes(b"no audio")
    found = check(ClipsConfig(source=str(table), silence=0))
    *files, last = found.defects
    assert {defect.place for defect in files} == set(map(str, bad))
    assert last == Defect("test", "words: no clips for test: use more, or give --test-data")


def test_where_a_word_may_be_lost(record: Record, tmp_path: Path) -> None:
    """In a recording of 2.5 s, one word, or two that are 1.5 s apart."""
    drawn = np.random.default_rng(4)
    for number in range(30):
        record(f"words/{'yes' if number % 2 else 'no'}/{number}.wav")
    for name, starts in (("one", [1.7]), ("two", [0.1, 1.6])):
        waveform = 0.001 * drawn.normal(size=20_000)
        for start in starts:
            waveform[round(8_000 * start) :][:3_200] += np.sin(np.arange(3_200))
        soundfile.write(tmp_path / "words" / "yes" / f"{name}.wav", waveform / 2, 8_000)
    found = check(ClipsConfig(source=str(tmp_path / "words"), silence=0))
    one, two = (tmp_path / "words" / "yes" / f"{name}.wav" for name in ("one", "two"))
    assert sorted(found.longer) == [f"{one}: 2,500 ms", f"{two}: 2,500 ms"]
    assert found.lost == [f"{two}: 50% of the sound is outside its loudest second"]
