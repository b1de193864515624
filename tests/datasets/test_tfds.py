import ast
import inspect
from pathlib import Path

import numpy as np
import pytest

import textapps
from textapps.core.errors import DataError
from textapps.datasets import tfds
from textapps.datasets.tfds import PreparedSet

ROWS = [("purrs\x85\t", 1), ("barks", 0), ("meows é", 1)]


def rows(directory: Path, split: str | None = "train") -> list[list[str]]:
    return list(PreparedSet(directory, "pets").rows(split, ["text", "", "label"]))


def test_records_in_their_order(prepare) -> None:
    found = PreparedSet(
        prepare("pets", names=("dog", "cat"), train=ROWS, dev=[("yaps", 0)], extra=[]), "my/pets"
    )
    assert (found.name, set(found.splits)) == ("my-pets", {"train", "validation"})
    assert (found.keys, list(found.columns)) == (("text", "label"), ["label", "text"])
    assert (found.names("label"), found.names("text")) == (("dog", "cat"), None)
    names = ["cat", "dog", "cat"]
    assert list(found.rows("train", ["text", "", "label"])) == [
        [text, "", name] for name, (text, _) in zip(names, ROWS, strict=True)
    ]
    assert list(found.rows("validation", ["label"])) == [["dog"]]


def test_agrees_with_the_reader_of_tensorflow_datasets(prepare) -> None:
    import tensorflow_datasets

    directory = prepare("pets", train=ROWS)
    builder = tensorflow_datasets.builder_from_directory(directory)
    names = builder.info.features["label"]
    theirs = [
        [one["text"].decode(), "", names.int2str(int(one["label"]))]
        for one in tensorflow_datasets.as_numpy(
            builder.as_dataset(split="train", shuffle_files=False)
        )
    ]
    assert rows(directory) == theirs


def test_plain_numbers_and_no_label(prepare) -> None:
    plain = prepare("plain", names=None, keys=None, train=[("a", 10), ("b", -1)])
    assert [row[2] for row in rows(plain)] == ["10", "-1"]
    assert PreparedSet(plain, "plain").keys == (None, None)
    named = prepare("pets", train=ROWS, test=[("a", -1)])
    assert rows(named, "test") == [["a", "", ""]]


def test_truncated_and_missing_records(prepare) -> None:
    directory = prepare("pets", train=ROWS)
    [shard] = directory.glob("*.tfrecord-*")
    whole = shard.read_bytes()
    for content, message in (
        (whole[:-3], f"^{shard}: damaged .*prepare the set again$"),
        (whole[: whole.index(b"barks")], f"^{shard}: damaged "),
        (whole.replace(b"barks", b"berks"), f"^{shard}: damaged .*corrupted record"),
        (b"", rf"^{directory}: 0 of 3 records of train; prepare it again$"),
        (None, f"^{shard}: damaged .*No such file"),
    ):
        if content is None:
            shard.unlink()
        else:
            shard.write_bytes(content)
        with pytest.raises(DataError, match=message) as caught:
            rows(directory)
        assert "\n" not in str(caught.value)


def test_descriptions_that_cannot_be_used(prepare, write) -> None:
    lists = prepare("lists", names=None, label_shape=(2,), train=ROWS)
    assert list(PreparedSet(lists, "lists").columns) == ["text"]
    arrays = prepare("arrays", file_format="array_record", train=ROWS)
    with pytest.raises(DataError, match="prepared as array_record; prepare it as tfrecord"):
        rows(arrays)
    broken = write("broken/1.0.0/dataset_info.json", "{").parent
    with pytest.raises(DataError, match="not a prepared set") as caught:
        rows(broken)
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="no split train, validation or test"):
        rows(prepare("pets", all=ROWS), None)


def test_what_is_used_of_tensorflow_datasets_is_there(prepare) -> None:
    """Its documentation names the first few; the others are what a new version may change."""
    import tensorflow_datasets as library

    parameters = inspect.signature(library.builder).parameters
    assert "try_gcs" in parameters
    assert "with_community_datasets" in inspect.signature(library.list_builders).parameters
    assert "try_download_gcs" in inspect.signature(library.download.DownloadConfig).parameters
    assert hasattr(library.core.DatasetBuilder, "url_infos")
    assert library.core.FileFormat.TFRECORD.value == "tfrecord"
    info = library.builder_from_directory(prepare("pets", train=ROWS)).info
    assert (info.file_format, info.supervised_keys) == (
        library.core.FileFormat.TFRECORD,
        ("text", "label"),
    )
    [split] = info.splits.values()
    assert (len(split.filepaths), split.num_examples) == (1, 3)
    text, label = info.features["text"], info.features["label"]
    assert (text.shape, text.np_dtype in (object, str)) == ((), True)
    assert (label.shape, np.dtype(label.np_dtype), label.names) == ((), np.int64, ["cat", "dog"])
    assert library.features.Audio(sample_rate=8_000).sample_rate == 8_000


def test_no_other_module_asks_the_library() -> None:
    package = Path(textapps.__file__).parent
    using = {
        path
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        if "tensorflow_datasets" in ast.unparse(node)
    }
    assert using == {Path(tfds.__file__)}
