"""What the page does around an answer: comparing, history, links, code, times."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.serving import browser, models
from tests.serving.asking import Built
from tests.serving.browser import ServedPage, look, predictions, show

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(browser.CHROMIUM is None, reason="there is no chromium"),
]
expect = sync_api.expect
Page = Any  # of an optional package

ARABIC = "فيلم bad جدا"


def classify(panel: Any, text: str) -> None:
    panel.get_by_label("Text").fill(text)
    panel.get_by_role("button", name="Classify").click()


def test_the_time_of_the_server_stands_beside_the_round_trip(page: Page, site: ServedPage) -> None:
    panel = show(page, site, "opinions")
    classify(panel, "good")
    took = panel.locator(".took").first
    expect(took).to_have_text(re.compile(r"^[\d.]+ m?s, server [\d.]+ m?s$"))


def test_two_models_side_by_side(page: Page, site: ServedPage) -> None:
    site.publish("critics", 1, "classifier")
    try:
        asked = predictions(page)
        panel = show(page, site, "opinions")
        rivals = panel.get_by_role("combobox", name="Compare with")
        expect(rivals.locator("option")).to_have_text(["nothing else", "critics, version 1"])
        rivals.select_option("critics, version 1")
        classify(panel, "good")
        sides = panel.get_by_role("article")
        expect(sides).to_have_count(2)
        expect(sides.locator("h3").first).to_have_text(re.compile("^opinions, version"))
        expect(sides.locator(".verdict")).to_have_text(["good 66.7 %", "good 66.7 %"])
        expect(sides.locator(".took")).to_have_text([re.compile("server")] * 2)
        assert [one["instances"] for one in asked] == [[{"text": "good"}]] * 2
        page.route(
            "**/critics:predict", lambda route: route.fulfill(status=400, json={"error": "no"})
        )
        classify(panel, "bad")
        expect(sides.nth(0).locator(".verdict")).to_have_text("bad 66.7 %")
        expect(sides.nth(1).locator(".error")).to_have_text("no")
    finally:
        site.remove("critics")
    look(page)
    expect(rivals).to_be_hidden()
    classify(panel, "good good")
    expect(sides).to_have_count(0)


def test_two_versions_side_by_side(
    page: Page, site: ServedPage, tmp_path: Path, built: Built
) -> None:
    with ServedPage(tmp_path / "models", built, {"echo": "lengths"}, versions=2) as served:
        served.publish("echo", 2, "lengths", 10)
        opened = page.context.browser.new_context().new_page()
        panel = show(opened, served, "echo")
        panel.get_by_role("combobox", name="Compare with").select_option("echo, version 1")
        panel.get_by_role("button", name="Send").click()
        answers = panel.get_by_role("region", name="Response")
        expect(answers).to_have_text(['{"predictions": [14]}', '{"predictions": [4]}'])
        opened.context.close()


def test_the_history_is_kept_over_a_reload_and_can_be_deleted(page: Page, site: ServedPage) -> None:
    panel = show(page, site, "opinions")
    history = panel.locator("details.tool", has_text="History")
    expect(history).to_be_hidden()
    classify(panel, "bad")
    expect(panel.locator(".verdict")).to_have_text("bad 66.7 %")
    classify(panel, ARABIC)
    expect(history.locator("summary")).to_have_text("History 2")
    page.reload()
    history.locator("summary").click()
    expect(history.locator(".asked")).to_have_text([ARABIC, "bad"])
    expect(history.locator(".answered")).to_have_text(["bad, 66.7 %", "bad, 66.7 %"])
    expect(panel.get_by_label("Text")).to_have_value("")
    history.get_by_role("button").nth(2).click()  # each is followed by its deletion
    expect(panel.get_by_label("Text")).to_have_value("bad")
    expect(panel.locator(".verdict")).to_have_text("bad 66.7 %")
    expect(history.locator("summary")).to_have_text("History 3")
    expect(history.locator(".again").first).to_be_focused()
    history.get_by_role("button", name="Delete number 2 from the history").click()
    expect(history.locator(".asked")).to_have_text(["bad", "bad"])
    page.get_by_role("link", name="tongues").click()
    other = page.get_by_role("region", name="tongues", exact=True)
    expect(other.locator("details.tool", has_text="History")).to_be_hidden()
    page.get_by_role("link", name="opinions").click()
    history.get_by_role("button", name="Delete all").click()
    expect(history).to_be_hidden()
    page.reload()
    expect(panel.get_by_label("Text")).to_be_visible()
    expect(history).to_be_hidden()


def test_a_link_carries_the_input_and_no_server_sees_it(page: Page, site: ServedPage) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    panel = show(page, site, "opinions")
    text = f"Good & bad? #1 + {ARABIC}\n100 %"
    classify(panel, text)
    panel.get_by_role("button", name="Copy a link to this input").click()
    expect(panel.get_by_role("button", name="Copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link.startswith(f"{site.url}/#opinions?text=")
    asked = predictions(page)
    page.goto("about:blank")
    page.goto(link)
    expect(panel.get_by_label("Text")).to_have_value(text)
    assert asked == []  # a link does not ask by itself
    assert not [url for url in seen if "text=" in url.partition("#")[0]]
    page.goto(f"{site.url}/#tales?seed=Once&length=7&temperature=0.5&top_k=3&random_seed=12&x=1")
    tales = page.get_by_role("region", name="tales", exact=True)
    with page.expect_request("**/tales:stream") as streamed:
        tales.get_by_role("button", name="Generate").click()
    body = streamed.value.post_data_json
    given = ["seed", "length", "temperature", "top_k", "random_seed"]
    assert [body[key] for key in given] == ["Once", 7, 0.5, 3, 12]
    raw = {"signature_name": "score", "instances": ["abc"]}
    page.goto(f"{site.url}/#tales?body={json.dumps(raw)}")
    expect(tales.get_by_label("Signature")).to_have_value("score")
    tales.get_by_role("button", name="Send").click()
    expect(tales.get_by_label("Response")).to_contain_text('"characters": 3')


def shown_code(page: Page, panel: Any, language: str, request: str | None = None) -> str:
    """What the copy button copies."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    box = panel.locator(".codebox").first
    if not box.get_by_role("region", name="Code").is_visible():
        box.locator("summary").click()
    box.get_by_role("button", name=language, exact=True).click()
    if request:
        box.get_by_role("combobox", name="Request").select_option(request)
    box.get_by_role("button", name="Copy").click()
    expect(box.get_by_role("button", name="Copied")).to_be_visible()
    return str(page.evaluate("navigator.clipboard.readText()"))


