"""Text marked with each character's surprise, for reports and terminals.

`nats` is float[characters], -ln of the probability that the model gave to each character of
`text`; it is mapped to one of eight levels.
"""

from collections.abc import Iterator
from itertools import groupby, pairwise
from operator import itemgetter
from unicodedata import category, east_asian_width

import numpy as np
import numpy.typing as npt

# The starts of levels 1 to 7 in nats: probabilities of 78, 61, 37, 14, 5, 2 and 0.2 %.
EDGES = (0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0)
MARKS = " .:-=+*#"
# Background and text colour, of the 256 of a terminal, with a contrast of at least 5. The lowest
# level is coloured too, so that the order of lightness is the same on any terminal.
COLOURS = ((231, 16), (230, 16), (229, 16), (222, 16), (215, 16), (208, 16), (202, 16), (160, 231))

_SIGNS = {"\n": "↵\n", "\t": "⇥"}


def levels(nats: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """int64[characters], 0 for the least surprising.

    >>> levels([0.1, 0.25, 2.5, 9.0]).tolist()
    [0, 1, 4, 7]
    """
    return np.searchsorted(EDGES, np.asarray(nats), side="right").astype(np.int64)


def level_names() -> list[str]:
    """The range of each level.

    >>> level_names()[::7]
    ['under 0.25', '6 and more']
    """
    between = [f"{low:g} to {high:g}" for low, high in pairwise(EDGES)]
    return [f"under {EDGES[0]:g}", *between, f"{EDGES[-1]:g} and more"]


def painted(text: str, nats: npt.ArrayLike) -> Iterator[tuple[str, int, str]]:
    """For each character: how it is shown, its level and its nats.

    >>> list(painted("a\\n", [0.123, 7.0]))
    [('a', 0, '0.12'), ('↵\\n', 7, '7.00')]
    """
    values = np.asarray(nats)
    for character, level, value in zip(text, levels(values).tolist(), values, strict=True):
        yield _shown(character), level, f"{value:.2f}"


def to_terminal(text: str, nats: npt.ArrayLike, colours: bool, width: int = 80) -> str:
    """The text and a key, in 256 colours, or in lines of `width` columns with marks below.

    >>> print(to_terminal("ab!", [0.1, 1.5, 5.0], colours=False)[:26])
    ab!
     -*
    nats: ' ' under 0.
    """
    names = level_names()
    if colours:
        least = (0.0, *EDGES)  # of each level
        cells = [
            _coloured(f" {n} ", [at] * (len(n) + 2)) for n, at in zip(names, least, strict=True)
        ]
        return f"{_coloured(text, nats)}\nnats: {''.join(cells)}"
    key = "  ".join(f"'{mark}' {name}" for mark, name in zip(MARKS, names, strict=True))
    return f"{_marked(text, nats, width)}\nnats: {key}"


def _coloured(text: str, nats: npt.ArrayLike) -> str:
    lines = [""]
    for level, run in groupby(painted(text, nats), itemgetter(1)):
        background, ink = COLOURS[level]
        first, *others = "".join(shown for shown, *_ in run).split("\n")
        # Colours end before each line break, or they would extend to the edge of the screen.
        pieces = [p and f"\x1b[48;5;{background};38;5;{ink}m{p}\x1b[0m" for p in (first, *others)]
        lines[-1] += pieces[0]
        lines += pieces[1:]
    return "\n".join(lines)


def _marked(text: str, nats: npt.ArrayLike, width: int) -> str:
    rows = [("", "")]
    for shown, level, _ in painted(text, nats):
        line, marks = rows[-1]
        columns = _columns(shown[0])
        if len(marks) + columns > width:
            rows.append((shown[0], MARKS[level] * columns))
        else:
            rows[-1] = (line + shown[0], marks + MARKS[level] * columns)
        if shown.endswith("\n"):
            rows.append(("", ""))
    return "\n".join(part.rstrip() for row in rows if row[0] for part in row)


def _shown(character: str) -> str:
    """Line breaks and tabs as visible signs, control characters replaced."""
    if character in _SIGNS:
        return _SIGNS[character]
    return "\ufffd" if category(character) in ("Cc", "Cs") else character


def _columns(character: str) -> int:
    if category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1
