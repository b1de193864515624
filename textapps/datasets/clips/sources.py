"""Sources of clips: tables of paths, prepared sets; folders are in folder.py."""

from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Protocol

import numpy as np

from textapps.core.errors import DataError
from textapps.datasets.clips.config import ADDED_WORDS, ClipsConfig
from textapps.datasets.clips.folder import ClipFolder
from textapps.datasets.clips.recording import (
    CLASS_NAMES,
    NOISES,
    Recording,
    of_file,
    read_sound,
    whole_sound,
)
from textapps.datasets.clips.sound_file import Sound, search
from textapps.datasets.clips.synthetic import SyntheticClips
from textapps.datasets.formats.rows import Reading
from textapps.datasets.ladder import Rungs, open_source
from textapps.datasets.records import Record
from textapps.datasets.source import Defect, Report, Source, stop
from textapps.datasets.stamp import training_files
from textapps.datasets.table import TableSource, Wanted
from textapps.datasets.tfds import PreparedSet, cell_of

_RATE_HZ = 16_000  # if the set does not say
_USUAL = Reading()


class ClipSource(Source[Recording], Protocol):
    """A source of recordings."""

    @property
    def noises(self) -> Sequence[Recording]:
        """Long recordings of background noise."""


def open_clips(source: str, config: ClipsConfig, report: Report = stop) -> ClipSource:
    """Open the source of a name or path; DataError if there is none."""
    rungs = Rungs[ClipSource](
        sample=SyntheticClips,
        file=lambda path: ClipTable(path, report, _reading_of(path, config)),
        folder=lambda path: ClipFolder(path, report),
        prepared=PreparedClips,
    )
    return open_source(source, config.data_dir, rungs)


def recorded_files(config: ClipsConfig) -> list[Path]:
    """The `training_files`, with the recordings that tables name."""
    files = list(training_files(config))
    for table in [path for path in files if path.is_file()]:
        source = ClipTable(table, lambda _: None, _reading_of(table, config))
        splits = source.own_splits or (None,)
        recordings = [one for split in splits for one in source.examples(split)]
        files += [Path(one.place) for one in (*recordings, *source.noises)]
    return files


def _reading_of(table: Path, config: ClipsConfig) -> Reading:
    """How a table is read; one that a run has written is not in the format of the user's own."""
    return _USUAL if is_of_run(table) else config.reading


def is_of_run(table: Path) -> bool:
    """Whether it names the recordings of added words that a run keeps."""
    return table.match(ADDED_WORDS) and (table.parents[1] / "config.toml").is_file()


class ClipTable(TableSource[Recording]):
    """A table with a path and a label in each row, and optionally a split and a speaker.

    Paths are relative to the table's folder. Without a speaker column, the speaker of each file is
    taken to be another.
    """

    def __init__(self, path: Path, report: Report = stop, reading: Reading = _USUAL) -> None:
        remedy = "call one 'path' and one 'label'"
        wanted = Wanted(
            {"path": None, "word": None}, self._recording, optional=("speaker",), remedy=remedy
        )
        instead = ", or a folder of class folders"
        super().__init__(path, wanted, report, reading=reading, instead=instead)

    @property
    def noises(self) -> list[Recording]:
        """The files of `_background_noise_` next to the table."""
        files = search(self.path.parent / NOISES).clips
        return [of_file(file, "", "", file.name) for file in files]

    def _recording(self, cells: list[str], place: str) -> Recording | None:
        path, word, speaker = (cell.strip() for cell in cells)
        if path and word:
            return of_file(self.path.parent / path, word, speaker, path)
        self.report(Defect(place, f"no {'label' if path else 'path'} in this row"))
        return None


class PreparedClips:
    """A set of TensorFlow Datasets with audio and labels, such as `speech_commands`.

    Labels are read at once, the audio of a record when it is needed. DataError if the set cannot
    be read or lacks either.
    """

    noises: tuple[Recording, ...] = ()

    def __init__(self, found: PreparedSet) -> None:
        self.name = found.name
        self._set = found

    @property
    def own_splits(self) -> frozenset[str]:
        """Its train, validation and test splits."""
        return frozenset(self._set.splits)

    def examples(self, split: str | None) -> list[Recording]:
        """In the order of the records."""
        audio, label = self._columns
        names = self._set.names(label)
        found: list[Recording] = []
        for records, (labels,) in self._set.batches(split, (label,)):
            for record, value in zip(records, labels, strict=True):
                word = cell_of(value, names)
                key = f"{self.name}/{split}:{len(found) + 1}"
                read = partial(self._read, record, audio, key)
                found.append(Recording(CLASS_NAMES.get(word, word), "", key, key, read))
        return found

    @cached_property
    def _columns(self) -> tuple[str, str]:
        features = dict(self._set.info.features.items())
        audio, label = (
            key or usual for key, usual in zip(self._set.keys, ("audio", "label"), strict=True)
        )
        if label not in self._set.columns or not hasattr(features.get(audio), "sample_rate"):
            found = ", ".join(sorted(features))
            raise DataError(f"{self._set.directory}: no audio and label in this set, only {found}")
        return audio, label

    def _read(self, record: Record, column: str, place: str, report: Report) -> Sound | None:
        import tensorflow as tf

        try:
            example = tf.train.Example.FromString(record.read())
        except DataError as error:
            report(Defect(place, str(error)))
            return None
        feature = example.features.feature[column]
        if feature.bytes_list.value:
            return read_sound(feature.bytes_list.value[0], place, report)
        if feature.float_list.value:
            waveform = np.array(feature.float_list.value, np.float32)
        else:  # 16-bit samples, in the wider integers of a record
            waveform = np.array(feature.int64_list.value, np.float32) / np.float32(2**15)
        rate_hz = int(self._set.info.features[column].sample_rate or _RATE_HZ)
        return whole_sound(waveform, rate_hz, place, report)