def run_code(code: str, language: str, **options: Any) -> str:
    command = {
        "curl": ["bash", "-c", code.replace("curl ", "curl --silent --fail ", 1)],
        "Python": [sys.executable, "-I", "-W", "error", "-c", code],
    }[language]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


ODD = 'It\'s "good" \\ $HOME `x` %s\tbad bad\n' + ARABIC


def test_the_code_runs_when_it_is_pasted(page: Page, site: ServedPage) -> None:
    panel = show(page, site, "opinions")
    classify(panel, ODD)
    expect(panel.locator(".verdict")).to_be_visible()
    expected = [{"label": "bad", "probability": 0.8, "scores": [0.8, 0.2]}]
    for language in ("curl", "Python"):
        said = run_code(shown_code(page, panel, language), language)
        assert json.loads(said.replace("'", '"'))["predictions"] == expected
    body = shown_code(page, panel, "JavaScript")
    answered = page.evaluate(f"async () => {{ {body.replace('console.log(', 'return (')} }}")
    assert answered["predictions"] == expected


def test_the_code_of_a_stream_runs_too(page: Page, site: ServedPage) -> None:
    panel = show(page, site, "tales")
    panel.get_by_label("Seed", exact=True).fill(ODD)
    panel.get_by_label("Length").fill("60")
    panel.get_by_text("More options").click()
    panel.get_by_label("Random seed").fill("5")
    panel.get_by_role("button", name="Generate").click()
    expect(panel.locator(".written")).not_to_have_attribute("aria-busy", "true")
    text = models.continued(ODD, 60, random_seed=5)
    assert run_code(shown_code(page, panel, "Python", "streamed"), "Python") == text
    events = run_code(shown_code(page, panel, "curl", "streamed"), "curl")
    pieces = re.findall(r'^data: (\{"text".*)$', events, re.MULTILINE)
    assert "".join(json.loads(piece)["text"] for piece in pieces) == text
    whole = run_code(shown_code(page, panel, "curl", "in one piece"), "curl")
    assert json.loads(whole) == {"predictions": [text]}
    script = shown_code(page, panel, "JavaScript", "streamed")
    written = "const pieces = [], process = { stdout: { write: (text) => pieces.push(text) } };"
    assert page.evaluate(f"async () => {{ {written} {script}; return pieces.join(''); }}") == text
    broken = """const fetch = async () => new Response(
        'data: {"text": "a"}\\n\\nevent: error\\ndata: {"error": "too slow"}\\n\\n'
    );"""
    with pytest.raises(sync_api.Error, match="too slow"):
        page.evaluate(f"async () => {{ {written} {broken} {script}; }}")


