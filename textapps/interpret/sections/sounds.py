"""The section on which sounds a command was recognised by."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from textapps.evaluation.reports.plots import FIRST, MUTED, SECOND, WIDTH, dress
from textapps.interpret.section import Clip, Picture, Section

TITLE = "Which sounds the command was recognised by"
TEXT = (
    "One part of the spectrogram after the other is replaced by the quiet background of the clip. "
    "Parts in the first colour speak for the label, because its log-odds fall without them; parts "
    "in the second speak against it."
)
SOURCE = "Zeiler and Fergus 2014, Visualizing and understanding convolutional networks (occlusion)"
SMALLEST = 0.1  # of the largest effect, below which nothing is drawn


def sounds_section(
    found: Mapping[str, Any],
    probability: float,
    log_mels: NDArray[np.float32],
    wav: bytes,
    name: str,
) -> Section:
    """A recording, its spectrogram, and what each part of it adds.

    Args:
        found: one row of what `SoundShares` gives.
        probability: of its label.
        log_mels: float32[time, bands], of the clip that was recognised.
        wav: this clip as a file.
        name: of the recording.
    """
    effects = np.asarray(found["attributions"], np.float64)
    label = found["label"].decode()
    t, b = np.unravel_index(int(np.abs(effects).argmax()), effects.shape)
    strongest = (
        f"{name}, recognised as {label} with a probability of {100 * probability:.2f} %. "
        f"The largest effect, {effects[t, b]:+.2f}: "
        f"{found['begin_ms'][t] / 1000:.2f} to {found['end_ms'][t] / 1000:.2f} s, "
        f"{found['low_hz'][b]:.0f} to {found['high_hz'][b]:.0f} Hz."
    )
    picture = Picture(
        _plot(found, effects, log_mels),
        f"Spectrogram of {name} with the parts that speak for and against {label}.",
        strongest,
    )
    return Section(
        key="sounds",
        title=TITLE,
        text=TEXT,
        source=SOURCE,
        parts=(Clip(wav, name), picture),
        data={
            "label": label,
            "probability": probability,
            "effects": effects,
            **{each: found[each] for each in ("begin_ms", "end_ms", "low_hz", "high_hz")},
        },
    )


def _plot(
    found: Mapping[str, Any], effects: NDArray[np.float64], log_mels: NDArray[np.float32]
) -> Figure:
    figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    axes = figure.add_subplot()
    dress(axes)
    seconds = np.append(found["begin_ms"], found["end_ms"][-1]) / 1000
    columns, rows = effects.shape
    extent = (seconds[0], seconds[-1], 0, rows)
    axes.imshow(log_mels.T, origin="lower", aspect="auto", extent=extent, cmap="Greys", alpha=0.6)
    largest = max(float(np.abs(effects).max()), 1e-9)
    for t in range(columns):
        for b in range(rows):
            weight = effects[t, b] / largest
            if abs(weight) >= SMALLEST:
                axes.fill_between(
                    seconds[t : t + 2],
                    b,
                    b + 1,
                    color=FIRST if weight > 0 else SECOND,
                    alpha=0.15 + 0.55 * abs(weight),
                    hatch=None if weight > 0 else "////",
                    linewidth=0,
                )
    axes.set_yticks(np.arange(rows + 1))
    axes.set_yticklabels([f"{hz:.0f}" for hz in np.append(found["low_hz"], found["high_hz"][-1])])
    axes.set_xlabel("seconds", color=MUTED)
    axes.set_ylabel("Hz", color=MUTED)
    return figure
