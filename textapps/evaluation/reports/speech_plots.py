"""The plots of a report on spoken commands: by speaker, in noise, in a stream."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator, PercentFormatter

from textapps.evaluation.metrics.rejection import RejectionCurve
from textapps.evaluation.metrics.speech import NoiseRow, SpeakerSpread
from textapps.evaluation.reports.plots import FIRST, HEIGHT, INK, MUTED, SECOND, WIDTH, dress, empty


def accuracy_by_speaker(spread: SpeakerSpread | None) -> Figure:
    """The accuracy of each speaker, worst first; dashed, the accuracies expected by chance."""
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    if spread is None:
        return empty(figure, "no speakers known")
    axes = figure.add_subplot()
    accuracies = [row.accuracy for row in spread.rows]
    edges = np.arange(len(accuracies) + 1) / len(accuracies)
    for values, colour, style, label in (
        (spread.expected, SECOND, "--", "mistakes spread at random"),
        (accuracies, FIRST, "-", "speakers"),
    ):
        axes.step(edges, [*values, values[-1]], style, where="post", color=colour, label=label)
    axes.set_xlim(0, 1)
    axes.set_ylim(min(*accuracies, 0.5) - 0.02, 1.02)
    axes.set_xlabel("share of the speakers, worst first", color=MUTED)
    axes.set_ylabel("accuracy", color=MUTED)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, 0, symbol=" %"))
    axes.legend(frameon=False, fontsize=9, labelcolor=INK, loc="lower right")
    dress(axes)
    return figure


def accuracy_in_noise(rows: Sequence[NoiseRow], clean: float) -> Figure:
    """The accuracy at signal-to-noise ratios, with 95 % intervals; dotted, without noise."""
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    if not rows:
        return empty(figure, "not evaluated in noise")
    axes = figure.add_subplot()
    ratios, accuracy = [row.snr_db for row in rows], np.array([row.accuracy for row in rows])
    error = [accuracy - [row.low for row in rows], [row.high for row in rows] - accuracy]
    axes.axhline(clean, linestyle=":", color=MUTED, label="without noise")
    axes.errorbar(ratios, accuracy, np.clip(error, 0, 1), fmt="-o", color=FIRST, ms=5)
    axes.invert_xaxis()  # from quiet to loud noise
    axes.xaxis.set_major_locator(FixedLocator(ratios))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("signal-to-noise ratio, dB", color=MUTED)
    axes.set_ylabel("accuracy", color=MUTED)
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.legend(frameon=False, fontsize=9, labelcolor=INK, loc="lower left")
    dress(axes)
    return figure


def detection_trade_off(streams: Mapping[float, Mapping[str, float]], chosen: float) -> Figure:
    """Missed commands against false alarms per hour, one point per threshold.

    Args:
        streams: by threshold, the result of `detection_metrics`.
        chosen: the threshold in use, drawn larger.
    """
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    points = [
        (threshold, said["false_alarms_per_hour"], said["miss_rate"])
        for threshold, said in sorted(streams.items())
        if "miss_rate" in said
    ]
    if not points:
        return empty(figure, "no commands in the stream")
    axes = figure.add_subplot()
    _, alarms, misses = zip(*points, strict=True)
    axes.plot(alarms, misses, "-o", color=FIRST, ms=4)
    for threshold, x, y in points:
        if threshold == chosen:
            axes.plot([x], [y], "o", color=SECOND, ms=9, label=f"threshold {threshold:g}")
    for threshold, x, y in (points[0], points[-1]):
        if threshold != chosen:
            axes.annotate(
                f"{threshold:g}",
                (x, y),
                xytext=(6, 6),
                textcoords="offset points",
                color=MUTED,
                fontsize=9,
            )
    axes.set_xlabel("false alarms per hour", color=MUTED)
    axes.set_ylabel("commands missed", color=MUTED)
    axes.set_xlim(-0.03 * max(1.0, *alarms), 1.08 * max(1.0, *alarms))
    axes.set_ylim(0, 1.15 * max(0.02, *misses))
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    if any(threshold == chosen for threshold, *_ in points):
        axes.legend(frameon=False, fontsize=9, labelcolor=INK)
    dress(axes)
    return figure


def in_use(curve: RejectionCurve) -> tuple[float, float]:
    """False accepts and recall with the scores as they are: of a margin above 0."""
    place = int(np.searchsorted(curve.thresholds, 0, side="right")) - 1
    return float(curve.false_accepts[place]), float(curve.recall[place])


def rejection_trade_off(curve: RejectionCurve) -> Figure:
    """Commands recognised against other words taken for one; a dot where the run stands."""
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(curve.false_accepts, curve.recall, drawstyle="steps-post", color=FIRST)
    accepted, recall = in_use(curve)
    axes.plot([accepted], [recall], "o", color=SECOND, ms=9, label="in use")
    axes.set_xlabel("other words taken for a command", color=MUTED)
    axes.set_ylabel("commands recognised", color=MUTED)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.legend(frameon=False, fontsize=9, labelcolor=INK, loc="lower right")
    dress(axes)
    return figure
