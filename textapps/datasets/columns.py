"""Finding columns of tables and of prepared sets by their names."""

import difflib
from collections.abc import Iterable, Mapping

from textapps.core.errors import DataError

USUAL = {
    "text": ("text", "review", "sentence", "content", "comment", "body", "message", "tweet"),
    "label": ("label", "sentiment", "class", "category", "target", "polarity", "rating", "stars"),
    "source": ("source", "src", "input"),
    "target": ("target", "tgt", "translation", "output"),
    "path": ("path", "file", "filename", "audio", "wav", "clip"),
    "word": ("label", "word", "command", "class", "category", "text", "sentence"),
    "speaker": ("speaker", "speaker_id", "client_id", "group"),
    "group": ("group", "movie"),
    "split": ("split",),
}
"""Names of columns by what they hold, in order of preference."""


def usual_column(found: Iterable[str], kind: str) -> str | None:
    """The first column with a usual name, ignoring case; None if there is none.

    >>> usual_column(["id", "Sentence", "text"], "text"), usual_column(["id"], "text")
    ('text', None)
    """
    return _first(found, USUAL[kind])


def find_column(
    place: str,
    found: Iterable[str],
    kind: str,
    given: str | None = None,
    remedy: str = "",
    preferred: str | None = None,
) -> str:
    """The column named `given`, or else `preferred`, or else the first one with a usual name.

    Case is ignored if no name is the same.

    DataError if there is none. The message lists the columns and the remedy, by default an option.

    >>> find_column("a.csv", ["id", "Src"], "source")
    'Src'
    >>> find_column("a.csv", ["Avis", "text"], "text", preferred="avis")
    'Avis'
    """
    names = list(found)
    named = preferred if given is None else given
    if named is not None and named in names:
        return named
    wanted = [] if named is None else [named.lower()]
    column = _first(names, [*wanted, *(USUAL[kind] if given is None else ())])
    if column is not None:
        return column
    # If the file has no header, these are the cells of its first row, which may be long.
    listed = ", ".join(name if len(name) <= 30 else f"{name[:29]}…" for name in names[:12])
    missing = f"{kind} column" if given is None else f"column '{given}'"
    near = difflib.get_close_matches(given or "", names, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    remedy = remedy or f"name it with --{kind}-column"
    raise DataError(f"{place}: no {missing}, the columns are {listed}; {remedy}{hint}")


def find_columns(
    place: str, found: Iterable[str], given: Mapping[str, str | None], remedy: str = ""
) -> list[str]:
    """`find_column` for each kind, in this order; DataError if two of them are the same column.

    >>> find_columns("a.csv", ["Review", "stars"], {"text": None, "label": "stars"})
    ['Review', 'stars']
    """
    names = list(found)
    columns = [find_column(place, names, kind, name, remedy) for kind, name in given.items()]
    if twice := next((one for one in columns if columns.count(one) > 1), None):
        raise DataError(f"{place}: column '{twice}' cannot be both {' and '.join(given)}")
    return columns


def _first(names: Iterable[str], wanted: Iterable[str]) -> str | None:
    by_lower_case = {name.lower(): name for name in reversed(list(names))}
    return next((by_lower_case[name] for name in wanted if name in by_lower_case), None)
