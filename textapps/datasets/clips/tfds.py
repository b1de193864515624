"""Recordings prepared by TensorFlow Datasets, such as `speech_commands`."""

from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from textapps.core.errors import DataError
from textapps.datasets.clips.files import Recording, Sound, read_sound, whole_sound
from textapps.datasets.clips.sources import CLASS_NAMES
from textapps.datasets.source import Defect, Report
from textapps.datasets.tfds import TfdsSource

_RATE_HZ = 16_000  # where a set does not say
# A record of a TFRecord file: its length and 4 bytes to check that, the data, 4 to check these.
_HEADER_BYTES = 12
_FOOTER_BYTES = 4


class TfdsClips:
    """A prepared directory, such as `<data_dir>/speech_commands/0.0.3`.

    Labels are read at once, and the sound of a record only when it is needed. The labels
    `_unknown_` and `_silence_` are our `unknown` and `silence`. DataError where the directory
    cannot be read or has no sound and class.
    """

    noises: tuple[Recording, ...] = ()

    def __init__(self, directory: Path, name: str) -> None:
        self._source = TfdsSource(directory, name)
        self.name = self._source.name

    @property
    def own_splits(self) -> frozenset[str]:
        """The set's splits that are named like ours."""
        return self._source.own_splits

    def recordings(self, split: str | None) -> list[Recording]:
        """In the order of the records."""
        if split is None:
            raise DataError(f"{self._source.directory}: no split train, validation or test")
        audio, label = self._columns
        names = getattr(self._source.info.features[label], "names", None)
        (labels,) = self._source.records(split, (label,))
        found = []
        for number, (value, record) in enumerate(zip(labels, self._records(split), strict=True), 1):
            word = names[value] if names else _text(value)
            key = f"{self.name}/{split}:{number}"
            read = partial(self._read, *record, audio, key)
            found.append(Recording(CLASS_NAMES.get(word, word), "", key, key, read))
        return found

    @cached_property
    def _columns(self) -> tuple[str, str]:
        features = self._source.info.features
        keys = self._source.info.supervised_keys
        audio, label = keys[:2] if keys else ("audio", "label")
        lacking = [name for name in (audio, label) if name not in features]
        if lacking or not hasattr(features[audio], "sample_rate"):
            found = ", ".join(sorted(features))
            raise DataError(
                f"{self._source.directory}: no audio and label in this set, only {found}"
            )
        return audio, label

    def _records(self, split: str) -> list[tuple[Path, int, int]]:
        """File, position and length of each record."""
        records = []
        for name in self._source.splits[split].filepaths:
            path = Path(name)
            end = path.stat().st_size
            with path.open("rb") as stream:
                at = 0
                while at < end:
                    stream.seek(at)
                    length = int.from_bytes(stream.read(_HEADER_BYTES)[:8], "little")
                    records.append((path, at + _HEADER_BYTES, length))
                    at += _HEADER_BYTES + length + _FOOTER_BYTES
        return records

    def _read(
        self, path: Path, at: int, length: int, column: str, place: str, report: Report
    ) -> Sound | None:
        import tensorflow as tf

        try:
            with path.open("rb") as stream:
                stream.seek(at)
                example = tf.train.Example.FromString(stream.read(length))
        except OSError as error:
            report(Defect(place, f"cannot be read ({error.strerror})"))
            return None
        feature = example.features.feature[column]
        if feature.bytes_list.value:
            return read_sound(feature.bytes_list.value[0], place, report)
        if feature.float_list.value:
            waveform = np.array(feature.float_list.value, np.float32)
        else:  # 16-bit samples, in the wider integers of a record
            waveform = np.array(feature.int64_list.value, np.float32) / np.float32(2**15)
        return whole_sound(waveform, self._rate_hz, place, report)

    @cached_property
    def _rate_hz(self) -> int:
        rate: Any = self._source.info.features[self._columns[0]].sample_rate
        return int(rate or _RATE_HZ)


def _text(value: int | bytes) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
