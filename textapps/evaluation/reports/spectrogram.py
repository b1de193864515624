"""Spectrograms as small svg elements in the colours of the page."""

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

LEVELS = 8
COLUMNS, ROWS = 120, 40  # larger ones are averaged down, so that a page stays small
WIDTH, HEIGHT, AXIS = 300, 120, 18  # of the viewBox; the time axis is below the picture
# The quietest third of a clip counts as background and is not drawn.
BACKGROUND_SHARE = 1 / 3
TICKS_S = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)


def drawn(features: npt.ArrayLike, seconds: float, alt: str) -> Markup:
    """A spectrogram as an svg element: time to the right, high pitch at the top, darker is louder.

    Args:
        features: float[time, features], in any unit; the clip's maximum is the darkest.
        seconds: the duration.
        alt: the alternative text.
    """
    levels = loudness_levels(_fewer(np.asarray(features, np.float64)))
    time, rows = levels.shape
    paths = []
    for level in range(1, LEVELS):
        steps = _runs(np.flipud((levels == level).T))
        if steps:
            opacity = f"{level / (LEVELS - 1):.2f}"
            paths.append(f'<path fill="var(--first)" fill-opacity="{opacity}" d="{steps}"/>')
    scale = f"scale({WIDTH / max(time, 1):.4f} {HEIGHT / max(rows, 1):.4f})"
    label = Markup.escape(alt)
    # crispEdges: no gaps between neighbouring cells.
    return Markup(
        f'<svg role="img" aria-label="{label}" viewBox="0 0 {WIDTH} {HEIGHT + AXIS}">'
        f'<g transform="{scale}" shape-rendering="crispEdges">{"".join(paths)}</g>'
        f'<path d="M0 {HEIGHT}h{WIDTH}" stroke="var(--line)"/>{_axis(seconds)}</svg>'
    )


def loudness_levels(features: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """float[time, features] → int64 of the same shape, 0 for the background, 7 for the loudest.

    NaN and infinite values are background, and so is a clip without any variation.

    >>> loudness_levels([[0.0, 1.0], [2.0, 3.5]]).tolist()
    [[0, 0], [3, 7]]
    """
    values = np.asarray(features, np.float64)
    finite = np.isfinite(values)
    if not finite.any():
        return np.zeros(values.shape, np.int64)
    floor = np.quantile(values[finite], BACKGROUND_SHARE)
    top = values[finite].max()
    if top <= floor:
        return np.zeros(values.shape, np.int64)
    shares = (np.clip(np.where(finite, values, floor), floor, top) - floor) / (top - floor)
    levels: npt.NDArray[np.int64] = (shares * LEVELS).astype(np.int64)
    return np.minimum(levels, LEVELS - 1)


def _fewer(features: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """At most 120 columns and 40 rows, by averaging neighbours."""
    for axis, most in ((0, COLUMNS), (1, ROWS)):
        size = features.shape[axis]
        if size > most:
            starts = np.arange(most) * size // most
            sizes = np.diff(np.append(starts, size))
            sums = np.add.reduceat(features, starts, axis=axis)
            features = sums / (sizes[:, None] if axis == 0 else sizes)
    return features


def _runs(cells: npt.NDArray[np.bool_]) -> str:
    """Path commands around the runs of True in each row, bool[rows, columns]."""
    edges = np.diff(np.pad(cells.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    rows, starts = np.nonzero(edges == 1)
    ends = np.nonzero(edges == -1)[1]
    return "".join(
        f"M{start} {row}h{end - start}v1h{start - end}z"
        for row, start, end in zip(rows, starts, ends, strict=True)
    )


def _axis(seconds: float) -> str:
    """The time axis below the picture, with at most five labels."""
    step = next((each for each in TICKS_S if seconds <= 4.5 * each), max(seconds, 1e-9))
    parts = []
    for tick in np.arange(0, seconds + 1e-9, step):
        place = WIDTH * tick / seconds if seconds > 0 else 0.0
        anchor = "start" if place < 8 else "end" if place > WIDTH - 8 else "middle"
        parts.append(
            f'<text x="{place:.1f}" y="{HEIGHT + AXIS - 4}" text-anchor="{anchor}" '
            f'font-size="11" fill="var(--muted)">{tick:g} s</text>'
        )
    return "".join(parts)
