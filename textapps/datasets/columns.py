"""Which columns hold the text, the label, the group and the split."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from textapps.core.errors import DataError

TEXT_COLUMNS = ("text", "review", "sentence", "content", "comment", "body", "message", "tweet")
LABEL_COLUMNS = ("label", "sentiment", "class", "category", "target", "polarity", "rating")
SOURCE_COLUMNS = ("source", "src", "input")
TARGET_COLUMNS = ("target", "tgt", "translation", "output")
PATH_COLUMNS = ("path", "file", "filename", "audio", "wav", "clip")
WORD_COLUMNS = ("label", "word", "command", "class", "category", "text", "sentence")
SPEAKER_COLUMNS = ("speaker", "speaker_id", "client_id", "group")
GROUP_COLUMNS = ("group", "movie")
SPLIT_COLUMNS = ("split",)


@dataclass(frozen=True)
class Columns:
    """Names of columns, None for one that a set does not have."""

    text: str
    label: str
    group: str | None
    split: str | None


@dataclass(frozen=True)
class ClipColumns:
    """Names of the columns of a table of recordings, None for one that it does not have."""

    path: str
    word: str | None
    split: str | None
    speaker: str | None


def find_columns(
    place: str, found: Iterable[str], text: str | None = None, label: str | None = None
) -> Columns:
    """The columns of a set, by the names given or else by the usual ones, letter case aside.

    DataError, which lists the columns `found` and the option to use, where one is missing.

    >>> find_columns("a.csv", ["Review", "stars"], label="stars")
    Columns(text='Review', label='stars', group=None, split=None)
    """
    names = list(found)
    label_column = _needed(place, names, label, "label", LABEL_COLUMNS)
    text_column = _needed(place, names, text, "text", TEXT_COLUMNS)
    if text_column == label_column:
        raise DataError(f"{place}: column '{text_column}' cannot be both the text and the label")
    group = _first(names, GROUP_COLUMNS)
    return Columns(text_column, label_column, group, _first(names, SPLIT_COLUMNS))


def find_text_column(place: str, found: Iterable[str], text: str | None = None) -> str:
    """The column of texts alone, found and refused as in `find_columns`."""
    return _needed(place, list(found), text, "text", TEXT_COLUMNS)


def find_input_column(place: str, found: Iterable[str], kind: str, given: str | None = None) -> str:
    """The one column that a model answers, of texts, sources or paths by `kind`, as above.

    >>> find_input_column("a.csv", ["id", "Src"], "source")
    'Src'
    """
    usual = {"text": TEXT_COLUMNS, "source": SOURCE_COLUMNS, "path": PATH_COLUMNS}
    return _needed(place, list(found), given, kind, usual[kind])


def find_pair_columns(
    place: str, found: Iterable[str], source: str | None = None, target: str | None = None
) -> tuple[str, str]:
    """The columns of sentences and of translations, found and refused as in `find_columns`."""
    names = list(found)
    first = _needed(place, names, source, "source", SOURCE_COLUMNS)
    second = _needed(place, names, target, "target", TARGET_COLUMNS)
    if first == second:
        raise DataError(f"{place}: column '{first}' cannot be both source and target")
    return first, second


def find_clip_columns(place: str, found: Iterable[str]) -> ClipColumns:
    """The columns of a table of recordings, by the usual names, letter case aside.

    DataError, which lists the columns `found`, where none holds the paths.

    >>> find_clip_columns("a.csv", ["Path", "word", "client_id"])
    ClipColumns(path='Path', word='word', split=None, speaker='client_id')
    """
    names = list(found)
    path = _first(names, PATH_COLUMNS)
    if path is None:
        listed = _listed(names)
        raise DataError(f"{place}: no path column, the columns are {listed}; call one 'path'")
    word, split = _first(names, WORD_COLUMNS), _first(names, SPLIT_COLUMNS)
    return ClipColumns(path, word, split, _first(names, SPEAKER_COLUMNS))


def _first(names: list[str], wanted: Iterable[str]) -> str | None:
    by_lower_case = {name.lower(): name for name in reversed(names)}
    return next((by_lower_case[name] for name in wanted if name in by_lower_case), None)


def _needed(
    place: str, names: list[str], given: str | None, kind: str, usual: tuple[str, ...]
) -> str:
    if given is not None and given in names:
        return given
    column = _first(names, [given.lower()] if given is not None else usual)
    if column is not None:
        return column
    listed = _listed(names)
    missing = f"{kind} column" if given is None else f"column '{given}'"
    near = difflib.get_close_matches(given or "", names, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    raise DataError(
        f"{place}: no {missing}, the columns are {listed}; name it with --{kind}-column{hint}"
    )


def _listed(names: list[str]) -> str:
    # A file without a header shows its first row here, which may be long.
    return ", ".join(name if len(name) <= 30 else f"{name[:29]}…" for name in names[:12])
