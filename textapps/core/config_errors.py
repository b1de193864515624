"""Turns pydantic's errors into one line: key, value, origin, what is allowed."""

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from types import UnionType
from typing import Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails


def message(model: type[BaseModel], problem: ErrorDetails, origins: Mapping[str, str]) -> str:
    """One line for a pydantic error: key, value, origin, what is allowed."""
    key = known_key(model, problem["loc"])
    origin = next((origins[name] for name in origins if f"{name}.".startswith(f"{key}.")), "")
    origin = f" {origin}" if origin else ""
    if problem["type"] == "extra_forbidden":
        return _unknown_key(model, key, origin)
    if problem["type"] == "missing":
        return f"{key} is not given: use --set {key}=… or the configuration file"
    text = problem["msg"].removeprefix("Value error, ")
    text = re.sub(r"^Input should", "should", text)
    if problem["type"] == "value_error" and isinstance(problem["input"], Mapping):
        return f"{key}: {text}" if key else text  # a rule between keys, which its text names
    line = f"{key} = {_shown(problem['input'])}{origin}: {text}"
    allowed = re.findall(r"'([^']*)'", str(problem.get("ctx", {}).get("expected", "")))
    return line + _suggestion(str(problem["input"]), allowed, "; ")


def _unknown_key(model: type[BaseModel], key: str, origin: str) -> str:
    *outer, last = key.split(".")
    owner: type[BaseModel] = model
    for part in outer:
        owner = section_of(owner, part) or owner
    hint = _suggestion(last, owner.model_fields, ", ")
    return f"unknown key '{key}'{origin}" + (
        hint or f", choose from {', '.join(owner.model_fields)}"
    )


def known_key(model: type[BaseModel], location: tuple[int | str, ...]) -> str:
    """The dotted key of an error, without the parts that pydantic adds below it (union members)."""
    parts: list[str] = []
    owner: type[BaseModel] | None = model
    for part in location:
        if owner is None:
            break
        parts.append(str(part))
        owner = section_of(owner, str(part))
    return ".".join(parts)


def _suggestion(name: str, choices: Iterable[str], separator: str) -> str:
    near = difflib.get_close_matches(name, list(choices), n=1)
    return f"{separator}did you mean '{near[0]}'?" if near else ""


def _shown(value: object) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"


def section_of(model: type[BaseModel] | None, key: str) -> type[BaseModel] | None:
    """The class of the section called `key`, None if that is a value or unknown."""
    field = model.model_fields.get(key) if model is not None else None
    for kind in alternatives(field.annotation) if field is not None else ():
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def alternatives(annotation: object) -> tuple[object, ...]:
    """The members of a union, or the one type itself."""
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
