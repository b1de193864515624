from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from textapps.core.errors import DataError
from textapps.datasets.clips.config import ClipsConfig
from textapps.datasets.clips.loader import load_clips
from textapps.datasets.clips.sources import PreparedClips
from textapps.datasets.source import Defect, stop
from textapps.datasets.tfds import PreparedSet

Row = tuple[list[int], int]
Prepare = Callable[..., Path]


def rows(count: int) -> list[Row]:
    return [([number + 1] * (200 + number), number % 4) for number in range(count)]


def prepared(directory: Path) -> PreparedClips:
    return PreparedClips(PreparedSet(directory, "words"))


def load(directory: Path, *splits: str, **config: object) -> list:
    values = {"source": str(directory.parent), **config}
    return load_clips(
        ClipsConfig.model_validate(values),
        splits,
        lambda waveform, rate_hz: np.repeat(waveform, 16_000 // rate_hz),
        lambda waveform, samples: waveform[:samples],
        clip_seconds=0.05,
    )


def test_records_in_their_order(prepare_clips: Prepare) -> None:
    directory = prepare_clips(train=rows(10), valid=rows(3), test=rows(5))
    source = prepared(directory)
    assert source.own_splits == {"train", "validation", "test"}
    found = source.examples("train")
    words = ["no", "yes", "silence", "unknown"]
    assert [one.word for one in found] == [words[number % 4] for number in range(10)]
    assert found[3].place == "words/train:4"
    for number, one in enumerate(found):
        sound = one.read(lambda defect: None)
        assert sound is not None
        assert (len(sound.waveform), sound.rate_hz) == (200 + number, 16_000)
        np.testing.assert_allclose(sound.waveform * 32768, number + 1)


def test_own_silence_and_unknown(prepare_clips: Prepare) -> None:
    directory = prepare_clips(rate_hz=8_000, train=rows(40), valid=rows(8), test=rows(4))
    train, test = load(directory, "train", "test", silence=0.2, unknown=0.1, redraw=False)
    assert train.names == ("no", "yes", "unknown", "silence")
    assert np.bincount(train.labels).tolist() == [10, 10, 3, 6]
    assert [noise.place.partition(":")[0] for noise in train.noises] == ["words/train"] * 6
    assert len(test) == 4
    assert test.lengths.tolist() == [400, 402, 406, 404]
    [narrow] = load(directory, "test", commands=("yes",), silence=0, unknown=0.5, redraw=False)
    assert (narrow.names, narrow.labels.tolist()) == (("yes", "unknown"), [0, 1])


def test_sets_that_cannot_be_used(prepare_clips: Prepare) -> None:
    directory = prepare_clips(audio=False, train=rows(8))
    with pytest.raises(DataError, match="no audio and label in this set, only audio, label"):
        prepared(directory).examples("train")


def test_an_empty_record(prepare_clips: Prepare) -> None:
    directory = prepare_clips(train=[([1] * 300, 0), ([], 1), ([2] * 300, 1)])
    with pytest.raises(DataError, match="words/train:2: empty, it has 0 samples"):
        load(directory, "train", silence=0, test_source="sample", validation_source="sample")


def test_a_damaged_record_names_its_file(prepare_clips: Prepare) -> None:
    """When the set is opened, and when a record is read again for a later batch."""
    directory = prepare_clips(train=[([number] * 300, number % 2) for number in range(1, 6)])
    opened = prepared(directory).examples("train")
    shard = sorted(directory.glob("*.tfrecord-*"))[1]
    content = bytearray(shard.read_bytes())
    content[-100] ^= 1  # among the samples of the last record
    shard.write_bytes(content)
    damaged = rf"{shard}: damaged \(.*\); prepare the set again$"
    with pytest.raises(DataError, match=f"^{damaged}") as caught:
        prepared(directory).examples("train")
    assert "corrupted record" in str(caught.value)
    defects: list[Defect] = []
    assert [one.read(defects.append) is None for one in opened] == [False] * 4 + [True]
    [defect] = defects
    assert defect.place == "words/train:5"
    with pytest.raises(DataError, match=f"^words/train:5: {damaged}"):
        opened[4].read(stop)
