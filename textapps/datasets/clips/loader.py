"""From the [data] section of the speech task to split clips."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from textapps.core.errors import DataError
from textapps.datasets.clips.audio import ClipAudio, Resample, Shape
from textapps.datasets.clips.classes import class_names, class_of, quotas, shares, shuffled
from textapps.datasets.clips.clips import Clips
from textapps.datasets.clips.files import Recording
from textapps.datasets.clips.noise import Noise, part_of, silences
from textapps.datasets.clips.open_source import open_clips
from textapps.datasets.clips.sources import ClipSource
from textapps.datasets.config import SILENCE, UNKNOWN, ClipsConfig
from textapps.datasets.source import Defect, Report, stop
from textapps.datasets.splits import split_of

LOGGER = logging.getLogger("textapps")

_SHORT_NOISES = 100


def load_clips(
    config: ClipsConfig,
    splits: Sequence[str],
    resample: Resample,
    *,
    rate_hz: int = 16_000,
    clip_seconds: float = 1.0,
    names: Sequence[str] | None = None,
) -> list[Clips]:
    """The clips of some of train, validation and test.

    Own splits of a source are honoured; without them clips are split 80/10/10 by the hash of their
    speaker, or of their path where nobody knows the speaker. A `validation_source` or
    `test_source` takes the place of such a part.

    Args:
        config: where they come from and which classes there are.
        splits: which to load.
        resample: to `rate_hz`, for recordings of another rate.
        rate_hz: the samples a second of all clips.
        clip_seconds: their length; what is longer loses its end, with a warning.
        names: the classes of an earlier training, to which the words must belong.

    Raises:
        DataError: data that are missing, bad (unless `skip_bad`) or empty, a command that nobody
            says, a class without a clip to train on.
    """
    loader = ClipLoader(config, names)
    shape = Shape(round(clip_seconds * rate_hz), rate_hz, resample)
    return [loader.clips(split, shape) for split in splits]


@dataclass(frozen=True)
class Chosen:
    """The recordings of a split with the class of each, before they are read.

    spare: of those of unknown words, how many of each word a pass takes; empty: all
    """

    name: str
    recordings: list[Recording]
    classes: list[str]
    spare: dict[str, int]


class ClipLoader:
    """Loads one split after another; each source is listed once."""

    def __init__(
        self, config: ClipsConfig, names: Sequence[str] | None = None, report: Report = stop
    ) -> None:
        self._config = config
        self._given_names = tuple(names) if names else None
        self._skipped: list[Defect] = []
        self._strict = report
        self._report = self._skipped.append if config.skip_bad and report is stop else report
        self._sources: dict[str, ClipSource] = {}
        self._noises: dict[int, list[Noise]] = {}
        self._given = {"validation": config.validation_source, "test": config.test_source}

    def clips(self, split: str, shape: Shape) -> Clips:
        """One split as `load_clips` has it."""
        noises = self.noises(split, shape)
        chosen = self.chosen(split, noises, shape)
        audio, good = ClipAudio.decode(
            chosen.recordings,
            shape,
            memory_bytes=self._config.memory_mb * 1_000_000,
            report=self._report,
        )
        self._tell_of_skipped(chosen.name)
        if audio.cut:
            LOGGER.warning(
                "%s: %d clips of %s are longer than %.3g s and lose their end "
                "(preprocessor.clip_seconds)",
                chosen.name,
                audio.cut,
                split,
                shape.samples / shape.rate_hz,
            )
        recordings = [chosen.recordings[number] for number in good]
        classes = [chosen.classes[number] for number in good]
        self._refuse_missing_classes(chosen.name, split, classes)
        if not noises:  # a set may have short clips of it only
            quiet = np.flatnonzero([name == SILENCE for name in classes])[:_SHORT_NOISES]
            waveforms = audio.waveforms(quiet)
            noises = tuple(
                Noise(recordings[index].place, waveform)
                for index, waveform in zip(quiet, waveforms, strict=True)
            )
        return Clips(
            name=chosen.name,
            names=self.names,
            labels=np.array([self.names.index(name) for name in classes], np.int32),
            words=[one.word for one in recordings],
            speakers=[one.speaker for one in recordings],
            places=[one.place for one in recordings],
            audio=audio,
            rate_hz=shape.rate_hz,
            noises=noises,
            rotation=_rotation(recordings, classes, chosen.spare),
        )

    def recordings(self, split: str) -> tuple[str, list[Recording]]:
        """The name of the set and all recordings of one split, whatever is said in them."""
        source = self._source(split)
        own = source.own_splits
        if self._given.get(split) is not None:
            if own and split not in own:
                raise DataError(f"{source.name}: no {split} split, only {', '.join(sorted(own))}")
            return source.name, source.recordings(split if own else None)
        if split != "train" and split in own:
            return source.name, source.recordings(split)
        return source.name, self._parts[split]

    def noises(self, split: str, shape: Shape) -> tuple[Noise, ...]:
        """What a split may hear of the background noise of its source, or of the main one."""
        source = self._source(split)
        source = source if source.noises else self._main
        if id(source) not in self._noises:
            sounds = ((one.place, one.read(self._report)) for one in source.noises)
            self._noises[id(source)] = [
                Noise(place, shape.converted(sound)) for place, sound in sounds if sound
            ]
        parts = [
            one._replace(waveform=part_of(one.waveform, split)) for one in self._noises[id(source)]
        ]
        return tuple(part for part in parts if len(part.waveform))

    def chosen(
        self, split: str, noises: Sequence[Noise], shape: Shape, *, redraw: bool = True
    ) -> Chosen:
        """The recordings of commands, and beside them their shares of unknown and of silence.

        With `redraw`, and if the configuration says so, of training all that a pass may draw.
        """
        name, recordings = self.recordings(split)
        by_class: dict[str, list[Recording]] = {}
        for one in recordings:
            label = class_of(one.word, self.names, self._config)
            if label is not None:
                by_class.setdefault(label, []).append(one)
            elif not self._config.commands and one.word not in (UNKNOWN, SILENCE):
                message = f"label '{one.word}', the classes are {', '.join(self.names)}"
                self._strict(Defect(one.place, message))
        unknowns, quiet = by_class.pop(UNKNOWN, []), by_class.pop(SILENCE, [])
        count = sum(map(len, by_class.values()))
        if not count:
            remedy = "" if split == "train" else f": use more, or give --{split}-data"
            raise DataError(f"{name}: no clips for {split}{remedy}")
        unknown_count, silence_count = shares(count, self.names, self._config)
        if not quiet and noises:
            quiet = silences(split, silence_count, noises, shape.samples, shape.rate_hz)
        by_word: dict[str, list[Recording]] = {}
        for one in shuffled(unknowns):
            by_word.setdefault(one.word, []).append(one)
        words = sorted(by_word)
        spare = dict(
            zip(words, quotas([len(by_word[word]) for word in words], unknown_count), strict=True)
        )
        if redraw and split == "train" and self._config.redraw:
            drawn = [one for word in words for one in by_word[word] if spare[word]]
        else:
            drawn = [one for word in words for one in by_word[word][: spare[word]]]
            spare = {}
        rows = [(one, label) for label, ones in by_class.items() for one in ones]
        rows += [(one, UNKNOWN) for one in drawn]
        rows += [(one, SILENCE) for one in shuffled(quiet)[:silence_count]]
        return Chosen(name, [one for one, _ in rows], [label for _, label in rows], spare)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The classes in the order of scores."""
        if self._given_names:
            return self._given_names
        words = [one.word for part in self._parts.values() for one in part]
        noise = bool(self._main.noises)
        return tuple(class_names(self._main.name, words, self._config, noise=noise))

    def _refuse_missing_classes(self, name: str, split: str, classes: Sequence[str]) -> None:
        counts = Counter(classes)
        missing = [label for label in self.names if not counts[label]]
        if missing and split == "train":
            raise DataError(
                f"{name}: no clip of '{missing[0]}' to train on; record more of it, or name the "
                "others with --commands"
            )
        if missing:
            LOGGER.warning("%s: no clip of %s in %s", name, ", ".join(missing), split)
        if split == "train" and (
            single := [label for label, count in counts.items() if count == 1]
        ):
            LOGGER.warning("%s: one clip only of %s to train on", name, ", ".join(single))

    def _tell_of_skipped(self, name: str) -> None:
        if self._skipped:
            first = "; ".join(f"{place}: {reason}" for place, reason in self._skipped[:3])
            LOGGER.warning("%s: %d bad files or rows skipped: %s", name, len(self._skipped), first)
            self._skipped.clear()

    def _source(self, split: str) -> ClipSource:
        given = self._given.get(split)
        return self._main if given is None else self._opened(given)

    def _opened(self, source: str) -> ClipSource:
        if source not in self._sources:
            self._sources[source] = open_clips(source, self._config, self._report)
        return self._sources[source]

    @cached_property
    def _main(self) -> ClipSource:
        return self._opened(self._config.source)

    @cached_property
    def _parts(self) -> dict[str, list[Recording]]:
        """The recordings by split, where the source has no own ones."""
        own = self._main.own_splits
        if own and "train" not in own:
            found = ", ".join(sorted(own))
            raise DataError(f"{self._main.name}: no train split, only {found}")
        carved = [name for name, at in self._given.items() if at is None and name not in own]
        parts: dict[str, list[Recording]] = {"train": [], "validation": [], "test": []}
        for one in self._main.recordings("train" if own else None):
            split = split_of(one.speaker or one.key)
            parts[split if split in carved else "train"].append(one)
        return parts


def _rotation(
    recordings: Sequence[Recording], classes: Sequence[str], spare: dict[str, int]
) -> tuple[tuple[NDArray[np.int64], int], ...]:
    """As `Clips` has it; files that were skipped may have left fewer clips than a pass takes."""
    by_word: dict[str, list[int]] = {}
    for index, (one, name) in enumerate(zip(recordings, classes, strict=True)):
        if name == UNKNOWN and one.word in spare:
            by_word.setdefault(one.word, []).append(index)
    return tuple(
        (np.array(indices, np.int64), min(spare[word], len(indices)))
        for word, indices in by_word.items()
    )
