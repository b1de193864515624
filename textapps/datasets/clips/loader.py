"""Loading clips."""

import logging
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial

import numpy as np
from numpy.typing import NDArray

from textapps.core.counted import counted
from textapps.core.errors import DataError
from textapps.datasets.clips.audio import ClipAudio, Loudest, Resample, Shape, Trim
from textapps.datasets.clips.classes import class_names, class_of, quotas, shares, shuffled
from textapps.datasets.clips.config import SILENCE, UNKNOWN, ClipsConfig
from textapps.datasets.clips.examples import Clips
from textapps.datasets.clips.noise import Noise, part_of, silences
from textapps.datasets.clips.recording import Recording
from textapps.datasets.clips.sources import ClipSource, open_clips
from textapps.datasets.source import Defect, Report, stop
from textapps.datasets.splits import Splitter, nothing_for
from textapps.datasets.stratify import carve_classes

LOGGER = logging.getLogger("textapps")

_SHORT_NOISES = 100


def load_clips(
    config: ClipsConfig,
    splits: Sequence[str | None],
    resample: Resample,
    loudest: Loudest,
    *,
    trim: Trim = lambda waveform: waveform,
    rate_hz: int = 16_000,
    clip_seconds: float = 1.0,
    names: Sequence[str] | None = None,
    most: int | None = None,
) -> list[Clips]:
    """Load splits.

    A source's own splits are used. Missing splits are carved by the hash of the speaker, or of the
    path if the speaker is unknown: 80/10/10, except that every split gets a clip of every class
    (`textapps.datasets.stratify`), if enough speakers have said it. `validation_source` and
    `test_source` replace a split.

    Args:
        config: the sources and the classes.
        splits: which to load; `all` is the whole source, and None the part of it that
            `Splitter.to_evaluate` chooses.
        resample: resamples recordings with another sample rate to `rate_hz`.
        loudest: finds the stretch of a longer recording that becomes its clip.
        trim: cuts silence from both ends of each recording before; by default nothing is cut.
        rate_hz: the sample rate of all clips.
        clip_seconds: their length; a warning counts longer recordings.
        names: the classes of an earlier training, to which all words must belong.
        most: how many clips of each word to read at most; by default all.

    Raises:
        DataError: data are missing, bad (unless `skip_bad`) or empty, a command does not occur, or
            a class has no clip to train on.
    """
    loader = ClipLoader(config, names)
    shape = Shape(round(clip_seconds * rate_hz), rate_hz, resample, loudest, trim)
    return [loader.clips(split, shape, most) for split in splits]


@dataclass(frozen=True)
class Chosen:
    """The recordings of a split and their classes, before they are read.

    spare: how many clips of each unknown word a pass takes; empty if it takes all
    cut: the places of the clips of silence that were cut from noise
    """

    name: str
    recordings: list[Recording]
    classes: list[str]
    spare: dict[str, int]
    cut: frozenset[str]

    def thinned(self, most: int) -> "Chosen":
        """At most so many recordings of each word, spread over them."""
        by_word: dict[str, list[int]] = {}
        for row, one in enumerate(self.recordings):
            by_word.setdefault(one.word, []).append(row)
        kept = [
            rows[place]
            for rows in by_word.values()
            for place in np.unique(np.linspace(0, len(rows) - 1, most).astype(np.int64))
        ]
        recordings = [self.recordings[row] for row in kept]
        return replace(self, recordings=recordings, classes=[self.classes[row] for row in kept])


