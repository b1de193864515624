import io
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from tests.chromium import assert_fits
from textapps.evaluation.reports import plots
from textapps.evaluation.reports.report import write_report
from textapps.evaluation.reports.sections import (
    Headline,
    Paragraph,
    Plot,
    Report,
    Spectrograms,
    Surprise,
    Table,
    Texts,
)

EVIL = '<script>alert("&")</script>'
VOID = {"meta", "br"}
CARD = """getComputedStyle(document.querySelector("section")).backgroundColor
          .match(/\\d+/g).map(Number)"""


class Outline(HTMLParser):
    """Checks that every element is closed in its turn; keeps identifiers and visible text."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.ids, self.labels, self.text = [], [], [], [], []

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        self.ids += [value for name, value in attributes if name == "id"]
        self.labels += [value for name, value in attributes if name == "aria-label"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.ids += [value for name, value in attributes if name == "id"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def outline(path):
    parser = Outline()
    parser.feed(path.read_text(encoding="utf-8"))
    assert parser.open == []
    return parser


def figure():
    return plots.confusion([[3, 1], [0, 4]], ["no", EVIL])


def full():
    return Report(
        EVIL,
        {"Data": EVIL, "Seconds": "12"},
        [
            Paragraph(EVIL, EVIL),
            Headline(EVIL, [(EVIL, "91 %", "90 % to 92 %")], EVIL),
            Table(EVIL, ("Class", EVIL), [(EVIL, 0.25), ("b", 25_000)], EVIL),
            Plot(EVIL, figure(), EVIL, EVIL),
            Plot("again", figure(), "the same figure twice"),
            Texts(EVIL, [(EVIL, EVIL)], EVIL),
            Surprise(EVIL, EVIL, [1.5] * len(EVIL), EVIL),
            Spectrograms(EVIL, [(EVIL, [[0.0, 1.0], [2.0, 3.0]], 0.5)], EVIL),
        ],
    )


def test_holds_everything_and_escapes_it(tmp_path):
    write_report(tmp_path / "report.html", full())
    page = outline(tmp_path / "report.html")
    text = "".join(page.text)
    # title twice and fact; paragraph, headline, table, plot (the label aside), texts, surprise,
    # spectrograms (the label aside)
    assert text.count(EVIL) == 2 + 1 + 2 + 3 + 4 + 2 + 4 + 3 + 3
    assert page.labels[0] == EVIL
    assert {"25,000", "0.2500", "91 %", "90 % to 92 %"} <= {part.strip() for part in page.text}
    assert "script" not in page.seen
    assert page.seen.count("svg") == 3


def test_needs_nothing_from_outside(tmp_path):
    write_report(tmp_path / "report.html", full())
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"https?:|//\w|@import|\bsrc=", page)
    assert not re.search(r"url\((?!#)", page)
    assert "prefers-color-scheme: dark" in page
    assert 'name="viewport"' in page


def test_figures_take_the_colours_of_the_page_and_share_no_identifiers(tmp_path):
    write_report(tmp_path / "report.html", full())
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    drawings = "".join(re.findall(r"<svg.*?</svg>", page, re.DOTALL))
    for colour in (plots.INK, plots.MUTED, plots.GRID, plots.PAPER, plots.FIRST, plots.SECOND):
        assert colour not in drawings
    assert {"var(--ink)", "var(--first)", "var(--on-first)"} <= set(
        re.findall(r"var\(--[\w-]+\)", drawings)
    )
    ids = outline(tmp_path / "report.html").ids
    assert len(set(ids)) == len(ids)
    for target in re.findall(r'(?:href="#|url\(#)([^")]+)', drawings):
        assert target in ids


@pytest.mark.slow
def test_every_section_may_be_empty(tmp_path):
    sections = [
        Headline("Results", []),
        Table("Classes", ("Class", "F1"), []),
        Plot("Curves", plots.learning_curves([]), "nothing"),
        Texts("Mistakes", []),
        Spectrograms("Clips", []),
    ]
    write_report(tmp_path / "report.html", Report("Empty", {}, sections))
    text = outline(tmp_path / "report.html").text
    assert text.count("None.") == 4


def test_surprise_shows_every_character_with_its_level_and_nats(tmp_path):
    section = Surprise("Surprise", "  a\n\n<b", [0.1, 0.3, 0.7, 1.0, 2.5, 3.21, 9.0])
    write_report(tmp_path / "report.html", Report("x", {}, [section]))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    (block,) = re.findall(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL)
    spans = re.findall(r'<span class="l(\d)" title="([\d.]+) nats">(.*?)</span>', block, re.DOTALL)
    assert "".join(f'<span class="l{a}" title="{b} nats">{c}</span>' for a, b, c in spans) == block
    assert "".join(shown for *_, shown in spans) == "  a↵\n↵\n&lt;b"
    assert spans[5][:2] == ("5", "3.21")
    assert page.count("--l7:") == 2  # by day and by night


def test_typed_texts_keep_their_spaces(tmp_path):
    sections = [Texts("A", [("a", "x\n  y")], typed=True), Texts("B", [("b", "z")])]
    write_report(tmp_path / "report.html", Report("x", {}, sections))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert '<blockquote dir="auto" class="typed">x\n  y</blockquote>' in page
    assert '<blockquote dir="auto">z</blockquote>' in page


def test_every_line_has_its_own_direction(tmp_path):
    """A browser shows a full stop at the end of its own line, whatever the lines around it."""
    texts = {"Source": "The dog <1>.", "Translation": "הכלב."}
    sections = [Texts("A", [("a", texts)]), Table("B", ["class", "n"], [("כלב (1)", 7)])]
    write_report(tmp_path / "report.html", Report("x", {"data": "הכלב."}, sections))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert (
        '<blockquote dir="auto">Source: <bdi>The dog &lt;1&gt;.</bdi>\n'
        "Translation: <bdi>הכלב.</bdi></blockquote>"
    ) in page
    (rule,) = re.findall(r"blockquote \{.*?\}", page, re.DOTALL)
    assert "unicode-bidi: plaintext" in rule  # lines of one text too
    assert "<bdi>כלב (1)</bdi>" in page
    assert '<dd dir="auto">הכלב.</dd>' in page


def test_text_of_any_kind_can_be_written(tmp_path):
    odd = "nul \0 bell \a lone \ud800 next\x85line \t tab, 好 שלום"
    names = ["好" * 30, "$\\frac{"]
    sections = [
        Texts("Mistakes", [("caption", odd), ("long", "x" * 5000)]),
        Plot("Classes", plots.confusion([[1, 2], [3, 4]], names), "matrix"),
    ]
    write_report(tmp_path / "report.html", Report("Odd", {}, sections))
    text = "".join(outline(tmp_path / "report.html").text)
    assert "nul \ufffd bell \ufffd lone ? next\x85line \t tab, 好 שלום" in text
    assert "x" * 1000 + " …" in text
    assert "x" * 1001 not in text
    assert "好好好好好好…" in text
    assert "$\\frac{" in text


def test_the_same_report_is_the_same_file(tmp_path):
    for name in ("one", "two"):
        write_report(tmp_path / name, full())
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_report_that_fails_leaves_the_old_one(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    with pytest.raises(OSError, match="absent"):
        write_report(tmp_path / "absent" / "report.html", full())
    broken = Report("x", {}, [Texts("Mistakes", [("caption", 7)])])
    with pytest.raises(TypeError):
        write_report(path, broken)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_imports_are_late_and_pyplot_is_never_imported(tmp_path):
    program = """
