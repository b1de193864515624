"""The course: its commands run, and its two languages say the same with the same pictures."""

import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.doc_blocks import BLOCK, blocks, run_blocks

DOCS = Path(__file__).parent.parent / "docs"
LESSONS = sorted((DOCS / "course").glob("[0-9]-*[a-z].md"))
LESSONS = [page for page in LESSONS if not page.name.endswith(".zh.md")]
PICTURES = DOCS / "course" / "pictures"
IMAGE = re.compile(r"!\[[^\]]*\]\(([^)]+)\)")
LINK = re.compile(r"\]\([^)]*\)")
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def chinese(page: Path) -> Path:
    return page.with_suffix(".zh.md")


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def figures(text: str) -> Counter[str]:
    """The numbers of a page, which stand in another order where a language has another."""
    return Counter(NUMBER.findall(LINK.sub("]", BLOCK.sub("", text))))


def test_there_are_five_lessons_in_two_languages() -> None:
    assert len(LESSONS) == 5
    for page in (DOCS / "what-it-remembers.md", *LESSONS):
        assert read(page).count(f"({chinese(page).name})") == 1
        assert read(chinese(page)).count(f"({page.name})") == 1


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "pages",
    [
        pytest.param(LESSONS[:1], id="first"),
        pytest.param(LESSONS[1:], id="others", marks=pytest.mark.exhaustive),
    ],
)
def test_the_commands_of_the_lessons_run(pages: list[Path], tmp_path: Path) -> None:
    """What several lessons train is trained once here, and few characters are looked at."""
    done: set[str] = set()
    for page in pages:
        for block in blocks(read(page)):
            commands = [
                command.replace("generate inspect", "generate inspect --characters 40")
                for command in block.commands
                if block.is_run and command not in done
            ]
            done.update(block.commands)
            run_blocks([block._replace(commands=commands)], tmp_path, page.name)
    assert list(tmp_path.glob("*/gradient-1.svg"))


@pytest.mark.parametrize("page", [DOCS / "what-it-remembers.md", *LESSONS], ids=lambda p: p.stem)
def test_both_languages_have_the_same_commands_figures_and_pictures(page: Path) -> None:
    english, other = read(page), read(chinese(page))
    assert [match[0] for match in BLOCK.finditer(english)] == [
        match[0] for match in BLOCK.finditer(other)
    ]
    assert IMAGE.findall(english) == IMAGE.findall(other)
    assert figures(english) == figures(other)
    for sign in ("#", "|", "*", "1."):  # headings, rows of tables, points
        lines = [
            [line for line in t.splitlines() if line.startswith(sign)] for t in (english, other)
        ]
        assert len(lines[0]) == len(lines[1]), sign


def test_every_picture_is_shown_and_safe_to_show() -> None:
    """As an image file a picture has no colours of a page around it: it brings both kinds."""
    shown = set()
    for page in LESSONS:
        folders = re.findall(r"--pictures (\w+)", read(page))
        for place in IMAGE.findall(read(page)):
            assert place.removeprefix("pictures/").split("-")[0] in folders  # made on this page
            shown.add(PICTURES.parent / place)
    assert shown == set(PICTURES.iterdir())
    for picture in shown:
        text = read(picture)
        assert len(text) < 150_000
        assert "prefers-color-scheme: dark" in text
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(text).iter()}
        assert not tags & {"script", "foreignObject"}
