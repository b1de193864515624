"""A section of the report of `inspect`: what a task contributes.

Texts in it may come from users; the report escapes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Picture:
    """A matplotlib Figure, drawn in the colours of the page.

    alt: the alternative text, one sentence.
    """

    figure: Figure
    alt: str
    caption: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of cells: the first column is left-aligned, the others right-aligned."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str | float]]
    caption: str = ""


@dataclass(frozen=True)
class Coloured:
    """A text in coloured pieces.

    values: float[pieces] from -1, the full second colour, to 1, the full first one; 0 has none.
    titles: what a reader sees who points at a piece; by default its value.
    """

    pieces: Sequence[str]
    values: npt.ArrayLike
    caption: str = ""
    titles: Sequence[str] = ()


@dataclass(frozen=True)
class Links:
    """Pieces of a text that light up when the reader points at a piece of another, or later, text.

    Without a script the reader sees the links of the piece `shown`.

    weights: float[targets, sources], at least 0. Those of a target are shown in proportion to the
        largest of them.
    targets: None if they are the sources: a text whose pieces hang on those before them.
    """

    sources: Sequence[str]
    weights: npt.ArrayLike
    targets: Sequence[str] | None = None
    caption: str = ""
    shown: int = -1


@dataclass(frozen=True)
class Clip:
    """A recording that can be played.

    wav: the bytes of a WAV file.
    """

    wav: bytes
    caption: str = ""


Part = Picture | Table | Coloured | Links | Clip


@dataclass(frozen=True, kw_only=True)
class Section:
    """One thing that can be seen of a model.

    key: sections of the same key stand side by side if there are several runs.
    title: the heading.
    text: what one sees, in about two sentences.
    source: the paper that it is from.
    parts: pictures, tables and texts, in order; none if the model has nothing to show.
    note: what is particular about this run, such as why there is nothing to show.
    data: the numbers behind the parts, for the JSON in the file: dicts, lists, arrays, strings,
        numbers. Those of `Links` are added by the report.
    """

    key: str
    title: str
    text: str
    source: str
    parts: Sequence[Part] = ()
    note: str = ""
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """What was seen of one run.

    looked_at: what it read, as one phrase, such as "the first 2,000 characters of chapter.txt".
    sections: made one by one as they are asked for, which takes seconds each.
    """

    looked_at: str
    sections: Iterable[Section]
