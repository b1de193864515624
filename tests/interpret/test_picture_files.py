"""The pictures of a report as files."""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from textapps.interpret.picture_files import COLUMNS, as_file, text_as_file, write_pictures
from textapps.interpret.pictures import Curve, by_distance, heat_maps
from textapps.interpret.report import InspectedRun, Inspection
from textapps.interpret.section import Coloured, Picture, Section, Table

TEXT = Coloured(["a<\n", "&", "b" * COLUMNS, " \t"], [0.5, -1, 0, float("nan")], "A <text> & more.")


def curve() -> Picture:
    falling = 0.5 ** np.arange(7.0)
    figure = by_distance([(Curve("a <b>", falling, falling / 2, 2 * falling), "#0072b2")], 1.0)
    return Picture(figure, 'The gradient of "a" & b.')


def maps() -> Picture:
    values = np.random.default_rng(1).uniform(-1, 1, (5, 3))
    return Picture(heat_maps({"h": values}, list("a b\nc")), "A map.")


def test_a_picture_stands_alone() -> None:
    """All colours are there for light and dark, over a ground, and nothing is fetched."""
    drawn = [(picture.alt, as_file(picture)) for picture in (curve(), maps())]
    for name, text in [*drawn, (TEXT.caption, text_as_file(TEXT))]:
        root = ElementTree.fromstring(text)
        assert root.get("aria-label") == name
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        width, height = float(root.attrib["width"]), float(root.attrib["height"])
        _, _, *box = map(float, root.attrib["viewBox"].split())
        assert width / height == pytest.approx(box[0] / box[1], rel=0.01)
        used = set(re.findall(r"var\((--[\w-]+)\)", text))
        light, dark = text.split("prefers-color-scheme: dark")
        assert used <= set(re.findall(r"(--[\w-]+):", light))
        assert used <= set(re.findall(r"(--[\w-]+):", dark))
        assert "--card" in used
        places = re.findall(r'(?:href|src)="([^"]*)"', text)
        assert all(place.startswith(("#", "data:")) for place in places)


def test_a_coloured_text_is_all_there_in_lines_with_its_colours() -> None:
    root = ElementTree.fromstring(text_as_file(TEXT))
    lines = [each for each in root.iter() if each.tag.endswith("text")]
    assert [each.text for each in lines] == ["a<", "&" + "b" * (COLUMNS - 1), "b ⇥"]
    assert [len(each.attrib["x"].split()) for each in lines] == [2, COLUMNS, 3]
    painted = [each for each in root.iter() if "fill-opacity" in each.attrib]
    found = [(e.attrib["x"], e.attrib["style"], e.attrib["fill-opacity"]) for e in painted]
    first, second = "fill: var(--first)", "fill: var(--second)"
    assert found == [("10", first, "0.30"), ("18", first, "0.30"), ("10", second, "0.60")]


def test_files_are_named_by_section_run_and_place(tmp_path: Path) -> None:
    def section(key: str, *parts: Picture | Table) -> Section:
        return Section(key=key, title="t", text="x", source="s", parts=parts)

    runs = [
        InspectedRun(name="a", facts={}, sections=[section("gradient", curve())]),
        InspectedRun(name="b", facts={}, sections=[section("state", Table([], []), maps(), TEXT)]),
    ]
    written = write_pictures(tmp_path / "new", Inspection(task="generate", runs=runs))
    assert [path.name for path in written] == ["gradient-1.svg", "state-2.svg", "state-2-2.svg"]
    assert all(path.is_file() for path in written)