class ClipLoader:
    """Loads splits one by one; lists each source once."""

    def __init__(
        self, config: ClipsConfig, names: Sequence[str] | None = None, report: Report = stop
    ) -> None:
        self._config = config
        self._given_names = tuple(names) if names else None
        self._skipped: list[Defect] = []
        self._strict = report
        self._report = self._skipped.append if config.skip_bad and report is stop else report
        self._opened = cache(partial(open_clips, config=config, report=self._report))
        self._noises: dict[int, list[Noise]] = {}
        self._splitter: Splitter[Recording] = Splitter(
            lambda: self._main,
            config,
            self._opened,
            self._carved,
        )

    def clips(self, split: str | None, shape: Shape, most: int | None = None) -> Clips:
        """One split, as `load_clips` returns it."""
        split = self._splitter.to_evaluate(split)
        noises = self.noises(split, shape)
        chosen = self.chosen(split, noises, shape)
        chosen = chosen if most is None else chosen.thinned(most)
        audio, good = ClipAudio.decode(
            chosen.recordings,
            shape,
            memory_bytes=self._config.memory_mb * 1_000_000,
            report=self._report,
        )
        self._tell_of_skipped(chosen.name)
        if audio.longer:
            LOGGER.warning(
                "%s: %s of %s longer than %.3g s: the loudest stretch of each is used "
                "(preprocessor.clip_seconds); `textapps data check` says where a word may be lost",
                chosen.name,
                counted(audio.longer, "clip"),
                split,
                shape.samples / shape.rate_hz,
            )
        recordings = [chosen.recordings[number] for number in good]
        classes = [chosen.classes[number] for number in good]
        if all(one.place in chosen.cut for one in recordings):
            raise nothing_for(split, chosen.name, "clips")
        self._refuse_missing_classes(chosen.name, split, classes)
        if not noises:  # some sets have only short clips of silence
            quiet = np.flatnonzero([name == SILENCE for name in classes])[:_SHORT_NOISES]
            waveforms = audio.waveforms(quiet)
            noises = tuple(
                Noise(recordings[index].place, waveform)
                for index, waveform in zip(quiet, waveforms, strict=True)
            )
        cut = sum(one.place in chosen.cut for one in recordings)
        beside = f"{counted(cut, 'clip')} of silence cut from background noise" if cut else ""
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
            part=self._splitter.part(split, len(recordings) - cut)._replace(beside=beside),
            rotation=_rotation(recordings, classes, chosen.spare),
        )

    def recordings(self, split: str) -> tuple[str, Sequence[Recording]]:
        """The name of the source and all recordings of a split, of any word."""
        name, found = self._splitter.examples(split)
        return name, [*found, *self._added] if split == "train" else found

    def noises(self, split: str, shape: Shape) -> tuple[Noise, ...]:
        """The background noise for a split, from its source or else from the main source."""
        source = self._opened(self._splitter.given.get(split) or self._config.source)
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
        """The recordings of commands, and the shares of `unknown` and `silence`.

        With `redraw` here and in the configuration, training has all clips that a pass may take.
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
            raise nothing_for(split, name, "clips")
        unknown_count, silence_count = shares(count, self.names, self._config)
        cut: frozenset[str] = frozenset()
        if not quiet and noises:
            quiet = silences(split, silence_count, noises, shape.samples, shape.rate_hz)
            cut = frozenset(one.place for one in quiet)
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
        return Chosen(name, [one for one, _ in rows], [label for _, label in rows], spare, cut)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The classes in the order of scores."""
        if self._given_names:
            return self._given_names
        words = [one.word for one in (*self._splitter.pool, *self._added)]
        noise = bool(self._main.noises)
        return tuple(class_names(self._main.name, words, self._config, noise=noise))

    def _carved(
        self, recordings: Sequence[Recording], missing: Collection[str]
    ) -> dict[str, list[Recording]]:
        return carve_classes(
            recordings,
            missing,
            lambda one: one.speaker or one.key,
            lambda one: class_of(one.word, self.names, self._config),
            name=self._main.name,
            # A class that few speakers have said is a warning of `_refuse_missing_classes`.
            report=None if self._given_names else lambda _: None,
        )

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
            LOGGER.warning("%s: only one clip of %s to train on", name, ", ".join(single))

    def _tell_of_skipped(self, name: str) -> None:
        if self._skipped:
            first = "; ".join(f"{place}: {reason}" for place, reason in self._skipped[:3])
            count = counted(len(self._skipped), "bad recording")
            LOGGER.warning("%s: %s skipped: %s", name, count, first)
            self._skipped.clear()

    @cached_property
    def _added(self) -> list[Recording]:
        found = []
        for source in map(self._opened, self._config.added_source):
            splits = sorted(source.own_splits) or (None,)
            found += [one for split in splits for one in source.examples(split)]
        return found

    @cached_property
    def _main(self) -> ClipSource:
        return self._opened(self._config.source)


def _rotation(
    recordings: Sequence[Recording], classes: Sequence[str], spare: dict[str, int]
) -> tuple[tuple[NDArray[np.int64], int], ...]:
    """`Clips.rotation`; skipped files may leave fewer clips than a pass takes."""
    by_word: dict[str, list[int]] = {}
    for index, (one, name) in enumerate(zip(recordings, classes, strict=True)):
        if name == UNKNOWN and one.word in spare:
            by_word.setdefault(one.word, []).append(index)
    return tuple(
        (np.array(indices, np.int64), min(spare[word], len(indices)))
        for word, indices in by_word.items()
    )
