"""The sections of a report on a recogniser of spoken commands."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from textapps.evaluation.metrics.classification import most_confident_mistakes
from textapps.evaluation.metrics.conditions import ConditionRow
from textapps.evaluation.metrics.detection import Streaming
from textapps.evaluation.metrics.rejection import RejectionCurve
from textapps.evaluation.metrics.speech import LEAST_CLIPS, NoiseRow, SpeakerSpread, speaker_spread
from textapps.evaluation.reports import speech_plots
from textapps.evaluation.reports.classification import answer_plots, classes, mistakes, results
from textapps.evaluation.reports.sections import (
    NOT_TOLD,
    Plot,
    Section,
    Spectrograms,
    Table,
    figure,
    percent,
)

WORST_CLIPS = 12  # shown with spectrograms
WORST_SPEAKERS = 8
CONDITION_NAMES = {
    "8_khz": "recorded at 8 kHz",
    "40_db_quieter": "40 dB quieter",
    "reverberation": "in a room",
}


class ClipPicture(NamedTuple):
    """A misclassified clip with its features float[time, features], low pitch first.

    probability is that of the prediction.
    """

    name: str
    label: str
    predicted: str
    probability: float
    features: npt.ArrayLike
    seconds: float


def pictures_of_mistakes(
    clips: Sequence[str],
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    label_names: Sequence[str],
    features_of: Callable[[int], tuple[npt.ArrayLike, float]],
) -> list[ClipPicture]:
    """The wrong predictions with the highest scores, with their spectrograms.

    Args:
        clips: str[n], the name of each clip.
        labels: int[n].
        scores: float[n, classes].
        features_of: index of a clip → its features float[time, features] and duration in seconds.
    """
    return [
        ClipPicture(
            found.text,
            label_names[found.label],
            label_names[found.predicted],
            found.probability,
            *features_of(found.row),
        )
        for found in most_confident_mistakes(clips, labels, scores, WORST_CLIPS)
    ]


def speech_sections(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    label_names: Sequence[str],
    *,
    metrics: Mapping[str, float],
    clips: Sequence[str],
    speakers: Sequence[str] = (),
    noisy: Sequence[NoiseRow] = (),
    conditions: Sequence[ConditionRow] = (),
    streaming: Streaming | None = None,
    rejection: RejectionCurve | None = None,
    pictures: Sequence[ClipPicture] | None = None,
    history: Sequence[Mapping[str, Any]] = (),
    seed: int = 0,
) -> list[Section]:
    """Results, curves, confusion, calibration, speakers, rejection, noise, streaming, mistakes.

    Args:
        labels: int[n], the true classes.
        scores: float[n, classes], probabilities.
        label_names: the name of each class.
        metrics: the result of `speech_metrics` for labels and scores, and more metrics to show.
        clips: str[n], the name of each clip.
        speakers: str[n], '' if unknown; empty if all are unknown.
        noisy: the result of `accuracy_in_noise`.
        conditions: the result of `accuracy_in_conditions`.
        streaming: the detections in a long recording.
        rejection: the result of `rejection_curve`.
        pictures: of the worst clips; without them only the names are shown.
        history: the rows of history.csv.
        seed: for resampling.
    """
    correct = np.argmax(np.asarray(scores), axis=1) == np.asarray(labels)
    drawings = answer_plots(labels, scores, label_names, history)
    tables = [classes(labels, scores, label_names)]
    spread = speaker_spread(correct, speakers, seed=seed) if len(speakers) else None
    if spread:
        drawings.append(_speakers(spread))
        tables.append(_worst_speakers(spread))
    if rejection:
        drawings.append(_rejection_plot(rejection))
    if noisy:
        drawings.append(_noise_plot(noisy, float(correct.mean())))
    if noisy or conditions:
        tables.append(_noise_table(noisy, conditions, float(correct.mean())))
    if streaming:
        drawings.append(_stream_plot(streaming))
        tables.append(_stream_table(streaming))
    last: Section = mistakes(labels, scores, label_names, clips)
    if pictures is not None:
        last = _pictures(pictures)
    return [results(metrics, len(correct)), *drawings, *tables, last]


def _speakers(spread: SpeakerSpread) -> Plot:
    by_chance = spread.expected_worst_decile
    interval = " to ".join(map(percent, spread.interval.values())) or NOT_TOLD
    return Plot(
        "Speakers",
        speech_plots.accuracy_by_speaker(spread),
        f"Accuracy of {len(spread.rows)} speakers, the worst first.",
        f"{len(spread.rows):,} speakers with {LEAST_CLIPS} clips or more. The median accuracy is "
        f"{percent(spread.median)}, the mean of the worst tenth {percent(spread.worst_decile)}; "
        f"with mistakes spread at random it would be {percent(by_chance)}. The 95 % interval of "
        f"the accuracy over the choice of speakers: {interval}.",
    )


def _worst_speakers(spread: SpeakerSpread) -> Table:
    rows = [
        (row.speaker, row.clips, round(row.clips * (1 - row.accuracy)), percent(row.accuracy))
        for row in spread.rows[:WORST_SPEAKERS]
        if row.accuracy < 1
    ]
    return Table("Worst speakers", ("Speaker", "Clips", "Wrong", "Accuracy"), rows)


def _rejection_plot(curve: RejectionCurve) -> Plot:
    accepted, recall = speech_plots.in_use(curve)
    return Plot(
        "Other words",
        speech_plots.rejection_trade_off(curve),
        "Share of commands recognised against share of other words taken for a command.",
        "A command is recognised if its margin above “unknown” is large enough; the further to the "
        f"right, the smaller it may be. As the run is, {percent(accepted)} of the clips of other "
        f"words are taken for a command and {percent(recall)} of those of commands are recognised; "
        "`textapps speech evaluate --false-accepts 5%` chooses another point on validation.",
    )


def _noise_plot(rows: Sequence[NoiseRow], clean: float) -> Plot:
    ratios = ", ".join(f"{row.snr_db:g}" for row in rows)
    return Plot(
        "Accuracy in noise",
        speech_plots.accuracy_in_noise(rows, clean),
        f"Accuracy with background noise mixed in at {ratios} dB.",
        "Background noise mixed into the same clips, with 95 % intervals. At 0 dB it is as loud "
        "as the word.",
    )


def _noise_table(
    noisy: Sequence[NoiseRow], conditions: Sequence[ConditionRow], clean: float
) -> Table:
    named: list[tuple[str, NoiseRow | ConditionRow]] = [
        *((f"{row.snr_db:g} dB signal to noise", row) for row in noisy),
        *((CONDITION_NAMES[row.name], row) for row in conditions),
    ]
    cells: list[tuple[str, ...]] = [("as they are", percent(clean), "", "", "")]
    cells += [
        (
            name,
            percent(row.accuracy),
            f"{percent(row.low)} to {percent(row.high)}",
            f"{100 * row.loss:.2f}",
            f"{100 * row.loss_low:.2f} to {100 * row.loss_high:.2f}",
        )
        for name, row in named
    ]
    names = ("Clips", "Accuracy", "95 % interval", "Points lost", "95 % interval")
    return Table(
        "Noise, microphones and rooms",
        names,
        cells,
        "Points lost against the same clips as they are (paired bootstrap).",
    )


def _stream_plot(streaming: Streaming) -> Plot:
    return Plot(
        "Misses and false alarms",
        speech_plots.detection_trade_off(streaming.by_threshold, streaming.threshold),
        "Share of commands missed against false alarms per hour, by threshold.",
        "One point per threshold. A higher one raises fewer false alarms and mostly misses more.",
    )


def _stream_table(streaming: Streaming) -> Table:
    rows = [
        (
            f"{threshold:g}" + (" (in use)" if threshold == streaming.threshold else ""),
            f"{said['hits']:.0f} of {said['commands_said']:.0f}",
            *(figure(said, "miss_rate") if "miss_rate" in said else ("", "")),
            f"{said['false_alarms']:.0f} ({said['false_alarms_on_words']:.0f})",
            *figure(said, "false_alarms_per_hour"),
            f"{said['latency_ms']:.0f} ms" if "latency_ms" in said else "",
        )
        for threshold, said in sorted(streaming.by_threshold.items())
    ]
    names = (
        "Threshold",
        "Detected",
        "Missed",
        "95 % interval",
        "False alarms",
        "Per hour",
        "95 % interval",
        "Latency",
    )
    return Table(
        "In a stream",
        names,
        rows,
        f"{streaming.seconds / 60:,.1f} minutes of clips and background noise. A detection counts "
        f"from the start of a command to {streaming.tolerance_ms:g} ms after its end. Brackets: "
        "false alarms while a word was spoken. Latency: the median from the start of a word.",
    )


def _pictures(pictures: Sequence[ClipPicture]) -> Spectrograms:
    return Spectrograms(
        "Most confident mistakes",
        [
            (
                f"{each.predicted} ({percent(each.probability)}), labelled {each.label}\n"
                f"{each.name}",
                each.features,
                each.seconds,
            )
            for each in pictures
        ],
        "Time to the right, high pitch at the top, darker is louder. Often the label is wrong.",
    )
