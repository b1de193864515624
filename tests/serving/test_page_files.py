"""Tests of the web page's files: how they are sent, and what they may not hold."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from tests.serving.asking import Asker
from textapps.serving import page

DIRECTORY = Path(page.__file__).with_name("page")
SCRIPTS = sorted(DIRECTORY.glob("*.js"))
TEXTS = sorted(DIRECTORY.iterdir())
INDEX = (DIRECTORY / "index.html").read_text(encoding="utf-8")

# What is read on what, and the contrast that WCAG 2.2 wants of it: text 4.5, edges 3.
CONTRASTS = [
    *[
        (text, ground, 4.5)
        for text in ("ink", "muted")
        for ground in ("paper", "surface", "sunken")
    ],
    *[(text, ground, 4.5) for text in ("accent", "bad", "warn") for ground in ("paper", "surface")],
    *[(text, "sunken", 4.5) for text in ("accent", "bad")],
    ("on-accent", "accent", 4.5),
    ("ink", "for", 4.5),
    ("ink", "against", 4.5),
    *[(mark, "surface", 3.0) for mark in ("edge", "good")],
    ("edge", "paper", 3.0),
]


@pytest.fixture(scope="module")
def ask() -> Asker:
    return Asker(Starlette(routes=page.page_routes()))


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/page/base.css", "text/css; charset=utf-8"),
        ("/page/main.js", "text/javascript; charset=utf-8"),
        ("/page/icon.svg", "image/svg+xml"),
    ],
)
def test_a_file_is_sent_whole_and_then_only_if_it_changed(
    ask: Asker, path: str, content_type: str
) -> None:
    response = ask("GET", path)
    name = "index.html" if path == "/" else path.removeprefix("/page/")
    assert response.content == (DIRECTORY / name).read_bytes()
    assert response.headers["content-type"] == content_type
    tag = response.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}'):
        again = ask("GET", path, headers={"if-none-match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    assert ask("GET", path, headers={"if-none-match": '"other"'}).status_code == 200


def test_files_have_tags_of_their_own(ask: Asker) -> None:
    routes = [route for route in page.page_routes() if isinstance(route, Route)]
    assert len(routes) == len(TEXTS)
    assert len({ask("GET", route.path).headers["etag"] for route in routes}) == len(routes)


def test_the_policy_allows_this_server_only(ask: Asker) -> None:
    headers = ask("GET", "/").headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert set(policy.values()) <= {"'none'", "'self'", "blob:"}
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-cache"


def test_nothing_is_inline_in_the_document() -> None:
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", INDEX)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_nothing_comes_from_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"\b(https?|wss?)://|[\"'(]//|@import", text)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_text_never_becomes_markup_or_code(path: Path) -> None:
    forbidden = (
        r"innerHTML|outerHTML|insertAdjacentHTML|setHTML|srcdoc|document\.write"
        r"|createContextualFragment|DOMParser|\beval\b|new Function"
    )
    assert not re.search(forbidden, path.read_text(encoding="utf-8"))


def test_every_file_that_is_named_exists_and_is_named() -> None:
    named = set(re.findall(r'(?:href|src)="page/([^"]+)"', INDEX))
    for script in SCRIPTS:
        text = script.read_text(encoding="utf-8")
        named |= {a or b for a, b in re.findall(r'from "\./([^"]+)"|new URL\("([^"]+\.js)"', text)}
    assert named | {"index.html"} == {path.name for path in TEXTS}


@pytest.mark.parametrize(("text", "ground", "least"), CONTRASTS)
@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_contrast(text: str, ground: str, least: float, theme: int) -> None:
    assert _contrast(_palette(theme)[text], _palette(theme)[ground]) >= least


def test_contrast_is_measured_as_the_guidelines_do() -> None:
    assert _contrast("#000000", "#ffffff") == pytest.approx(21)
    assert _contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def _palette(theme: int) -> dict[str, str]:
    css = (DIRECTORY / "base.css").read_text(encoding="utf-8")
    pairs = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", css)
    return {name: colours[theme] for name, *colours in pairs}


def _contrast(one: str, other: str) -> float:
    darker, lighter = sorted(_luminance(colour) for colour in (one, other))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    shares = [int(colour[a:b], 16) / 255 for a, b in pairwise((1, 3, 5, 7))]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return sum(w * value for w, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
