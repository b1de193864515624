"""The tables of configuration keys in docs/, made from the models: `make docs` writes them anew.

A table stands between `<!-- keys: SECTION -->` and `<!-- end -->`. SECTION is `sentiment.data`, or
`training` for a section that all tasks share, or `top` for what stands above the sections.
`<!-- presets: TASK -->` begins the values of a task's presets.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from textapps.core.keys import Key, keys_of
from textapps.core.names import TASKS
from textapps.tasks.registry import get_presets

DOCS = Path(__file__).parent.parent / "docs"
REGION = re.compile(r"(<!-- (keys|presets): ([\w.-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
TYPES = {bool: "true or false", int: "integer", float: "number", str: "text", tuple: "list"}


def written(page: str) -> str:
    """The page with every table as the models have it now."""

    def table(match: re.Match[str]) -> str:
        begin, kind, name, end = match.groups()
        lines = keys_table(name) if kind == "keys" else presets_table(name)
        return begin + "\n".join(lines) + "\n" + end

    return REGION.sub(table, page)


def sections(task: str) -> dict[str, list[Key]]:
    """The keys of a task by section, those above the sections under "top"."""
    found: dict[str, list[Key]] = {}
    for key in keys_of(get_presets(task).config):
        if key.name != "task":  # which nobody sets
            found.setdefault(key.name.rpartition(".")[0] or "top", []).append(key)
    return found


def keys_table(name: str) -> Iterator[str]:
    task, dot, section = name.rpartition(".")
    tasks = [task] if dot else list(TASKS)
    by_task = {each: {key.name: key for key in sections(each)[section]} for each in tasks}
    keys = {name: key for found in by_task.values() for name, key in found.items()}
    yield from rows(["key", "option", "type", "default", "environment variable", "meaning"])
    for name, key in keys.items():
        options = {each: found[name].option for each, found in by_task.items() if name in found}
        takers = [each for each, option in options.items() if option is not None]
        option = ""
        if takers:
            option = f"`{options[takers[0]].name.replace('/', '`, `')}`"
            option += f" ({', '.join(takers)})" if len(takers) < len(tasks) else ""
        yield row(
            f"`{key.name.rpartition('.')[2]}`",
            option,
            type_of(key),
            f"`{key.default_text}`" if key.default not in (None, ()) else "",
            f"`{key.environment}`",
            key.description,
        )


def presets_table(task: str) -> Iterator[str]:
    """What each preset sets, then what other backbones than the preset's set otherwise."""
    found = get_presets(task)
    values = {
        name: {
            f"{section}.{key}": value
            for section, table in preset.items()
            for key, value in table.items()
        }
        for name, preset in found.items()
    }
    yield from rows(["key", *(f"`{name}`" for name in values)])
    for key in dict.fromkeys(key for preset in values.values() for key in preset):
        yield row(
            f"`{key}`", *(shown(preset[key]) if key in preset else "" for preset in values.values())
        )
    if found.by_backbone:
        yield ""
        yield from rows(["preset", "with backbone", "sets instead"])
    for (name, kind), preset in found.by_backbone.items():
        changes = (
            f"`{section}.{key}` {shown(value)}"
            for section, table in preset.items()
            for key, value in table.items()
        )
        yield row(f"`{name}`", f"`{kind}`", ", ".join(changes))


def type_of(key: Key) -> str:
    if key.choices:
        return ", ".join(f"`{choice}`" for choice in key.choices)
    return TYPES[key.kind] + (f", {key.limits}" if key.limits else "")


def shown(value: object) -> str:
    return (
        str(value).lower()
        if isinstance(value, bool | None)
        else str(value).replace("(", "[").replace(")", "]")
    )


def rows(titles: list[str]) -> Iterable[str]:
    return row(*titles), "|" + "---|" * len(titles)


def row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    for path in sorted(DOCS.rglob("*.md")):
        path.write_text(written(path.read_text(encoding="utf-8")), encoding="utf-8")
