"""Metrics of a recogniser of spoken commands from its scores on labelled clips.

`labels` is int[n], the true classes, and `scores` float[n, classes], probabilities, as in
classification.py. docs/evaluation.md defines every metric.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from textapps.core.errors import DataError
from textapps.evaluation.metrics.bootstrap import (
    Floats,
    limits,
    paired_bootstrap,
    resampled,
    weighted_mean,
    wilson_interval,
)
from textapps.evaluation.metrics.classification import ClassifierFigures, classification_metrics

UNKNOWN = "unknown"
LEAST_CLIPS = 3  # with one or two clips a speaker's accuracy says little
SHUFFLES = 200
NOISE_RESAMPLES = 2_000


class SpeakerRow(NamedTuple):
    """A speaker, the number of their clips, and the share that was recognised correctly."""

    speaker: str
    clips: int
    accuracy: float


@dataclass(frozen=True, eq=False)
class SpeakerSpread:
    """How much the accuracy differs between speakers.

    rows          the speakers with enough clips, the worst first
    expected      float64[rows], ascending: the accuracies expected if the mistakes were spread
                  over the clips at random
    interval      95 % of the accuracy over the choice of speakers: speaker_accuracy_low and _high,
                  neither if all resamples are alike, as those of one speaker are
    """

    rows: Sequence[SpeakerRow]
    expected: Floats
    interval: Mapping[str, float]

    @property
    def median(self) -> float:
        """The median accuracy over the speakers."""
        return float(np.median([row.accuracy for row in self.rows]))

    @property
    def worst_decile(self) -> float:
        """The mean accuracy of the worst tenth of the speakers, of at least one."""
        return _worst([row.accuracy for row in self.rows])

    @property
    def expected_worst_decile(self) -> float:
        """The same, if the mistakes were spread over the clips at random."""
        return _worst(self.expected)


class NoiseRow(NamedTuple):
    """The accuracy at a signal-to-noise ratio, and the loss against clean clips.

    low and high are the 95 % interval of the accuracy, loss_low and loss_high of the loss.
    """

    snr_db: float
    accuracy: float
    low: float
    high: float
    loss: float
    loss_low: float
    loss_high: float


def speech_metrics(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    label_names: Sequence[str],
    *,
    commands: Collection[str],
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, float]:
    """`classification_metrics`, and the rates of false accepts and false rejects.

    false_accept_rate is the share of the `unknown` clips that were recognised as a command, and
    false_reject_rate the share of the command clips that were not; each with `<name>_low` and
    `<name>_high`, Wilson's 95 %. A rate without clips is omitted, and so are both if all classes
    are commands.

    Raises:
        DataError: as `classification_metrics`.

    >>> scores = [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]]
    >>> figures = speech_metrics([0, 1, 1, 1], scores, ["go", "unknown"], commands=["go"])
    >>> round(figures["false_accept_rate"], 3), figures["false_reject_rate"]
    (0.333, 0.0)
    """
    metrics = classification_metrics(labels, scores, resamples=resamples, seed=seed)
    for name, (members, bad) in _rejections(labels, scores, label_names, commands).items():
        clips, wrong = int(members.sum()), int((members & bad).sum())
        low, high = wilson_interval(wrong, clips)
        metrics[name] = wrong / clips
        metrics[f"{name}_low"], metrics[f"{name}_high"] = float(low), float(high)
    return metrics


class SpeechFigures:
    """The metrics of `speech_metrics` of any weighting of the same clips; arguments as there."""

    def __init__(
        self,
        labels: npt.ArrayLike,
        scores: npt.ArrayLike,
        label_names: Sequence[str],
        *,
        commands: Collection[str],
    ) -> None:
        self._classes = ClassifierFigures(labels, scores)
        self._rates = _rejections(labels, scores, label_names, commands)
        self.examples = self._classes.examples

    def behind(self, metric: str) -> int:
        """On how many clips a metric rests: a rate on those that could be wrong in its way."""
        if metric in self._rates:
            return int(self._rates[metric][0].sum())
        return self._classes.behind(metric)

    def of(self, counts: Floats) -> dict[str, float]:
        """The metrics of the data in which clip i occurs counts[i] times, float64[clips]."""
        figures = self._classes.of(counts)
        for name, (members, bad) in self._rates.items():
            if clips := float(counts[members].sum()):
                figures[name] = float(counts[members & bad].sum()) / clips
        return figures


def _rejections(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    label_names: Sequence[str],
    commands: Collection[str],
) -> dict[str, tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]]:
    """By the name of a rate that has clips: these clips, and the wrong predictions, bool[n]."""
    truth, given = np.asarray(labels), np.argmax(np.asarray(scores), axis=1)
    is_command = np.array([name in commands for name in label_names])
    if is_command.all():
        return {}
    is_unknown = np.array([name == UNKNOWN for name in label_names])
    rates = {
        "false_accept_rate": (is_unknown[truth], is_command[given]),
        "false_reject_rate": (is_command[truth], ~is_command[given]),
    }
    return {name: masks for name, masks in rates.items() if masks[0].any()}


def speaker_spread(
    correct: npt.ArrayLike,
    speakers: Sequence[str],
    *,
    least: int = LEAST_CLIPS,
    resamples: int = 1000,
    seed: int = 0,
) -> SpeakerSpread | None:
    """How much the accuracy differs between speakers; None if no speaker has `least` clips.

    Args:
        correct: bool[n].
        speakers: str[n], '' if unknown: these clips are left out.

    Raises:
        DataError: the numbers of speakers and predictions differ.
    """
    right = np.asarray(correct, np.float64)
    if right.shape != (len(speakers),):
        raise DataError(
            f"there are {len(speakers)} speakers but predictions of shape {right.shape}"
        )
    known = np.array([bool(speaker) for speaker in speakers], bool)
    right = right[known]
    names, of_clip = np.unique([s for s in speakers if s], return_inverse=True)
    clips = np.bincount(of_clip, minlength=len(names))
    enough = clips >= least
    if not enough.any():
        return None
    accuracies = np.bincount(of_clip, right) / clips
    order = [i for i in np.lexsort((-clips, accuracies)) if enough[i]]
    random = np.random.default_rng(seed)
    shuffled = [
        np.sort((np.bincount(of_clip, random.permutation(right)) / clips)[enough])
        for _ in range(SHUFFLES)
    ]
    draws = [
        weighted_mean(accuracies, counts * clips)
        for counts in resampled(len(names), resamples, seed)
    ]
    return SpeakerSpread(
        [SpeakerRow(str(names[i]), int(clips[i]), float(accuracies[i])) for i in order],
        np.mean(shuffled, axis=0),
        limits("speaker_accuracy", float(right.mean()), draws),
    )


def speaker_metrics(spread: SpeakerSpread) -> dict[str, float]:
    """Median and worst tenth of the speakers, the expected worst tenth, and the interval.

    The names are speakers, speaker_median, speaker_worst_decile, speaker_worst_decile_expected,
    speaker_accuracy_low and speaker_accuracy_high, if they can be told.
    """
    return {
        "speakers": len(spread.rows),
        "speaker_median": spread.median,
        "speaker_worst_decile": spread.worst_decile,
        "speaker_worst_decile_expected": spread.expected_worst_decile,
        **spread.interval,
    }


def accuracy_in_noise(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    noisy: Mapping[float, npt.ArrayLike],
    *,
    seed: int = 0,
) -> list[NoiseRow]:
    """The accuracy at each signal-to-noise ratio, the quietest noise first.

    Args:
        scores: of the clean clips.
        noisy: by ratio in dB, the scores float[n, classes] of the same clips in noise.

    Raises:
        DataError: the numbers of clips differ.
    """
    return [
        NoiseRow(
            float(snr_db), *compared_with_clean(labels, scores, values, f"at {snr_db:g} dB", seed)
        )
        for snr_db, values in sorted(noisy.items(), reverse=True)
    ]


def compared_with_clean(
    labels: npt.ArrayLike, scores: npt.ArrayLike, changed: npt.ArrayLike, said: str, seed: int
) -> tuple[float, float, float, float, float, float]:
    """The accuracy of changed clips and the loss against clean ones, each with its interval.

    Args:
        labels: int[n], the true classes.
        scores, changed: float[n, classes], of the clips as they are and changed.
        said: how an error begins.
        seed: of the paired bootstrap.

    Raises:
        DataError: the numbers of clips differ.
    """
    truth = np.asarray(labels)
    clean = np.argmax(np.asarray(scores), axis=1) == truth
    given = np.argmax(np.asarray(changed), axis=1)
    if given.shape != truth.shape:
        raise DataError(f"{said} there are predictions for {len(given)} clips of {len(truth)}")
    right = given == truth
    low, high = wilson_interval(int(right.sum()), len(right))
    loss = paired_bootstrap(clean, right, resamples=NOISE_RESAMPLES, seed=seed)
    accuracy = float(right.mean())
    return accuracy, float(low), float(high), loss.difference, loss.low, loss.high


def noise_metrics(rows: Sequence[NoiseRow]) -> dict[str, float]:
    """accuracy_<ratio>_db of each row, with `_low` and `_high`.

    >>> noise_metrics([NoiseRow(20.0, 0.9, 0.8, 0.95, 0.02, 0.0, 0.04)])
    {'accuracy_20_db': 0.9, 'accuracy_20_db_low': 0.8, 'accuracy_20_db_high': 0.95}
    """
    metrics = {}
    for row in rows:
        name = f"accuracy_{row.snr_db:g}_db"
        metrics[name] = row.accuracy
        metrics[f"{name}_low"], metrics[f"{name}_high"] = row.low, row.high
    return metrics


def _worst(rising: npt.ArrayLike) -> float:
    accuracies = np.asarray(rising, np.float64)
    return float(accuracies[: max(1, len(accuracies) // 10)].mean())
