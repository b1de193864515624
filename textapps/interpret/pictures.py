"""The pictures of the sections, as matplotlib Figures in the style of the other reports.

Heat maps are images with transparency, which suit a light and a dark page.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from textapps.evaluation.reports.plots import FIRST, GRID, INK, MUTED, SECOND, dress

LOWEST, HIGHEST = 1e-8, 10.0  # the same in every picture, so that runs can be compared
CHARACTERS = 64  # across a heat map: as many as there is room for their names
NARROW = 4.0  # inches: on a phone its text is as large as that of tables
NAMES, NAME_LENGTH = 36, 12  # of longer pieces
_SIGNS = {"\n": "↵", "\t": "⇥", " ": "␣"}


class Curve(NamedTuple):
    """A median by distance and its spread, float64[distance + 1] each.

    dashed: for what was before training; its spread is not drawn.
    """

    name: str
    median: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    dashed: bool = False


def curve_of(name: str, norms: NDArray[np.float64], dashed: bool) -> Curve:
    """The curve of norms float64[positions, distance + 1]."""
    low, median, high = np.quantile(norms, (0.1, 0.5, 0.9), axis=0)
    return Curve(name, median, low, high, dashed)


def by_distance(
    curves: Sequence[tuple[Curve, str]], threshold: float | None, xlabel: str = "steps back"
) -> Figure:
    """Norms of gradients by distance on a logarithmic scale; each curve with its colour.

    Args:
        threshold: the norm at which training clips, a dotted line; None for no line.
    """
    figure = Figure(figsize=(NARROW, 3.4), layout="constrained")
    axes = figure.add_subplot()
    highest = HIGHEST
    for curve, colour in curves:
        x = np.arange(len(curve.median))
        style = "--" if curve.dashed else "-"
        shown = _positive(curve.median)
        axes.plot(x, shown, style, color=colour, label=curve.name, linewidth=1.5)
        if not curve.dashed:
            low, high = _positive(curve.low), _positive(curve.high)
            axes.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
        finite = curve.median[np.isfinite(curve.median)]
        highest = max(highest, 3 * float(finite.max(initial=0.0)))
    if threshold:
        axes.axhline(threshold, linestyle=":", color=MUTED, linewidth=1)
        where: dict[str, Any] = {
            "ha": "right",
            "va": "bottom",
            "transform": axes.get_yaxis_transform(),
        }
        axes.text(0.99, threshold, "clipped above", color=MUTED, fontsize=8, **where)
    axes.set_yscale("log")
    axes.set_ylim(LOWEST, highest)
    axes.set_xlabel(xlabel, color=MUTED)
    axes.set_ylabel("norm of the gradient", color=MUTED)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    legend: dict[str, Any] = {"frameon": False, "fontsize": 8, "labelcolor": INK}
    figure.legend(loc="outside lower center", ncols=2, **legend)
    dress(axes)
    return figure


def heat_maps(maps: Mapping[str, NDArray[np.floating]], text: Sequence[str]) -> Figure:
    """Maps over the same characters and units, one above the other.

    Args:
        maps: by name float[time, units], -1 (the second colour) to 1 (the first one).
        text: the characters or other pieces, as many as the maps have rows.
    """
    rows = max(values.shape[1] for values in maps.values())
    height = min(0.055 * rows, 2.2) + 0.25
    figure = Figure(figsize=(NARROW, height * len(maps) + 0.35), layout="constrained")
    panels = figure.subplots(len(maps), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (name, values) in zip(panels, maps.items(), strict=True):
        _image(axes, values.T)
        axes.set_yticks([])
        axes.set_title(name, loc="left", fontsize=9, color=INK)
    _name_columns(panels[-1], text)
    panels[-1].set_ylabel("units", color=MUTED, fontsize=8)
    return figure


def head_maps(blocks: Sequence[NDArray[np.float32]]) -> Figure:
    """The attention of every head, a row of maps for each block; darker means more.

    Args:
        blocks: float32[heads, time, time] each, down the rows where the head looks from.
    """
    heads = len(blocks[0])
    size = NARROW / heads
    figure = Figure(figsize=(NARROW, (size + 0.15) * len(blocks) + 0.2), layout="constrained")
    panels = figure.subplots(len(blocks), heads, squeeze=False)
    for number, weights in enumerate(blocks, 1):
        for head, values in enumerate(weights, 1):
            axes = panels[number - 1, head - 1]
            _image(axes, np.sqrt(values))  # or all but the sharpest heads would be blank
            axes.set_xticks([])
            axes.set_yticks([])
            if number == 1:
                axes.set_title(f"head {head}", fontsize=8, color=MUTED)
        panels[number - 1, 0].set_ylabel(f"block {number}", fontsize=8, color=MUTED)
    return figure


def _name_columns(axes: Axes, text: Sequence[str]) -> None:
    """All characters, or as many longer names as there is room for, upright."""
    characters = all(len(piece) <= 1 for piece in text)
    every = 1 if characters else -(-len(text) // NAMES)
    places = range(0, len(text), every)
    names = [_SIGNS.get(text[place], text[place])[:NAME_LENGTH] for place in places]
    # parse_math: a dollar sign is not a formula.
    axes.set_xticks(places, names, parse_math=False, rotation=0 if characters else 90)
    axes.tick_params(axis="x", length=0, labelsize=5.5 if characters else 7, pad=1)


def _image(axes: Axes, values: NDArray[np.floating]) -> None:
    """float[rows, columns] from -1 to 1 as colours whose opacity is the size of the value."""
    finite = np.nan_to_num(np.asarray(values, np.float64))
    pixels = np.empty((*finite.shape, 4))
    pixels[..., :3] = np.where(finite[..., None] < 0, to_rgb(SECOND), to_rgb(FIRST))
    pixels[..., 3] = np.clip(np.abs(finite), 0, 1)
    eight_bit = np.round(pixels * 255).astype(np.uint8)
    axes.imshow(eight_bit, aspect="auto", interpolation="none")
    dress(axes, grid=False)
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color(GRID)


def _positive(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values for a logarithmic axis: 0 is below its end, and what is not finite is left out."""
    return np.where(np.isfinite(values), np.maximum(values, LOWEST / 1e3), np.nan)
