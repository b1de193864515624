import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """`write("pets.csv", b"…")` makes a file in the test's folder."""

    def make(name: str, content: bytes | str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return make


@pytest.fixture
def prepare(write: Write) -> Callable[..., Path]:
    """`prepare("pets", train=[("purrs", 0)])` makes what TensorFlow Datasets would prepare.

    Written by hand, so that reading is not tested by the code that wrote. Without `names` the
    label is a plain int64.
    """

    def make(
        name: str,
        config: str = "",
        version: str = "1.0.0",
        names: Sequence[str] | None = ("cat", "dog"),
        keys: tuple[str, str] | None = ("text", "label"),
        file_format: str = "tfrecord",
        label_shape: Sequence[int] = (),
        **splits: list[tuple[str, int]],
    ) -> Path:
        import tensorflow as tf

        core = "tensorflow_datasets.core.features"
        folder = "/".join(part for part in ("prepared", name, config, version) if part)
        label = {
            "pythonClassName": f"{core}.tensor_feature.Tensor",
            "tensor": {
                "shape": {"dimensions": [str(size) for size in label_shape]},
                "dtype": "int64",
                "encoding": "none",
            },
        }
        if names:
            label = {
                "pythonClassName": f"{core}.class_label_feature.ClassLabel",
                "classLabel": {"numClasses": str(len(names))},
            }
            write(f"{folder}/label.labels.txt", "".join(f"{name}\n" for name in names))
        text = {"pythonClassName": f"{core}.text_feature.Text", "text": {}}
        features = {
            "pythonClassName": f"{core}.features_dict.FeaturesDict",
            "featuresDict": {"features": {"label": label, "text": text}},
        }
        write(f"{folder}/features.json", json.dumps(features))
        info = {
            "name": name,
            "version": version,
            "fileFormat": file_format,
            "splits": [
                {
                    "filepathTemplate": "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}",
                    "name": split,
                    "numBytes": "1",
                    "shardLengths": [str(len(rows))],
                }
                for split, rows in splits.items()
            ],
        }
        if config:
            info["configName"] = config
        if keys:
            items = [{"featureKey": key} for key in keys]
            info["supervisedKeys"] = {"tuple": {"items": items}}
        directory = write(f"{folder}/dataset_info.json", json.dumps(info)).parent
        for split, rows in splits.items():
            shard = directory / f"{name}-{split}.{file_format}-00000-of-00001"
            with tf.io.TFRecordWriter(str(shard)) as writer:
                for words, number in rows:
                    example = tf.train.Example()
                    example.features.feature["text"].bytes_list.value.append(words.encode())
                    example.features.feature["label"].int64_list.value.append(number)
                    writer.write(example.SerializeToString())
        return directory

    return make
