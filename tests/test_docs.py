"""Documentation that cannot drift: its commands run, and every command is in it."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pytest
import soundfile

from tests import key_tables
from tests.doc_blocks import Block, blocks, run_blocks
from textapps.cli.main import application
from textapps.cli.task_group import TaskGroup
from textapps.core.names import TASKS

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PRETRAINED = ROOT / "models" / "pretrained"
PAGES = [README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

# Blocks stand on those before them that are about the same tasks; each chapter has its own folder.
CHAPTERS = (("sentiment", "generate"), ("translate",), ("speech",))


def chapter_of(block: Block) -> tuple[str, ...]:
    """The tasks whose names are in it, and what stands with them."""
    words = set(re.findall(r"[a-z]+", " ".join(block.commands)))
    (chapter,) = (chapter for chapter in CHAPTERS if words & set(chapter))
    return chapter


def test_blocks_are_found() -> None:
    page = (
        "a\n```bash\nb \\\n  c\nd\n```\n"
        "<!-- not run: slow -->\n\n```console\n$ e\nf\n```\n```python\ng\n```\n"
    )
    assert list(blocks(page)) == [
        Block(2, True, "bash", ["b    c", "d"]),
        Block(9, False, "console", ["e"]),
        Block(13, True, "python", ["g\n"]),
    ]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("chapter", CHAPTERS, ids=" and ".join)
def test_the_blocks_of_the_readme_run_in_their_order(
    chapter: tuple[str, ...], tmp_path: Path
) -> None:
    found = [block for block in blocks(README.read_text(encoding="utf-8")) if block.is_run]
    found = [block for block in found if chapter_of(block) == chapter]
    if not any(PRETRAINED.glob("*/pretrained.json")):  # a checkout before they were packed
        tour = README.read_text(encoding="utf-8").partition("## A tour")[0].count("\n")
        found = [block for block in found if block.line > tour]
    assert found
    clip = np.random.default_rng(1).normal(size=16_000) / 30
    soundfile.write(tmp_path / "clip.wav", clip, 16_000)
    run_blocks(found, tmp_path, "README.md", TEXTAPPS_PRETRAINED_DIR=str(PRETRAINED))


def calls_in(commands: list[str], name: str) -> Iterator[list[str]]:
    """The arguments of each call of a program, pipes and comments cut off."""
    for command in commands:
        lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words = list(lexer)
        for start, word in enumerate(words):
            if word == name and (start == 0 or set(words[start - 1]) <= set("|&;()")):
                rest = words[start + 1 :]
                ends = [i for i, word in enumerate(rest) if set(word) <= set("|&;()<>")]
                yield rest[: ends[0]] if ends else rest


def test_calls_are_found() -> None:
    line = "cat a | textapps x --y 'b | c' > d && textapps z  # textapps not"
    assert list(calls_in([line], "textapps")) == [["x", "--y", "b | c"], ["z"]]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_the_page_calls_is_there(page: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for block in blocks(page.read_text(encoding="utf-8")):
        if block.language == "python":
            compile(block.commands[0], f"{page.name}:{block.line}", "exec")
            continue
        for words in calls_in(block.commands, "make"):
            assert {word for word in words if "=" not in word} <= set(targets), block
        for words in calls_in(block.commands, "textapps"):
            check_call(words, f"{page.name}:{block.line}")


def check_call(words: list[str], place: str) -> None:
    """Follows the commands and looks for every option among those of the last one."""
    command: click.Command = application
    ctx = click.Context(command)
    known = option_names(command)
    for at, word in enumerate(words):
        if word == "--" and command.name == "launch":  # another command follows
            check_call(words[at + 1 :], place)
            return
        if word.startswith("-") and isinstance(command, TaskGroup) and command.about.straight:
            straight = command.get_command(ctx, command.about.straight)
            assert straight is not None
            command = straight
            known |= option_names(command)
        if word.startswith("-") and word not in ("-", "--"):
            assert word.partition("=")[0] in known, f"{place}: no option {word}"
        elif isinstance(command, click.Group):
            found = command.get_command(ctx, word)
            assert found is not None or command.params, f"{place}: no command {word}"
            if found is not None:
                command = found
                known |= option_names(command)


def option_names(command: click.Command) -> set[str]:
    return {"--help", "-h"} | {
        name for option in command.params for name in (*option.opts, *option.secondary_opts)
    }


def all_commands(group: click.Group, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from all_commands(command, *path, name)


def test_every_command_and_option_has_help() -> None:
    for path, command in all_commands(application):
        assert command.help, path
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, (path, option.name)


def test_every_command_stands_in_the_documentation() -> None:
    pages = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    for path, command in all_commands(application):
        if not isinstance(command, click.Group):
            assert f"textapps {' '.join(path)}" in pages


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_tables_of_keys_are_those_of_the_models(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert key_tables.written(text) == text, "the models have changed: run `make docs`"


def test_every_key_stands_in_the_reference() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    regions = [match[3] for match in key_tables.REGION.finditer(text) if match[2] == "keys"]
    assert len(regions) == len(set(regions))
    for task in TASKS:
        for section in key_tables.sections(task):
            assert {section, f"{task}.{section}"} & set(regions), (task, section)
