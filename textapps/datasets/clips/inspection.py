"""What a set of clips holds, and what looks wrong with it."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from textapps.core.errors import DataError
from textapps.datasets.clips.audio import Shape, read_all
from textapps.datasets.clips.files import Recording, Sound, to_pcm
from textapps.datasets.clips.loader import ClipLoader
from textapps.datasets.config import SILENCE, ClipsConfig
from textapps.datasets.source import SPLITS, Defect, Report, stop
from textapps.datasets.texts.inspection import Lengths, Twin, lengths_of

SECOND = Shape(16_000, 16_000, lambda waveform, rate_hz: waveform)


@dataclass(frozen=True)
class ClipsSummary:
    """One split.

    classes: clips by class, as a training takes them
    left_out: clips that it leaves out: words that are no commands beyond the share of `unknown`
    milliseconds: how long they are
    rates_hz: clips by their samples a second, silence that is cut from noise aside
    speakers: how many are known by name
    """

    clips: int
    classes: dict[str, int]
    left_out: int
    milliseconds: Lengths
    rates_hz: dict[int, int]
    speakers: int


@dataclass(frozen=True)
class ClipsFindings:
    """All that `check_clips` finds; only `defects` stop a training.

    still: clips whose samples are all zeros
    duplicates: clips with the samples of an earlier one of their split
    shared: clips with the samples of one in an earlier split, by "train+test" and the like
    shared_speakers: those who speak in two splits, likewise
    scarce: classes with too few clips, and where
    """

    name: str
    splits: dict[str, ClipsSummary]
    defects: list[Defect]
    still: list[str]
    duplicates: list[Twin]
    shared: dict[str, list[Twin]]
    shared_speakers: dict[str, list[str]]
    scarce: list[str]


@dataclass(frozen=True)
class _Heard:
    """What is noted of a sound: its length, its rate and a digest of its samples."""

    milliseconds: int
    rate_hz: int
    digest: bytes
    still: bool


def summarise_clips(config: ClipsConfig) -> tuple[str, dict[str, ClipsSummary]]:
    """The name of a set and its splits; DataError as in loading."""
    loader = ClipLoader(config)
    parts = {split: loader.recordings(split) for split in SPLITS}
    heard = {split: _hear(recordings, stop) for split, (_, recordings) in parts.items()}
    splits = {split: _summary(loader, config, split, heard[split]) for split in SPLITS}
    return parts["train"][0], splits


def check_clips(config: ClipsConfig) -> ClipsFindings:
    """Reads every recording, past bad ones; DataError only where nothing can be read."""
    defects: list[Defect] = []
    loader = ClipLoader(config, report=defects.append)
    parts = {split: loader.recordings(split) for split in SPLITS}
    heard = {split: _hear(rows, defects.append) for split, (_, rows) in parts.items()}
    splits = {}
    scarce = []
    for split in SPLITS:
        try:
            splits[split] = _summary(loader, config, split, heard[split])
        except DataError as error:
            defects.append(Defect(split, str(error)))
            continue
        for name, count in splits[split].classes.items():
            if not count and split == "train":
                defects.append(Defect(split, f"no clip of '{name}' to train on"))
            elif count < 2:
                scarce.append(f"{name}: {count} {'clip' if count else 'clips'} in {split}")
    still = [one.place for rows in heard.values() for one, sound in rows if sound.still]
    name = parts["train"][0]
    return ClipsFindings(name, splits, defects, still, *_twins(heard), _speakers(heard), scarce)


def _hear(recordings: Sequence[Recording], report: Report) -> list[tuple[Recording, _Heard]]:
    """The good ones, each with what is noted of it."""
    found = read_all(recordings, _note, report)
    pairs = zip(recordings, found, strict=True)
    return [(recording, heard) for recording, heard in pairs if heard is not None]


def _note(sound: Sound) -> _Heard:
    pcm = to_pcm(sound.waveform)
    milliseconds = round(1000 * len(pcm) / sound.rate_hz)
    digest = hashlib.sha256(pcm.tobytes()).digest()
    return _Heard(milliseconds, sound.rate_hz, digest, not pcm.any())


def _summary(
    loader: ClipLoader,
    config: ClipsConfig,
    split: str,
    heard: Sequence[tuple[Recording, _Heard]],
) -> ClipsSummary:
    places = {recording.place for recording, _ in heard}
    chosen = loader.chosen(split, loader.noises(split, SECOND), SECOND, redraw=False)
    pairs = zip(chosen.recordings, chosen.classes, strict=True)
    good = Counter(name for one, name in pairs if one.place in places or name == SILENCE)
    taken = sum(count for name, count in good.items() if name != SILENCE)
    words = [one for one, _ in heard if one.word != SILENCE]
    return ClipsSummary(
        clips=sum(good.values()),
        classes={name: good[name] for name in loader.names},
        left_out=len(words) - taken,
        milliseconds=lengths_of([sound.milliseconds for _, sound in heard]),
        rates_hz=dict(sorted(Counter(sound.rate_hz for _, sound in heard).items())),
        speakers=len({one.speaker for one, _ in heard if one.speaker}),
    )


def _twins(
    heard: dict[str, list[tuple[Recording, _Heard]]],
) -> tuple[list[Twin], dict[str, list[Twin]]]:
    """Clips of equal samples, but for those of nothing: `duplicates` and `shared`."""
    duplicates: list[Twin] = []
    shared: dict[str, list[Twin]] = {}
    seen: dict[bytes, dict[str, str]] = {}
    for split, rows in heard.items():
        for one, sound in rows:
            if sound.still:
                continue
            earlier = seen.setdefault(sound.digest, {})
            if split in earlier:
                duplicates.append(Twin(one.place, earlier[split]))
            for other, place in earlier.items():
                if other != split:
                    shared.setdefault(f"{other}+{split}", []).append(Twin(one.place, place))
            earlier.setdefault(split, one.place)
    return duplicates, shared


def _speakers(heard: dict[str, list[tuple[Recording, _Heard]]]) -> dict[str, list[str]]:
    """Who speaks in two splits."""
    known = {split: {one.speaker for one, _ in rows} - {""} for split, rows in heard.items()}
    pairs = [(a, b) for at, a in enumerate(SPLITS) for b in SPLITS[at + 1 :]]
    both = {f"{a}+{b}": sorted(known[a] & known[b]) for a, b in pairs}
    return {splits: speakers for splits, speakers in both.items() if speakers}
