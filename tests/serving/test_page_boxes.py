"""Boxes of the page that scroll: only content that is really long is cut."""

from typing import Any

import pytest

from tests.serving import browser
from tests.serving.browser import ServedPage, show

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(browser.CHROMIUM is None, reason="there is no chromium"),
]
expect = sync_api.expect
Page = Any  # of an optional package
BOX = 22 * 16  # pixels
# In a box of the page, content of each height in turn → the height of the box each time.
HEIGHTS = """async (heights) => {
    const { element, scroller } = await import("/page/dom.js");
    const content = element("div");
    const box = scroller("Box", { class: "ranking" }, content);
    document.body.append(box);
    const found = [];
    for (const height of heights) {
        content.style.height = `${height}px`;
        for (let frame = 0; frame < 5; frame += 1) await new Promise(requestAnimationFrame);
        found.push(box.clientHeight);
    }
    return found;
}"""


@pytest.mark.parametrize(
    ("content", "box"),
    [
        ([BOX - 52], [BOX - 52]),
        ([420], [420]),  # seen cut in the middle of a line
        ([1.5 * BOX], [1.5 * BOX]),
        ([1.5 * BOX + 2], [BOX]),
        ([10 * BOX], [BOX]),
        ([100, 420, 500, 2000, 4000, 100], [100, 420, 500, BOX, BOX, 100]),  # it grows
    ],
)
def test_what_is_a_little_longer_than_its_box_is_shown_whole(
    page: Page, site: ServedPage, content: list[float], box: list[float]
) -> None:
    page.goto(site.url)
    assert page.evaluate(HEIGHTS, content) == box


def test_a_ranking_is_not_cut_in_the_middle_of_a_line(page: Page, site: ServedPage) -> None:
    panel = show(page, site, "tongues")
    panel.get_by_label("Sentence").fill("a word " * 32)
    panel.get_by_role("button", name="Translate").click()
    ranking = panel.get_by_role("region", name="Ranking")
    expect(ranking).to_have_class("ranking whole")
    client, scroll = ranking.evaluate("(box) => [box.clientHeight, box.scrollHeight]")
    assert BOX < client == scroll


def test_a_text_of_the_usual_length_is_shown_whole(page: Page, site: ServedPage) -> None:
    panel = show(page, site, "tales")
    panel.get_by_label("Length").fill("350")  # 20 lines
    panel.get_by_role("button", name="Generate").click()
    expect(panel.get_by_text("350 characters in")).to_be_visible()
    written = panel.get_by_role("region", name="Generated text")
    client, scroll = written.evaluate("(box) => [box.clientHeight, box.scrollHeight]")
    assert 32 * 16 < client == scroll
