"""Pieces of the page of results."""

from collections.abc import Iterable, Sequence
from typing import Any

Result = dict[str, Any]

ABSENT = "not measured"
BACKBONES = ("gru", "lstm", "transformer", "simple_rnn")


def preset_name(preset: str, kind: str) -> str:
    return f"`{kind}`, preset `{preset}`" if kind else f"preset `{preset}`"


def text(result: Result | None, key: str, form: str, absent: str = ABSENT) -> str:
    """A figure in this form, or what stands for its absence."""
    value = (result or {}).get(key)
    return absent if value is None else format(value, form)


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
