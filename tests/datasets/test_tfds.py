import pytest

from textapps.core.errors import DataError
from textapps.datasets.source import Row
from textapps.datasets.tfds import TfdsSource

ROWS = [("purrs\x85\t", 1), ("barks", 0), ("meows é", 1)]


def test_reads_records_in_order(prepare) -> None:
    directory = prepare("pets", names=("dog", "cat"), train=ROWS, dev=[("yaps", 0)], extra=[])
    source = TfdsSource(directory, "pets")
    assert (source.name, source.own_splits) == ("pets", {"train", "validation"})
    assert source.label_names == ("dog", "cat")
    assert source.rows("train") == [
        Row("purrs\x85\t", "cat", "", "pets/train:1"),
        Row("barks", "dog", "", "pets/train:2"),
        Row("meows é", "cat", "", "pets/train:3"),
    ]
    assert source.rows("validation") == [Row("yaps", "dog", "", "pets/validation:1")]


def test_agrees_with_the_reader_of_tensorflow_datasets(prepare) -> None:
    import tensorflow_datasets as tfds

    directory = prepare("pets", train=ROWS)
    builder = tfds.builder_from_directory(directory)
    theirs = [
        (example["text"].decode(), builder.info.features["label"].int2str(int(example["label"])))
        for example in tfds.as_numpy(builder.as_dataset(split="train", shuffle_files=False))
    ]
    assert [row[:2] for row in TfdsSource(directory, "pets").rows("train")] == theirs


def test_plain_numbers_and_usual_columns(prepare) -> None:
    directory = prepare("pets", names=None, keys=None, train=[("a", 10), ("b", 9)])
    source = TfdsSource(directory, "pets")
    assert source.label_names is None
    assert [row.label for row in source.rows("train")] == ["10", "9"]


def test_minus_one_is_no_label(prepare) -> None:
    source = TfdsSource(prepare("pets", train=ROWS, test=[("a", -1)]), "pets")
    assert source.rows("test")[0].label == ""


def test_columns_can_be_named(prepare) -> None:
    directory = prepare("pets", train=ROWS)
    with pytest.raises(DataError, match="no column 'words', the columns are label, text"):
        TfdsSource(directory, "pets", text_column="words").rows("train")
    with pytest.raises(DataError, match="column 'label' holds no texts"):
        TfdsSource(directory, "pets", "label", "text").rows("train")


def test_truncated_and_missing_records(prepare) -> None:
    directory = prepare("pets", train=ROWS)
    [shard] = directory.glob("*.tfrecord-*")
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-3])
    with pytest.raises(DataError, match=r"1\.0\.0: damaged .*prepare it again"):
        TfdsSource(directory, "pets").rows("train")
    shard.write_bytes(b"")
    with pytest.raises(DataError, match="0 of 3 records of train"):
        TfdsSource(directory, "pets").rows("train")
    shard.unlink()
    with pytest.raises(DataError, match="prepare it again"):
        TfdsSource(directory, "pets").rows("train")


def test_descriptions_that_cannot_be_used(prepare, write) -> None:
    lists = prepare("lists", names=None, label_shape=(2,), train=ROWS)
    with pytest.raises(DataError, match="column 'label' holds neither texts nor classes"):
        TfdsSource(lists, "lists").rows("train")
    arrays = prepare("arrays", file_format="array_record", train=ROWS)
    with pytest.raises(DataError, match="prepared as array_record; prepare it as tfrecord"):
        TfdsSource(arrays, "arrays").rows("train")
    broken = write("broken/1.0.0/dataset_info.json", "{").parent
    with pytest.raises(DataError, match="not a prepared set") as caught:
        TfdsSource(broken, "broken").rows("train")
    assert "\n" not in str(caught.value)


def test_set_without_our_splits(prepare) -> None:
    source = TfdsSource(prepare("pets", all=ROWS), "pets")
    with pytest.raises(DataError, match="no split train, validation or test"):
        source.rows(None)
