"""Summary and findings of clips."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from textapps.core.counted import counted
from textapps.datasets.clips.audio import Shape, read_all
from textapps.datasets.clips.config import SILENCE, UNKNOWN, ClipsConfig
from textapps.datasets.clips.loader import ClipLoader
from textapps.datasets.clips.recording import Recording, to_pcm
from textapps.datasets.clips.sound_file import Sound
from textapps.datasets.inspection import (
    Findings,
    Lengths,
    Lines,
    Overview,
    Seen,
    Shared,
    Twin,
    count,
    lengths,
    lengths_of,
    shares,
    summaries,
    twins,
)
from textapps.datasets.labels import to_balance
from textapps.datasets.source import SPLITS, Defect, Report, stop
from textapps.datasets.splits import nothing_for

SECOND = Shape(
    16_000, 16_000, lambda waveform, rate_hz: waveform, lambda waveform, samples: waveform[:samples]
)
_BLOCKS_PER_SECOND = 100
_LOST = 0.1  # of the energy above the background


def _rates(values: Sequence[dict[int, int]]) -> Lines:
    found = sorted({rate_hz for one in values for rate_hz in one})
    return [[f"of {hz:,} Hz", *(f"{one.get(hz, 0):,}" for one in values)] for hz in found]


@dataclass(frozen=True)
class ClipsSummary:
    """One split.

    classes: clips by class, as training uses them
    left_out: clips of other words beyond the share of `unknown`, which training does not use
    speakers: the number of known speakers
    rates_hz: clips by sample rate, without silence that is cut from noise
    milliseconds: their durations
    """

    clips: Annotated[int, count("clips")]
    classes: Annotated[dict[str, int], shares]
    left_out: Annotated[int, count("other words left out")]
    speakers: Annotated[int, count("speakers known")]
    rates_hz: Annotated[dict[int, int], _rates]
    milliseconds: Annotated[Lengths, lengths("milliseconds")]


@dataclass(frozen=True)
class ClipsFindings(Findings):
    """Only `defects` stop training."""

    defects: Annotated[list[Defect], "defects"]
    still: Annotated[list[str], "clips of nothing but zeros"]
    duplicates: Annotated[list[Twin], "clips repeated in their split"]
    shared: Annotated[Shared, "clips in {}"]
    shared_speakers: Annotated[dict[str, list[str]], "speakers in {}"]
    scarce: Annotated[list[str], "classes of fewer than two clips"]
    unequal: Annotated[list[str], "unequal classes"]
    longer: Annotated[list[str], "clips longer than 1 s, of which the loudest second is used"]
    lost: Annotated[list[str], "longer clips with sound elsewhere, where a word may be lost"]


@dataclass(frozen=True)
class _Heard:
    """What `check` needs to know of a sound."""

    milliseconds: int
    rate_hz: int
    digest: bytes
    still: bool
    elsewhere: float


Heard = list[tuple[Recording, _Heard]]


def summarise(config: ClipsConfig) -> tuple[Overview, str, list[str]]:
    """As `Inspection` has it."""
    loader = ClipLoader(config)
    parts = {split: loader.recordings(split) for split in SPLITS}
    heard = {split: _hear(recordings, stop) for split, (_, recordings) in parts.items()}
    splits = {split: _summary(loader, split, rows) for split, rows in heard.items()}
    return Overview(parts["train"][0], splits), "", []


def check(config: ClipsConfig) -> ClipsFindings:
    """As `Inspection` has it."""
    defects: list[Defect] = []
    loader = ClipLoader(config, report=defects.append)
    parts = {split: loader.recordings(split) for split in SPLITS}
    heard = {split: _hear(rows, defects.append) for split, (_, rows) in parts.items()}
    scarce: list[str] = []

    def summary(split: str, rows: Heard) -> ClipsSummary:
        found = _summary(loader, split, rows)
        for name, clips in found.classes.items():
            if not clips and split == "train":
                defects.append(Defect(split, f"no clip of '{name}' to train on"))
            elif clips < 2:
                scarce.append(f"{name}: {counted(clips, 'clip')} in {split}")
        return found

    splits = summaries(heard, summary, defects)
    train = splits["train"].classes if "train" in splits else {}
    commands = {name: clips for name, clips in train.items() if name not in (UNKNOWN, SILENCE)}
    still = [one.place for rows in heard.values() for one, sound in rows if sound.still]
    seen = {
        split: [Seen(sound.digest, one.place) for one, sound in rows if not sound.still]
        for split, rows in heard.items()
    }
    duplicates, _, shared = twins(seen)
    speakers = _shared_speakers(heard)
    name = parts["train"][0]
    long = [
        (one.place, sound)
        for rows in heard.values()
        for one, sound in rows
        if sound.milliseconds > 1_000 and one.word != SILENCE
    ]
    longer = [f"{place}: {sound.milliseconds:,} ms" for place, sound in long]
    lost = [
        f"{place}: {sound.elsewhere:.0%} of the sound is outside its loudest second"
        for place, sound in long
        if sound.elsewhere >= _LOST
    ]
    return ClipsFindings(
        name,
        splits,
        defects,
        still,
        duplicates,
        shared,
        speakers,
        scarce,
        to_balance(commands),
        longer,
        lost,
    )


def _hear(recordings: Sequence[Recording], report: Report) -> Heard:
    """The good recordings, each with its notes."""
    found = read_all(recordings, _note, report)
    pairs = zip(recordings, found, strict=True)
    return [(recording, heard) for recording, heard in pairs if heard is not None]


def _note(sound: Sound) -> _Heard:
    pcm = to_pcm(sound.waveform)
    milliseconds = round(1000 * len(pcm) / sound.rate_hz)
    digest = hashlib.sha256(pcm.tobytes()).digest()
    return _Heard(milliseconds, sound.rate_hz, digest, not pcm.any(), _elsewhere(sound))


def _elsewhere(sound: Sound) -> float:
    """The share of the energy above the background that is outside the loudest second."""
    block = max(1, sound.rate_hz // _BLOCKS_PER_SECOND)
    blocks = sound.waveform[: len(sound.waveform) // block * block].reshape(-1, block)
    energies = np.square(blocks, dtype=np.float64).mean(axis=1)
    if len(energies) <= _BLOCKS_PER_SECOND:
        return 0.0
    energies = np.maximum(energies - np.quantile(energies, 0.2), 0)
    sums = np.concatenate([[0], np.cumsum(energies)])
    inside = (sums[_BLOCKS_PER_SECOND:] - sums[:-_BLOCKS_PER_SECOND]).max()
    return float(1 - inside / sums[-1]) if sums[-1] else 0.0


def _summary(loader: ClipLoader, split: str, heard: Heard) -> ClipsSummary:
    places = {recording.place for recording, _ in heard}
    chosen = loader.chosen(split, loader.noises(split, SECOND), SECOND, redraw=False)
    if not heard:
        raise nothing_for(split, chosen.name, "clips")
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


def _shared_speakers(heard: dict[str, Heard]) -> dict[str, list[str]]:
    """The speakers in two splits, by "train+test" and so on."""
    known = {split: {one.speaker for one, _ in rows} - {""} for split, rows in heard.items()}
    pairs = [(a, b) for at, a in enumerate(SPLITS) for b in SPLITS[at + 1 :]]
    both = {f"{a}+{b}": sorted(known[a] & known[b]) for a, b in pairs}
    return {splits: speakers for splits, speakers in both.items() if speakers}
