import json
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Write = Callable[..., Path]
CORE = "tensorflow_datasets.core.features"


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
def record(tmp_path: Path) -> Callable[..., Path]:
    """`record("clips/yes/a.wav")` makes a recording of noise, which is another for each name."""

    def make(
        name: str, samples: int = 800, rate_hz: int = 16_000, channels: int = 1, **options: str
    ) -> Path:
        import soundfile

        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        drawn = np.random.default_rng(zlib.crc32(name.encode()))
        soundfile.write(path, drawn.uniform(-0.5, 0.5, (samples, channels)), rate_hz, **options)
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
        names: Sequence[str] | None = ("cat", "dog"),
        keys: tuple[str, str] | None = ("text", "label"),
        file_format: str = "tfrecord",
        label_shape: Sequence[int] = (),
        **splits: list[tuple[str, int]],
    ) -> Path:
        text = {"pythonClassName": f"{CORE}.text_feature.Text", "text": {}}
        label = _classes(names) if names else _tensor(label_shape)
        features = _dictionary(text=text, label=label)
        records = {
            split: [{"text": words, "label": number} for words, number in rows]
            for split, rows in splits.items()
        }
        return _prepared(write, name, config, features, keys, records, names or (), file_format)

    return make


@pytest.fixture
def prepare_pairs(write: Write) -> Callable[..., Path]:
    """`prepare_pairs("talks", ("pt", "en"), train=[("olá", "hello")])`, likewise.

    Without `keys` the set does not say which language comes first.
    """

    def make(
        name: str,
        languages: tuple[str, str],
        config: str = "",
        keys: bool = True,
        **splits: list[tuple[str, str]],
    ) -> Path:
        features = {
            "pythonClassName": f"{CORE}.translation_feature.Translation",
            "translation": {"languages": sorted(languages)},
        }
        records = {
            split: [dict(zip(languages, pair, strict=True)) for pair in pairs]
            for split, pairs in splits.items()
        }
        return _prepared(write, name, config, features, languages if keys else None, records)

    return make


@pytest.fixture
def prepare_clips(write: Write) -> Callable[..., Path]:
    """`prepare_clips(train=[([1, -1], 0)])`, likewise, of samples and the number of a class."""

    def make(
        rate_hz: int = 16_000, audio: bool = True, **splits: list[tuple[list[int], int]]
    ) -> Path:
        names = ("no", "yes", "_silence_", "_unknown_")
        shape = {"dimensions": ["-1"]}
        sound = {"shape": shape, "dtype": "int16", "encoding": "NONE", "sampleRate": str(rate_hz)}
        clip = {"pythonClassName": f"{CORE}.audio_feature.Audio", "audio": sound}
        features = _dictionary(audio=clip if audio else _tensor([-1]), label=_classes(names))
        records = {
            split: [{"audio": samples, "label": label} for samples, label in rows]
            for split, rows in splits.items()
        }
        keys = ("audio", "label")
        return _prepared(write, "words", "", features, keys, records, names, shards=2)

    return make


def _dictionary(**features: Any) -> dict[str, Any]:
    name = f"{CORE}.features_dict.FeaturesDict"
    return {"pythonClassName": name, "featuresDict": {"features": features}}


def _classes(names: Sequence[str]) -> dict[str, Any]:
    name = f"{CORE}.class_label_feature.ClassLabel"
    return {"pythonClassName": name, "classLabel": {"numClasses": str(len(names))}}


def _tensor(shape: Sequence[int]) -> dict[str, Any]:
    tensor = {"shape": {"dimensions": list(map(str, shape))}, "dtype": "int64", "encoding": "none"}
    return {"pythonClassName": f"{CORE}.tensor_feature.Tensor", "tensor": tensor}


def _prepared(
    write: Write,
    name: str,
    config: str,
    features: dict[str, Any],
    keys: tuple[str, str] | None,
    splits: dict[str, list[dict[str, Any]]],
    class_names: Sequence[str] = (),
    file_format: str = "tfrecord",
    shards: int = 1,
) -> Path:
    """The directory of version 1.0.0 of a set, with so many shards to a split."""
    import tensorflow as tf

    folder = "/".join(part for part in ("prepared", name, config, "1.0.0") if part)
    info = {
        "name": name,
        "version": "1.0.0",
        "fileFormat": file_format,
        "splits": [
            {
                "filepathTemplate": "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}",
                "name": split,
                "numBytes": "1",
                "shardLengths": [str(len(shard)) for shard in np.array_split(rows, shards)],
            }
            for split, rows in splits.items()
        ],
    }
    if config:
        info["configName"] = config
    if keys:
        info["supervisedKeys"] = {"tuple": {"items": [{"featureKey": key} for key in keys]}}
    write(f"{folder}/features.json", json.dumps(features))
    directory = write(f"{folder}/dataset_info.json", json.dumps(info)).parent
    if class_names:
        write(f"{folder}/label.labels.txt", "".join(f"{one}\n" for one in class_names))
    for split, rows in splits.items():
        for number, part in enumerate(np.array_split(rows, shards)):
            shard = directory / f"{name}-{split}.{file_format}-{number:05}-of-{shards:05}"
            with tf.io.TFRecordWriter(str(shard)) as writer:
                for row in part:
                    example = tf.train.Example()
                    for key, value in row.items():
                        feature = example.features.feature[key]
                        if isinstance(value, str):
                            feature.bytes_list.value.append(value.encode())
                        else:
                            feature.int64_list.value.extend(np.atleast_1d(value).tolist())
                    writer.write(example.SerializeToString())
    return directory
