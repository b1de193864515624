"""The page: complete, closed in itself, safe, and usable from a file, in headless Chromium."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.chromium import assert_fits
from tests.evaluation.reports.test_report import outline
from textapps.interpret.pictures import Curve, by_distance, head_maps, heat_maps
from textapps.interpret.report import InspectedRun, Inspection, document, plain, write_inspection
from textapps.interpret.section import Clip, Coloured, Links, Picture, Section, Table

EVIL = '</script><img src="http://x.example/y" onerror="document.title=\'run\'">'
Page = Any  # of an optional package


def pictures() -> list[Picture]:
    falling = 0.5 ** np.arange(30)
    curve = Curve("input", falling, falling / 2, 2 * falling)
    draw = np.random.default_rng(0)
    weights = draw.random((2, 5, 5)).astype(np.float32)
    maps = {"h": draw.uniform(-1, 1, (8, 4)), "forget": draw.random((8, 4))}
    return [
        Picture(by_distance([(curve, "#0072b2")], 0.1), EVIL),
        Picture(heat_maps(maps, list("a$b\n c$d")), "maps"),
        Picture(heat_maps(maps, ["word"] * 8), "maps of words"),
        Picture(head_maps([weights, weights]), "heads"),
    ]


def inspection(runs: int = 2) -> Inspection:
    weights = np.tril(np.arange(1.0, 10).reshape(3, 3), -1)
    section = Section(
        key="all",
        title=EVIL,
        text=EVIL,
        source=EVIL,
        parts=(
            *pictures(),
            Table(("a", "b"), ((EVIL, 0.5),), EVIL),
            Coloured(["so", "\n", EVIL], [0.5, -1.0, np.nan], EVIL),
            Links(["x", "y", "z"], weights, caption=EVIL, shown=2),
            Links(["un", "chat"], [[1, 3], [2, 0]], targets=["a", "cat"]),
            Clip(b"RIFFxxxxWAVE", EVIL),
        ),
        note=EVIL,
        data={"numbers": np.array([1.23456, np.inf]), "deep": {"a": [(1, None, EVIL)]}},
    )
    other = Section(key="other", title="Other", text="t", source="s", note="nothing to show")
    return Inspection(
        task="generate",
        runs=[
            InspectedRun(
                name=f"run-{number}",
                facts={"backbone": EVIL, "looked at": "a text"},
                sections=(section, other) if number else (section,),
            )
            for number in range(runs)
        ],
    )


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "inspect.html"
    write_inspection(path, inspection())
    return path


def embedded(path: Path) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', path.read_text())
    assert found
    return json.loads(found[1])


def test_every_element_is_closed_and_identifiers_are_unique(path: Path) -> None:
    parser = outline(path)
    assert len(parser.ids) == len(set(parser.ids))
    assert parser.seen.count("img") == 0
    assert parser.seen.count("svg") == 2 * 4
    assert EVIL in "".join(parser.text)


def test_the_page_names_nothing_outside_itself(path: Path) -> None:
    page = path.read_text()
    addresses = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert addresses
    assert all(each.startswith(("#", "data:")) for each in addresses)
    assert "default-src 'none'" in page


def test_the_file_holds_the_numbers(path: Path) -> None:
    data = embedded(path)
    assert data["format"] == 1
    assert {**data, "runs": 0} == {"format": 1, "task": "generate", "runs": 0}
    assert data["runs"] == json.loads(json.dumps(document(inspection())))["runs"]
    section = data["runs"][1]["sections"]["all"]
    assert section["data"] == {"numbers": [1.235, None], "deep": {"a": [[1, None, EVIL]]}}
    own, between = section["links"]
    # In per cent of the largest of each target, without the zeros around them.
    assert own["rows"] == [[0, []], [0, [100]], [0, [88, 100]]]
    assert (own["targets"], own["sources"]) == (None, ["x", "y", "z"])
    assert between["rows"] == [[0, [33, 100]], [0, [100]]]
    assert list(data["runs"][0]["sections"]) == ["all"]
    assert data["runs"][1]["sections"]["other"]["note"] == "nothing to show"


def test_numbers_are_written_short() -> None:
    assert plain(np.array([0.1, 2.0, -0.0, 12345678.0, 1e-9])) == [0.1, 2, 0, 12350000.0, 1e-9]
    assert plain(np.float32(1 / 3)) == 0.3333
    assert plain(np.bool_(True)) is True
    assert plain("x") == "x"


class TestInChromium:
    def test_it_asks_for_nothing_and_runs_nothing_of_the_text(self, page: Page, path: Path) -> None:
        page.goto(path.as_uri())
        assert [u for u in page.requests if not u.startswith("data:")] == [path.as_uri()]
        assert page.errors == []
        assert page.title().startswith("Inside generate: run-0, run-1")

    @pytest.mark.slow
    def test_a_piece_that_is_pointed_at_lights_up_what_it_hangs_on(
        self, page: Page, path: Path
    ) -> None:
        page.goto(path.as_uri())
        own = page.locator(".links").nth(0)
        pieces = own.locator("pre.sources i")

        def strengths() -> list[str]:
            return [p.evaluate("e => e.style.getPropertyValue('--v')") for p in pieces.all()]

        assert strengths() == ["88", "100", "0"]
        pieces.nth(1).hover()
        assert strengths() == ["100", "0", "0"]
        assert own.locator(".at").inner_text() == "y"
        own.focus()
        page.keyboard.press("ArrowRight")
        assert strengths() == ["88", "100", "0"]
        page.keyboard.press("ArrowUp")
        assert strengths() == ["0", "0", "0"]
        assert own.locator(".status").inner_text() == "x, 1 of 3"

    def test_a_target_lights_up_its_sources(self, page: Page, path: Path) -> None:
        page.goto(path.as_uri())
        between = page.locator(".links").nth(1)
        between.locator("pre.targets i").nth(0).hover()
        sources = between.locator("pre.sources i").all()
        shown = [piece.evaluate("e => e.style.getPropertyValue('--v')") for piece in sources]
        assert shown == ["33", "100"]

    @pytest.mark.parametrize("width", [320, 390, 1280])
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_it_fits_its_window(self, page: Page, path: Path, width: int, scheme: str) -> None:
        assert_fits(page, path, width, scheme)
        tops = {box.bounding_box()["y"] for box in page.locator("#all .run").all()}
        assert len(tops) == (1 if width == 1280 else 2)  # side by side where there is room
        tables = page.get_by_role("region").and_(page.locator(".scroll[tabindex='0']"))
        assert tables.count() == page.locator("table").count() == 1 + 2