def test_the_code_of_a_clip_reads_the_file(page: Page, site: ServedPage, tmp_path: Path) -> None:
    panel = show(page, site, "words")
    panel.locator("input[type=file]").set_input_files(browser.tone(tmp_path / "t.wav", 16_000))
    expect(panel.locator(".verdict")).to_be_visible()
    with page.expect_download() as download:
        panel.get_by_role("link", name="Download clip.wav").click()
    download.value.save_as(tmp_path / "clip.wav")
    label = models.COMMANDS[(tmp_path / "clip.wav").stat().st_size % 3]
    for language in ("curl", "Python"):
        said = run_code(shown_code(page, panel, language), language, cwd=tmp_path)
        assert label in said


def test_the_code_for_a_locked_server_names_the_variable_and_not_the_token(
    page: Page, tmp_path: Path, built: Built
) -> None:
    served = {"opinions": "classifier"}
    with ServedPage(tmp_path / "models", built, served, "s3cret-token") as locked:
        opened = page.context.browser.new_context().new_page()
        opened.goto(f"{locked.url}/#opinions")
        opened.get_by_label("This server requires a token").fill("s3cret-token")
        opened.get_by_role("button", name="Unlock").click()
        panel = opened.get_by_role("region", name="opinions", exact=True)
        classify(panel, "good")
        expect(panel.locator(".verdict")).to_be_visible()
        for language in ("curl", "Python"):
            code = shown_code(opened, panel, language)
            assert "s3cret-token" not in code
            env = {"TEXTAPPS_SERVE_TOKEN": "s3cret-token", "PATH": "/usr/bin:/bin"}
            assert "good" in run_code(code, language, env=env)
        opened.context.close()


def test_nan_and_infinity_are_sent_and_shown(page: Page, site: ServedPage) -> None:
    panel = show(page, site, "sums")
    request = panel.get_by_label("Request")
    row = '{"ids": [1, 2], "weights": [NaN, -Infinity, 0]}'
    request.fill(f'{{"instances": [{row}]}}')
    with page.expect_request("**/sums:predict") as sent:
        panel.get_by_role("button", name="Send").click()
    assert sent.value.post_data == f'{{"instances": [{row}]}}'
    expect(panel.get_by_label("Response")).to_contain_text('"total": NaN')
    request.fill('{"signature_name": "whole", "inputs": -Infinity}')
    panel.get_by_role("button", name="Send").click()
    expect(panel.get_by_label("Response")).to_have_text('{"outputs": Infinity}')


def test_scores_that_are_no_numbers(page: Page, site: ServedPage) -> None:
    body = '{"predictions": [{"label": "bad", "probability": NaN, "scores": [NaN, 0.5]}]}'
    page.route("**:predict", lambda route: route.fulfill(body=body))
    panel = show(page, site, "opinions")
    classify(panel, "x")
    expect(panel.locator(".verdict")).to_have_text("bad –")
    expect(panel.locator(".bars li")).to_have_text(["good50.0 %", "bad–"])