import sys
import textapps.evaluation.metrics.classification, textapps.evaluation.reports.sections
heavy = {"matplotlib", "sklearn", "scipy", "jinja2", "tensorflow", "keras"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
from textapps.evaluation.reports.report import write_report
assert "matplotlib" not in sys.modules
from pathlib import Path
from textapps.evaluation.reports import plots
from textapps.evaluation.reports.sections import Plot, Report
plot = Plot("Curves", plots.learning_curves([]), "nothing")
write_report(Path(sys.argv[1]), Report("x", {}, [plot]))
assert not {"matplotlib.pyplot", "tensorflow", "keras"} & set(sys.modules)
"""
    subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(tmp_path / "x.html")], check=True
    )


class TestInChromium:
    """Sideways a report never scrolls; its tables do, and show it."""

    @pytest.fixture
    def path(self, tmp_path):
        long = "x" * 200
        report = full()
        sections = [
            Table("Wide", ("Key", *"abcdefgh"), [("k", *["123,456.7890"] * 8)], long),
            Table("Narrow", ("Key", "n"), [("k", "1")]),
            Paragraph(long, long),
            Headline("Figures", [(long, long, long)]),
            Texts("Texts", [(long, long), (long, {long: long})]),
            Texts("Typed", [(long, long)] * 2, typed=True),
            Surprise("Surprise", long, [1.0] * len(long)),
            Spectrograms("Clips", [(long, [[0.0, 1.0], [2.0, 3.0]], 0.5)]),
        ]
        sections += report.sections
        write_report(tmp_path / "report.html", Report(long, {long: long}, sections))
        return tmp_path / "report.html"

    @pytest.mark.parametrize("width", [320, 390, 1280])
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_it_fits_its_window(self, page, path, width, scheme):
        assert_fits(page, path, width, scheme)
        assert page.errors == []

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_a_shadow_lies_where_a_table_goes_on(self, page, path, scheme):
        page.set_viewport_size({"width": 390, "height": 800})
        page.emulate_media(color_scheme=scheme)
        page.goto(path.as_uri())

        def shaded(name):
            """Whether the left and the right edge of a table's box differ from its card."""
            shot = page.get_by_role("region", name=name).screenshot()
            pixels = np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"), np.int32)
            # A row of pixels below the last row of text, where the table has nothing of its own.
            edges, card = pixels[-3, [0, -1]], page.evaluate(CARD)
            return [bool(abs(edge - card).max() > 20) for edge in edges]

        assert shaded("Narrow") == [False, False]
        assert shaded("Wide") == [False, True]
        wide = page.get_by_role("region", name="Wide")
        wide.evaluate("box => { box.scrollLeft = 50; }")
        assert shaded("Wide") == [True, True]
        wide.evaluate("box => { box.scrollLeft = 10_000; }")
        assert shaded("Wide") == [True, False]

    def test_the_keyboard_reaches_every_column(self, page, path):
        page.set_viewport_size({"width": 390, "height": 800})
        page.goto(path.as_uri())
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Wide"
        page.keyboard.press("ArrowRight")
        for _ in range(100):  # it may scroll smoothly
            if page.evaluate("document.activeElement.scrollLeft") > 0:
                break
            page.wait_for_timeout(20)
        else:
            pytest.fail("the table has not moved")
