import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from textapps.evaluation.reports.surprise import (
    COLOURS,
    EDGES,
    MARKS,
    level_names,
    levels,
    to_terminal,
)

PAINT = re.compile(r"\x1b\[(?:0|48;5;(\d+);38;5;\d+)m")


def terminal(text, nats, *, colours):
    """What is printed above the key."""
    shown, _, key = to_terminal(text, nats, colours, width=10).rpartition("\n")
    assert key.startswith("nats: ")
    return shown


def test_a_level_begins_at_its_edge():
    below = np.nextafter(np.array(EDGES), 0)
    assert levels(below).tolist() == list(range(7))
    assert levels(EDGES).tolist() == list(range(1, 8))
    assert len(level_names()) == len(COLOURS) == len(MARKS) == 8
    assert level_names()[3] == "1 to 2"


def test_colours_by_run_and_by_line():
    paints = [f"\x1b[48;5;{b};38;5;{i}m" for b, i in COLOURS]
    shown = terminal("ab\ncd", [0.1, 7.0, 7.0, 7.0, 0.3], colours=True)
    lines = [
        f"{paints[0]}a\x1b[0m{paints[7]}b↵\x1b[0m",
        f"{paints[7]}c\x1b[0m{paints[1]}d\x1b[0m",
    ]
    assert shown.split("\n") == lines


def test_the_key_shows_every_colour():
    key = to_terminal("a", [0.1], True).rpartition("\n")[2]
    assert [int(found) for found in PAINT.findall(key) if found] == [b for b, _ in COLOURS]


def test_marks_stand_below_their_characters():
    nats = [9, 0, 3, 5, 0.3, *[0.1] * 4, 1.5, 2.5, *[0.1] * 5]
    shown = terminal("Nu 好\nand e\u0301so on", nats, colours=False)
    assert shown.split("\n") == ["Nu 好↵", "# +**.", "and e\u0301so on", "    -"]


def test_long_lines_are_cut():
    shown = terminal("x" * 13 + "好" * 3, [7.0] * 16, colours=False)
    assert shown.split("\n") == ["x" * 10, "#" * 10, "xxx好好好", "#" * 9]


def test_nothing_is_left_for_the_terminal_to_obey():
    for colours in (True, False):
        shown = terminal("a\x1b[2J\tb\r\x9b", [0.1] * 9, colours=colours)
        assert PAINT.sub("", shown).strip() == "a\ufffd[2J⇥b\ufffd\ufffd"


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]) | st.just("\n"), max_size=30))
def test_without_paint_it_is_the_text(text):
    nats = np.linspace(0, 9, len(text))
    shown = terminal(text, nats, colours=True)
    assert PAINT.sub("", shown) == text.replace("\n", "↵\n")