def test_json_survives(page: Page, site: ServedPage) -> None:
    """Against values written by Python, whose JSON has NaN and large whole numbers too."""
    page.goto(site.url)
    values = [
        float("nan"),
        float("inf"),
        -float("inf"),
        2**63,
        -(10**20),
        0.5,
        'NaN "\\" 12',
        10**15,
    ]
    read = page.evaluate(
        """async (text) => {
            const { parse, pretty } = await import("/page/json.js");
            return pretty(parse(text, { exact: true }));
        }""",
        json.dumps({"a": values, "NaN": [[]]}),
    )
    np.testing.assert_equal(json.loads(read), {"a": values, "NaN": [[]]})


def test_directions_follow_the_text(page: Page, site: ServedPage) -> None:
    panel = show(page, site, "opinions")
    classify(panel, ARABIC)
    expect(panel.locator(".words")).to_be_visible()
    direction = "(one) => getComputedStyle(one).direction"
    assert panel.get_by_label("Text").evaluate(direction) == "rtl"
    assert panel.locator(".words").evaluate(direction) == "rtl"
    assert panel.locator(".bars").evaluate(direction) == "ltr"
    classify(panel, "good")
    expect(panel.locator(".verdict")).to_have_text("good 66.7 %")
    assert panel.get_by_label("Text").evaluate(direction) == "ltr"


def test_long_texts_scroll_in_a_box(page: Page, site: ServedPage) -> None:
    panel = show(page, site, "opinions")
    classify(panel, "so bad\n" * 300)
    words = panel.get_by_role("listbox", name="Coloured words")
    expect(words).to_be_visible()
    scrolls = "(one) => one.scrollHeight > one.clientHeight && one.clientHeight < 500"
    assert words.evaluate(scrolls)
    words.focus()
    page.keyboard.press("End")
    page.wait_for_function("(one) => one.scrollTop > 0", arg=words.element_handle())


def test_one_family_of_type(page: Page, site: ServedPage) -> None:
    panel = show(page, site, "tongues")
    panel.get_by_label("Sentence").fill("Ein Haus")
    panel.get_by_role("button", name="Translate").click()
    expect(panel.locator(".best")).to_be_visible()
    families = page.evaluate(
        """() => [...document.querySelectorAll("body *")]
            .filter((one) => one.checkVisibility() && !one.closest("pre, code, .code, .tensors"))
            .map((one) => getComputedStyle(one).fontFamily)"""
    )
    assert len(set(families)) == 1


def test_a_recording_stops_at_its_limit_and_can_be_left(page: Page, site: ServedPage) -> None:
    asked = predictions(page)
    panel = show(page, site, "words")
    record = panel.get_by_role("button", name="Record")
    record.click()
    dialog = panel.get_by_role("dialog", name="Recording")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(record).to_be_focused()
    assert asked == []
    record.click()
    expect(dialog.get_by_role("timer")).to_have_text(re.compile(r"^0\.[3-9] s of 10 s$"))
    page.evaluate(
        "const now = performance.now.bind(performance); performance.now = () => now() + 9800"
    )
    expect(panel.locator(".verdict")).to_be_visible()
    expect(dialog).to_be_hidden()
    assert len(asked) == 1


def test_a_clip_from_the_data_is_one_click(page: Page, site: ServedPage, tmp_path: Path) -> None:
    clip = browser.encoded(browser.tone(tmp_path / "t.wav", 8_000))
    example = {"inputs": {"audio_bytes": {"b64": clip}}, "expected": {"label": "yes"}}
    told = {"labels": models.COMMANDS, "sample_rate_hz": 16_000, "examples": [example]}
    page.route("**/manifest", lambda route: route.fulfill(json=told))
    asked = predictions(page)
    panel = show(page, site, "words")
    panel.get_by_role("group", name="Examples").get_by_role("button", name="yes").click()
    expect(panel.locator(".verdict")).to_be_visible()
    expect(panel.get_by_text("1.00 s", exact=True).first).to_be_visible()
    assert len(asked) == 1
    page.reload()
    panel.locator("details.tool", has_text="History").locator("summary").click()
    panel.get_by_role("button", name=re.compile("Recording of 1.00 s")).first.click()
    expect(panel.locator(".verdict")).to_be_visible()
    assert len(asked) == 2
