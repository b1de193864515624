"""Tests of the web page in headless Chromium, against the real application and tiny models."""

import base64
import io
import json
import re
import shutil
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.serving import browser, models
from tests.serving.asking import Built
from tests.serving.browser import SERVED, TONE_HZ, ServedPage, look, predictions, show
from textapps.decoding.config import DecodingConfig, option_schemas

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(browser.CHROMIUM is None, reason="there is no chromium")
expect = sync_api.expect
Page = Any  # of an optional package

TOKEN = "s3cret-token"
MARKUP = "<img src=x onerror=\"document.title='run'\">"


def test_there_is_a_panel_for_each_model_that_its_signatures_ask_for(
    page: Page, site: ServedPage
) -> None:
    kinds = {
        "echo": "Model",
        "opinions": "Text classifier",
        "sums": "Model",
        "tales": "Text generator",
        "tongues": "Translator",
        "words": "Speech recogniser",
    }
    assert kinds.keys() == SERVED.keys()
    page.goto(site.url)
    links = page.get_by_role("navigation").get_by_role("link")
    expect(links).to_have_count(len(kinds))
    expect(page.get_by_role("region", name="echo")).to_be_visible()
    for name, kind in kinds.items():
        page.get_by_role("link", name=name).click()
        panel = page.get_by_role("region", name=name, exact=True)
        expect(panel.locator(".kind")).to_have_text(kind)
        expect(page.locator("section.panel:visible")).to_have_count(1)
        expect(page.locator("[aria-current]")).to_contain_text(name)
        expect(page).to_have_title(f"{name} – textapps")
        expect(panel.locator(".versions")).to_have_text(re.compile(r"^Version \d serving"))


def test_a_text_its_label_and_the_words_that_carried_it(page: Page, site: ServedPage) -> None:
    asked = predictions(page, explained=True)
    panel = show(page, site, "opinions")
    panel.get_by_label("Text").fill("größe good film bad bad.\nbad")
    panel.get_by_label("Text").press("Control+Enter")
    # The model sees the words between spaces: "bad", not "bad.".
    expect(panel.locator(".verdict")).to_have_text("bad 60.0 %")
    expect(panel.get_by_role("status").first).to_have_text("bad, 60.0 %")
    rows = panel.locator(".bars li")
    expect(rows).to_have_text(["bad60.0 %", "good40.0 %"])
    expect(panel.locator(".words")).to_have_text("größe good film bad bad.\nbad")
    expect(panel.locator(".words .against")).to_have_text(["good"])
    expect(panel.locator(".words .for")).to_have_text(["bad", "bad"])
    named = (
        "Largest shares of all that the words add and take away: good −33 %, bad +33 %, bad +33 %."
    )
    expect(panel.get_by_text(named)).to_be_visible()
    assert [each.get("signature_name") for each in asked] == ["serving_default", "explain"]
    assert asked[1]["instances"] == [{"text": "größe good film bad bad.\nbad", "label": ""}]


def test_shares_of_words_by_mouse_and_by_keyboard(page: Page, site: ServedPage) -> None:
    panel = show(page, site, "opinions")
    panel.get_by_label("Text").fill("a bad film")
    panel.get_by_role("button", name="Classify").click()
    words, told = panel.locator(".words [role=option]"), panel.locator(".teller")
    expect(told).to_contain_text("Point at a word")
    words.nth(1).hover()
    expect(told).to_have_text("bad +100 %")
    expect(words.nth(1)).to_have_attribute("aria-selected", "true")
    words.nth(0).focus()
    page.keyboard.press("ArrowRight")
    expect(words.nth(1)).to_be_focused()
    page.keyboard.press("End")
    expect(told).to_have_text("film 0.0 %")
    page.keyboard.press("ArrowRight")
    expect(words.nth(2)).to_be_focused()
    expect(panel.locator(".words [tabindex='0']")).to_have_count(1)


def test_an_export_without_explain_has_no_such_part(page: Page, site: ServedPage) -> None:
    """As exports were before."""

    def without(route: Any) -> None:
        answer = route.fetch().json()
        answer["metadata"]["signature_def"]["signature_def"].pop("explain", None)
        route.fulfill(json=answer)

    asked = predictions(page)
    page.route("**/metadata", without)
    panel = show(page, site, "opinions")
    panel.get_by_label("Text").fill("a bad film")
    panel.get_by_role("button", name="Classify").click()
    expect(panel.locator(".verdict")).to_have_text("bad 66.7 %")
    expect(panel.locator(".took").first).to_contain_text("ms")
    assert len(asked) == 1
    expect(panel.locator(".carried *")).to_have_count(0)


def test_an_example_is_one_click(page: Page, site: ServedPage) -> None:
    panel = show(page, site, "opinions")
    examples = panel.get_by_role("group", name="Examples").get_by_role("button")
    expect(examples).to_have_count(7)
    expect(panel.get_by_text("Examples from toy (validation split)")).to_be_visible()
    examples.nth(1).click()
    expect(panel.locator(".words")).to_have_text("A good film.")
    expect(panel.locator(".verdict")).to_have_text("good 66.7 %")
    panel.get_by_role("button", name="More examples").click()
    expect(examples).to_have_text(
        ["badA very very very bad film.", "goodA very very very good film.", "More examples"]
    )


def test_an_export_without_examples_shows_none(page: Page, site: ServedPage) -> None:
    """As exports were before."""
    panel = show(page, site, "tongues")
    expect(panel.get_by_label("Sentence")).to_have_value("")
    expect(panel.get_by_text("Examples")).to_have_count(0)
    expect(panel.locator(".facts")).to_have_count(0)


def test_data_date_and_figure_stand_under_the_name(page: Page, site: ServedPage) -> None:
    panel = show(page, site, "opinions")
    facts = "trained on toyexported 9 Jul 2026Accuracy 81.3 % (test split)"
    expect(panel.locator(".facts")).to_have_text(facts)
    expect(page.get_by_role("link", name="opinions")).to_contain_text("Accuracy 81.3 %")
    page.get_by_role("link", name="tales").click()
    expect(page.get_by_role("region", name="tales", exact=True)).to_be_visible()


def test_an_export_of_a_run_that_was_not_evaluated_says_so(page: Page, site: ServedPage) -> None:
    for name, count in {"tongues": 1, "opinions": 0, "echo": 0}.items():  # echo is no export
        panel = show(page, site, name)
        expect(panel.get_by_role("heading", name="Signatures")).to_be_visible()
        expect(panel.get_by_text("Not evaluated")).to_have_count(count)


def test_a_label_without_a_word(page: Page, site: ServedPage) -> None:
    panel = show(page, site, "opinions")
    panel.get_by_label("Text").fill("so so")
    panel.get_by_role("button", name="Classify").click()
    expect(panel.locator(".took").first).to_contain_text("ms")
    expect(panel.locator(".words")).to_have_count(0)


def test_a_choice_that_is_folded_away_is_shown_where_it_is_wrong(
    page: Page, site: ServedPage
) -> None:
    panel = show(page, site, "tales")
    panel.get_by_text("More options").click()
    panel.get_by_label("Random seed").fill("")
    panel.get_by_text("More options").click()
    expect(panel.get_by_label("Random seed")).to_be_hidden()
    panel.get_by_role("button", name="Generate").click()
    expect(panel.get_by_label("Random seed")).to_be_visible()


def test_markup_is_shown_and_never_made(page: Page, site: ServedPage) -> None:
    scores = [0.25, 0.75]
    answer = {"label": MARKUP, "probability": 0.75, "scores": scores}

    marked = f"{MARKUP} & <b>more</b>"
    explained = {
        "label": MARKUP,
        "tokens": [MARKUP],
        "begins": [0],
        "ends": [len(MARKUP)],
        "attributions": [1.0],
    }

    def predict(route: Any) -> None:
        why = route.request.post_data_json["signature_name"] == "explain"
        route.fulfill(json={"predictions": [explained if why else answer]})

    example = {"inputs": {"text": MARKUP}, "expected": {"label": MARKUP}}
    told = {"labels": ["b", MARKUP], "data": MARKUP, "exported": MARKUP, "examples": [example]}
    page.route("**/manifest", lambda route: route.fulfill(json=told))
    page.route("**:predict", predict)
    panel = show(page, site, "opinions")
    panel.get_by_label("Text").fill(marked)
    panel.get_by_role("button", name="Classify").click()
    expect(panel.locator(".verdict strong")).to_have_text(MARKUP)
    expect(panel.locator(".bar-label").first).to_have_text(MARKUP)
    expect(panel.locator(".words")).to_have_text(marked)
    assert page.locator("main img, main b:text-is('more')").count() == 0
    expect(page).to_have_title("opinions – textapps")


def test_a_text_streams_in(page: Page, site: ServedPage) -> None:
    panel = show(page, site, "tales")
    panel.get_by_label("Seed", exact=True).fill("Once\n")
    panel.get_by_label("Length").fill("200")
    panel.get_by_label("Temperature").fill("0")
    panel.get_by_text("More options").click()
    panel.get_by_label("Top k").fill("7")
    panel.get_by_label("Top p").fill("0.5")
    panel.get_by_label("Repetition penalty").fill("1.25")
    panel.get_by_label("Random seed").fill("12")
    with page.expect_request("**/tales:stream") as asked:
        panel.get_by_role("button", name="Generate").click()
    assert asked.value.post_data_json == {
        "seed": "Once\n",
        "length": 200,
        "temperature": 0,
        "top_k": 7,
        "top_p": 0.5,
        "repetition_penalty": 1.25,
        "random_seed": 12,
    }
    expect(panel.locator(".took").first).to_have_text(re.compile("^200 characters in"))
    written = panel.locator(".written")
    text = "Once\n" + models.continued("Once\n", 200, random_seed=12)
    assert written.text_content() == text
    assert panel.get_by_role("status").first.text_content() == text
    expect(written).not_to_have_attribute("aria-busy", "true")


def test_the_controls_are_what_the_export_says(page: Page, site: ServedPage) -> None:
    options = option_schemas(DecodingConfig(length=7, temperature=2.5, repetition_penalty=1.5))
    page.route("**/manifest", lambda route: route.fulfill(json={"options": options}))
    panel = show(page, site, "tales")
    panel.get_by_text("More options").click()
    sliders = panel.get_by_role("slider")
    names = ("Length", "Temperature", "Top k", "Top p", "Min p", "Repetition penalty")
    expect(sliders).to_have_count(len(names))
    found = {name: panel.get_by_label(name, exact=True) for name in names}
    ends = [(each.get_attribute("min"), each.get_attribute("max")) for each in found.values()]
    assert ends == [
        ("1", "3000"),
        ("0", "2.5"),  # room for the default
        ("0", "100"),
        ("0.01", "1"),
        ("0", "1"),
        ("1", "2"),
    ]
    texts = [each.get_attribute("aria-valuetext") for each in found.values()]
    assert texts == ["7", "2.50", "off", "off", "off", "1.50"]
    expect(panel.get_by_text(options["min_p"]["description"])).to_be_visible()
    found["Min p"].fill("0.3")
    with page.expect_request("**/tales:stream") as asked:
        panel.get_by_role("button", name="Generate").click()
    assert asked.value.post_data_json["min_p"] == 0.3


def test_each_text_has_another_seed_unless_one_is_chosen(page: Page, site: ServedPage) -> None:
    panel = show(page, site, "tales")
    seeds = []
    for _ in range(3):
        with page.expect_request("**/tales:stream") as asked:
            panel.get_by_role("button", name="Generate").click()
        seeds.append(asked.value.post_data_json["random_seed"])
    assert len(set(seeds)) == 3
    assert panel.get_by_label("Random seed").input_value() == str(seeds[-1])


@pytest.mark.parametrize("by", ["button", "key"])
def test_a_stream_can_be_stopped(page: Page, site: ServedPage, by: str) -> None:
    panel = show(page, site, "tales")
    panel.get_by_label("Length").fill("3000")
    stop = panel.get_by_role("button", name="Stop")
    expect(stop).to_be_hidden()
    site.pause_seconds = 0.05
    try:
        panel.get_by_role("button", name="Generate").click()
        expect(panel.locator(".written")).to_contain_text("xyz")
        expect(panel.locator(".written")).to_have_attribute("aria-busy", "true")
        if by == "button":
            stop.click()
        else:
            panel.get_by_label("Length").press("Escape")
        expect(panel.locator(".took").first).to_have_text(
            re.compile(r"^stopped after \d+ characters")
        )
    finally:
        site.pause_seconds = 0.0
    expect(stop).to_be_hidden()
    written = panel.locator(".written").text_content()
    assert 0 < len(written) < 3000
    seed = int(panel.get_by_label("Random seed").input_value())
    assert written == models.continued("", len(written), seed % len(models.ALPHABET))


def test_an_error_on_the_way_is_said(page: Page, site: ServedPage) -> None:
    texts = 'data: {"text": "so f"}\n\ndata: {"text": "ar"}\n\n'
    error = 'event: error\ndata: {"error": "gone"}\n\n'
    answer = {"body": texts + error, "content_type": "text/event-stream"}
    page.route("**/tales:stream", lambda route: route.fulfill(**answer))
    panel = show(page, site, "tales")
    panel.get_by_role("button", name="Generate").click()
    expect(panel.get_by_role("alert").first).to_have_text("gone")
    expect(panel.locator(".written")).to_have_text("so far")


def test_translations_as_ranked(page: Page, site: ServedPage) -> None:
    panel = show(page, site, "tongues")
    panel.get_by_label("Sentence").fill("Ein Haus")
    panel.get_by_label("Sentence").press("Control+Enter")
    expect(panel.locator(".best")).to_have_text("EIN HAUS")
    expect(panel.locator(".ranked .text")).to_have_text(["EIN HAUS", "Ein Haus", "ein haus"])
    expect(panel.locator(".ranked .score")).to_have_text(["−8.00", "−16.00", "−24.00"])


def test_attention_by_mouse_and_by_keyboard(page: Page, site: ServedPage) -> None:
    asked = predictions(page, explained=True)
    panel = show(page, site, "tongues")
    panel.get_by_label("Sentence").fill("Ein kleines Haus")
    panel.get_by_label("Sentence").press("Control+Enter")
    target = panel.get_by_role("listbox", name="Translation").get_by_role("option")
    source = panel.get_by_role("listbox", name="Sentence").get_by_role("option")
    expect(target).to_have_text([" EIN", " KLEINES", " HAUS", "∎"])
    expect(source).to_have_text([" Ein", " kleines", " Haus", "∎"])
    told = panel.locator(".teller")
    expect(told).to_contain_text("Point at a piece")
    assert asked[-1]["instances"] == [
        {"source": "Ein kleines Haus", "translation": "EIN KLEINES HAUS"}
    ]
    target.nth(1).hover()
    expect(source.locator("xpath=self::*[contains(@class, 'for')]")).to_have_text([" kleines", "∎"])
    expect(told).to_have_text(
        "KLEINES looks at kleines 75.0 %, the end of the sentence 25.0 %, Ein 0.0 %"
    )
    source.nth(0).focus()
    expect(told).to_contain_text("Ein is looked at by EIN 75.0 %")
    page.keyboard.press("End")
    expect(told).to_contain_text(
        "the end of the sentence is looked at by the end of the sentence 100.0 %"
    )


def test_surprise_and_connections_of_characters(page: Page, site: ServedPage) -> None:
    panel = show(page, site, "tales")
    panel.get_by_label("Seed", exact=True).fill("Abc\n")
    panel.get_by_label("Length").fill("5")
    panel.get_by_role("button", name="Generate").click()
    panel.get_by_role("button", name="Show surprise and connections").click()
    characters = panel.get_by_role("listbox", name="Characters").get_by_role("option")
    expect(characters).to_have_count(9)
    expect(panel.locator(".words .against")).to_have_count(8)
    characters.nth(2).hover()
    expect(panel.locator(".words .for")).to_have_text(["A", "b"])
    told = panel.locator(".teller")
    expect(told).to_have_text("c: probability 50.0 %, hangs most on b")
    characters.nth(0).focus()
    page.keyboard.press("ArrowRight")
    expect(told).to_have_text("b: probability 50.0 %, hangs most on A")


def test_the_sounds_that_determined_a_command(page: Page, site: ServedPage, tmp_path: Path) -> None:
    panel = show(page, site, "words")
    file = browser.tone(tmp_path / "tone.wav", 16_000, seconds=0.4)
    panel.locator("input[type=file]").set_input_files(file)
    figure = panel.locator(".mattered")
    expect(figure.get_by_role("img", name="Spectrogram")).to_be_visible()
    places = {
        kind: [figure.locator(f"rect.{kind}").get_attribute(name) for name in ("x", "y", "width")]
        for kind in ("for", "against")
    }
    assert places == {"for": ["0.00", "50.00", "25.00"], "against": ["25.00", "0.00", "25.00"]}
    told = "The largest effect: 0.00 to 0.10 s, 0 to 4000 Hz."
    expect(panel.get_by_text(told)).to_be_visible()


def test_a_sound_file_is_sent_as_16_khz_mono(page: Page, site: ServedPage, tmp_path: Path) -> None:
    asked = predictions(page)
    panel = show(page, site, "words")
    file = browser.tone(tmp_path / "stereo.wav", 44_100, channels=2, seconds=0.5)
    panel.locator("input[type=file]").set_input_files(file)
    expect(panel.locator(".verdict")).to_be_visible()
    (clip,) = asked[0]["instances"]
    sent = base64.b64decode(clip["audio_bytes"]["b64"], validate=True)
    label = models.COMMANDS[len(sent) % 3]
    expect(panel.locator(".verdict")).to_have_text(f"{label} 100.0 %")
    expect(panel.locator(".bars li").first).to_have_text(f"{label}100.0 %")
    samples = _samples(sent)
    assert len(samples) == pytest.approx(8000, abs=2)
    assert _loudest_hz(samples) == pytest.approx(TONE_HZ, abs=4)
    assert np.abs(samples).max() == pytest.approx(8_000, rel=0.02)  # the mean of two channels
    heard = panel.locator(".clip")
    expect(heard.get_by_text("0.50 s", exact=True)).to_be_visible()
    expect(heard.get_by_role("img", name="Waveform")).to_be_visible()
    assert _brightest_hz(heard) == pytest.approx(TONE_HZ, abs=40)


def test_a_file_can_be_dropped(page: Page, site: ServedPage, tmp_path: Path) -> None:
    panel = show(page, site, "words")
    content = base64.b64encode(browser.tone(tmp_path / "tone.wav", 16_000).read_bytes()).decode()
    panel.locator(".drop").evaluate(
        """(zone, content) => {
            const dataTransfer = new DataTransfer();
            const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
            dataTransfer.items.add(new File([bytes], "tone.wav"));
            for (const type of ["dragover", "drop"]) {
                zone.dispatchEvent(new DragEvent(type, { dataTransfer, cancelable: true }));
            }
        }""",
        content,
    )
    expect(panel.locator(".verdict")).to_be_visible()


def test_what_is_no_sound_is_refused_in_words(page: Page, site: ServedPage, tmp_path: Path) -> None:
    asked = predictions(page)
    panel = show(page, site, "words")
    (tmp_path / "notes.wav").write_text("not a sound")
    panel.locator("input[type=file]").set_input_files(tmp_path / "notes.wav")
    alert = panel.get_by_role("alert").first
    expect(alert).to_have_text("“notes.wav” is not a sound that this browser can read.")
    assert asked == []


def test_the_error_that_a_model_gives_for_a_clip_is_said(
    page: Page, site: ServedPage, tmp_path: Path
) -> None:
    heard = {"label": "", "probability": 0, "scores": [0, 0, 0], "error": "too quiet"}
    page.route("**:predict", lambda route: route.fulfill(json={"predictions": [heard]}))
    panel = show(page, site, "words")
    panel.locator("input[type=file]").set_input_files(browser.tone(tmp_path / "t.wav", 16_000))
    alert = panel.get_by_role("alert").first
    expect(alert).to_have_text("The model cannot use this clip: too quiet")
    expect(panel.locator(".verdict")).to_have_count(0)
    expect(panel.get_by_role("img", name="Spectrogram")).to_be_visible()


def test_the_microphone(page: Page, site: ServedPage) -> None:
    asked = predictions(page)
    panel = show(page, site, "words")
    panel.get_by_role("button", name="Record").click()
    stop = panel.get_by_role("button", name="Stop and recognise")
    expect(stop).to_be_focused()
    expect(panel.get_by_role("timer")).to_have_text(re.compile(r"^\d\.\d s of 10 s$"))
    heard = "(element) => Number(element.style.getPropertyValue('--share')) > 0.5"
    page.wait_for_function(heard, arg=panel.locator(".level").element_handle())
    page.wait_for_timeout(300)
    stop.click()
    expect(panel.locator(".verdict")).to_be_visible()
    expect(panel.get_by_role("button", name="Record")).to_be_focused()
    samples = _samples(base64.b64decode(asked[0]["instances"][0]["audio_bytes"]["b64"]))
    assert _loudest_hz(samples) == pytest.approx(TONE_HZ, abs=20)
    assert _brightest_hz(panel.locator(".clip")) == pytest.approx(TONE_HZ, abs=40)


def test_a_microphone_that_is_not_allowed(page: Page, site: ServedPage) -> None:
    page.add_init_script(
        "MediaDevices.prototype.getUserMedia = async () => {"
        "  throw new DOMException('no', 'NotAllowedError'); }"
    )
    panel = show(page, site, "words")
    panel.get_by_role("button", name="Record").click()
    expect(panel.get_by_role("alert").first).to_contain_text("do not allow the microphone")
    expect(panel.get_by_role("button", name="Record")).to_be_enabled()


def test_any_signature_in_json(page: Page, site: ServedPage) -> None:
    panel = show(page, site, "sums")
    request = panel.get_by_label("Request")
    body = json.loads(request.input_value())
    row = {"ids": [1, 1], "weights": [1.5, 1.5, 1.5]}
    assert body == {"signature_name": "serving_default", "instances": [row]}
    panel.get_by_role("button", name="Send").click()
    expect(panel.get_by_label("Response")).to_contain_text('"total": 6.5')
    panel.get_by_label("Signature").select_option("whole")
    assert json.loads(request.input_value()) == {
        "signature_name": "whole",
        "inputs": {"number": 1.5},
    }
    request.fill('{"signature_name": "whole", "inputs": -4}')
    request.press("Control+Enter")
    expect(panel.get_by_label("Response")).to_have_text('{"outputs": 16}')
    panel.get_by_text("Code for this request").click()
    expect(panel.get_by_role("region", name="Code")).to_have_text(
        f"curl '{site.url}/v1/models/sums:predict' \\\n"
        """  -d '{"signature_name": "whole", "inputs": -4}'"""
    )
    request.fill("{")
    panel.get_by_role("button", name="Send").click()
    expect(panel.get_by_role("alert").first).to_contain_text("The request is not JSON")


def test_known_tasks_can_be_asked_in_json_too(page: Page, site: ServedPage) -> None:
    panel = show(page, site, "tales")
    panel.get_by_text("Send JSON").click()
    panel.get_by_label("Signature").select_option("score")
    panel.get_by_role("button", name="Send").click()
    expect(panel.get_by_label("Response")).to_contain_text('"log_likelihood": -4')


def test_numbers_that_json_has_not(page: Page, site: ServedPage) -> None:
    body = '{"predictions": [NaN, -Infinity, Infinity, "NaN \\" Infinity", 9007199254740993]}'
    page.route("**:predict", lambda route: route.fulfill(body=body))
    panel = show(page, site, "echo")
    panel.get_by_role("button", name="Send").click()
    shown = panel.get_by_label("Response")
    said = '{ "predictions": [ NaN, -Infinity, Infinity, "NaN \\" Infinity", 9007199254740993 ] }'
    expect(shown).to_have_text(said)


def test_an_error_is_said_in_words(page: Page, site: ServedPage) -> None:
    said = {
        400: "a bad text",
        404: "The server does not have this model: a bad text",
        500: "The server failed: a bad text",
        503: "The server is overloaded: try again in a moment: a bad text",
        504: "The server did not respond in time: a bad text",
    }
    statuses = iter(said)

    def refuse(route: Any) -> None:
        route.fulfill(status=next(statuses), json={"error": "a bad text"})

    page.route("**:predict", refuse)
    panel = show(page, site, "opinions")
    panel.get_by_label("Text").fill("x")
    alert = panel.get_by_role("alert").first
    for words in said.values():
        panel.get_by_role("button", name="Classify").click()
        expect(alert).to_have_text(words)
        expect(panel.get_by_role("button", name="Stop")).to_be_hidden()
    page.unroute("**:predict")
    panel.get_by_role("button", name="Classify").click()
    expect(panel.locator(".verdict")).to_be_visible()
    expect(alert).to_be_empty()


def test_a_server_that_is_gone_and_back(page: Page, site: ServedPage) -> None:
    panel = show(page, site, "opinions")
    panel.get_by_label("Text").fill("kept")
    page.context.set_offline(True)
    look(page)
    notice = page.locator("#notice")
    expect(notice).to_have_text(re.compile("^The server does not respond. Is it still running?"))
    expect(panel.locator(".versions")).to_have_text(re.compile(r"^Version \d not reachable"))
    expect(page.get_by_role("link", name="opinions")).to_contain_text("not reachable")
    panel.get_by_role("button", name="Classify").click()
    expect(panel.get_by_role("alert").first).to_contain_text("does not respond")
    page.context.set_offline(False)
    look(page)
    expect(notice).to_be_hidden()
    expect(panel.locator(".versions")).to_have_text(re.compile(r"^Version \d serving"))
    expect(page.get_by_role("link", name="opinions")).not_to_contain_text("not reachable")
    expect(panel.get_by_label("Text")).to_have_value("kept")


def test_a_server_that_hangs_is_not_shown_as_serving(page: Page, site: ServedPage) -> None:
    panel = show(page, site, "opinions")
    expect(panel.locator(".versions")).to_have_text(re.compile(r"^Version \d serving"))
    page.route("**/health/live", lambda route: None)
    look(page)
    expect(panel.locator(".versions")).to_have_text(re.compile(r"^Version \d not reachable"))
    page.unroute("**/health/live")
    look(page)
    expect(panel.locator(".versions")).to_have_text(re.compile(r"^Version \d serving"))


def test_skip_goes_to_the_model_that_is_shown(page: Page, site: ServedPage) -> None:
    panel = show(page, site, "sums")
    page.get_by_role("link", name="Skip to the model").focus()
    page.keyboard.press("Enter")
    expect(panel.get_by_role("heading", name="sums")).to_be_focused()
    expect(panel).to_be_visible()
    assert page.url == f"{site.url}/#sums"
    page.keyboard.press("Tab")
    expect(panel.get_by_label("Signature")).to_be_focused()


def test_versions_and_models_come_and_go(page: Page, site: ServedPage) -> None:
    panel = show(page, site, "opinions")
    panel.get_by_label("Text").fill("good")
    site.publish("opinions", 2, "classifier")
    site.publish("zebra", 1, "lengths")
    try:
        look(page)
        expect(page.locator("#news")).to_have_text("opinions: version 2 is now serving")
        expect(page.get_by_role("link", name="opinions")).to_contain_text("v2")
        expect(panel.get_by_text("Version 2 serving")).to_be_visible()
        expect(panel.get_by_label("Text")).to_have_value("good")
        panel.get_by_role("button", name="Classify").click()
        expect(panel.locator(".verdict")).to_have_text("good 66.7 %")
        last = page.get_by_role("navigation").get_by_role("link").last
        expect(last).to_contain_text("zebra")
        last.click()
        expect(page.get_by_role("region", name="zebra")).to_be_visible()
    finally:
        site.remove("zebra")
        site.remove("opinions", 2)
        site.publish("opinions", 3, "classifier")
    look(page)
    expect(page.get_by_role("link", name="zebra")).to_have_count(0)
    expect(page.locator("section.panel:visible")).to_have_count(1)


def test_a_version_that_fails_is_shown_and_why(page: Page, site: ServedPage) -> None:
    broken = site.models / "echo" / "7"
    broken.mkdir()
    (broken / "saved_model.pb").write_bytes(b"junk")
    try:
        site.poll()
        panel = show(page, site, "echo")
        expect(page.get_by_role("link", name="echo")).to_contain_text("version 7 failed")
        expect(panel.locator(".versions .failed")).to_contain_text("Version 7 failed")
        expect(panel.locator(".message")).to_contain_text("saved_model.pb")
        panel.get_by_role("button", name="Send").click()
        expect(panel.get_by_label("Response")).to_have_text('{"predictions": [4]}')
    finally:
        shutil.rmtree(broken)
        site.poll()


def test_no_models_and_one_that_is_not_loaded(page: Page, site: ServedPage) -> None:
    page.route("**/v1/models", lambda route: route.fulfill(json={"models": []}))
    page.goto(site.url)
    expect(page.get_by_text("No model is served yet.")).to_be_visible()
    loading = {"version": "4", "state": "LOADING"}
    late = {"name": "late", "task": None, "version": None, "versions": [loading]}
    page.route("**/v1/models", lambda route: route.fulfill(json={"models": [late]}))
    look(page)
    panel = page.get_by_role("region", name="late")
    expect(panel.get_by_text("No version is loaded.")).to_be_visible()
    expect(panel.get_by_text("Version 4 loading")).to_be_visible()
    expect(page.get_by_role("link", name="late")).to_contain_text("not loaded")


def test_a_server_that_wants_a_token(chromium: Any, tmp_path: Path, built: Built) -> None:
    with ServedPage(tmp_path / "models", built, {"opinions": "classifier"}, TOKEN) as locked:
        context = chromium.new_context()
        guest = context.new_page()
        guest.goto(f"{locked.url}/#opinions")
        field = guest.get_by_label("This server requires a token")
        expect(field).to_be_focused()
        refused = guest.get_by_text("The server does not accept this token.")
        field.fill("s3cret–token")  # with a dash, which no header can carry
        field.press("Enter")
        expect(refused).to_be_visible()
        field.fill("wrong")
        field.press("Enter")
        expect(refused).to_be_visible()
        field.fill(TOKEN)
        guest.get_by_role("button", name="Unlock").click()
        expect(field).to_be_hidden()
        panel = guest.get_by_role("region", name="opinions")
        panel.get_by_label("Text").fill("bad")
        panel.get_by_role("button", name="Classify").click()
        expect(panel.locator(".verdict")).to_have_text("bad 66.7 %")
        guest.reload()
        expect(panel.get_by_label("Text")).to_be_visible()
        expect(field).to_be_hidden()
        guest.evaluate("sessionStorage.setItem('textapps-token', 's3cret–token')")
        guest.reload()  # as kept by an earlier version of the page
        expect(field).to_be_focused()
        field.fill(TOKEN)
        field.press("Enter")
        expect(panel.get_by_label("Text")).to_be_visible()
        context.close()


def test_the_theme_follows_the_system_until_one_is_chosen(page: Page, site: ServedPage) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    page.emulate_media(color_scheme="light")
    page.goto(site.url)
    light = page.evaluate(ground)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(ground)
    assert light != dark
    page.get_by_role("button", name="Light colours").click()
    assert page.evaluate(ground) == light
    page.reload()
    assert page.evaluate(ground) == light
    page.get_by_role("button", name="Dark colours").click()
    assert page.evaluate(ground) == dark


def test_nothing_is_wider_than_a_small_phone(page: Page, site: ServedPage) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    for name in SERVED:
        panel = show(page, site, name)
        panel.locator("details").evaluate_all("(all) => all.forEach((one) => { one.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth") == 320
    panel = show(page, site, "opinions")
    panel.get_by_label("Text").fill("bad " + "m" * 100)
    panel.get_by_role("button", name="Classify").click()
    expect(panel.locator(".words")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_the_list_of_models_scrolls_to_the_one_in_the_address(page: Page, site: ServedPage) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    first, *_, last = SERVED
    for name in (last, first):
        show(page, site, name)
        link = page.get_by_role("navigation").get_by_role("link").filter(has_text=name)
        expect(link).to_be_in_viewport(ratio=1)
        assert page.evaluate("scrollY") == 0


def test_all_controls_have_names(page: Page, site: ServedPage) -> None:
    for name in SERVED:
        panel = show(page, site, name)
        panel.locator("details").evaluate_all("(all) => all.forEach((one) => { one.open = true; })")
        controls = page.locator("button, input, textarea, select, a, summary").locator(
            "visible=true"
        )
        named = """(all) => all.map((one) => one.getAttribute("aria-label")
            ?? one.labels?.[0]?.textContent ?? one.textContent)"""
        names = [text.strip() for text in controls.evaluate_all(named)]
        assert len(names) > 5
        assert all(names)


def test_the_keyboard_goes_from_top_to_bottom(page: Page, site: ServedPage) -> None:
    show(page, site, "opinions")
    focused = """() => {
        const one = document.activeElement;
        const seen = getComputedStyle(one).outlineStyle !== "none";
        return [seen, one.labels?.[0]?.textContent ?? one.textContent];
    }"""
    order = []
    for _ in range(19):
        page.keyboard.press("Tab")
        seen, name = page.evaluate(focused)
        assert seen, name
        order.append(name)
    assert order[:3] == ["Skip to the model", "Dark", "echov1Model"]
    assert order[2 + len(SERVED)] == "Text"
    assert order[-10] == "badA bad film."
    assert order[-4:] == ["More examples", "Classify", "A file of rows", "Send JSON"]


def test_the_fourier_transform(page: Page, site: ServedPage) -> None:
    page.goto(site.url)
    rng = np.random.default_rng(7)
    for size in (1, 2, 8, 64):
        real, imaginary = rng.normal(size=(2, size))
        ours = page.evaluate(
            """async ([real, imaginary]) => {
                const { fft } = await import("/page/fft.js");
                const [re, im] = [Float64Array.from(real), Float64Array.from(imaginary)];
                fft(re, im);
                return [[...re], [...im]];
            }""",
            [real.tolist(), imaginary.tolist()],
        )
        theirs = np.fft.fft(real + 1j * imaginary)
        np.testing.assert_allclose(np.array(ours), [theirs.real, theirs.imag], atol=1e-12)


def test_events_are_read_however_the_bytes_are_cut(page: Page, site: ServedPage) -> None:
    page.goto(site.url)
    text = (
        ': hi\n\ndata: {"text": "ä🎬"}\r\n\r\nevent: done\ndata: one\ndata:two\n\ndata: unfinished'
    )
    for size in (1, 3, 1000):
        events = page.evaluate(
            """async ([text, size]) => {
                const { events } = await import("/page/sse.js");
                const bytes = new TextEncoder().encode(text);
                const stream = new ReadableStream({ start(controller) {
                    for (let i = 0; i < bytes.length; i += size) {
                        controller.enqueue(bytes.slice(i, i + size));
                    }
                    controller.close();
                } });
                const all = [];
                for await (const { event, data } of events(stream)) all.push([event, data]);
                return all;
            }""",
            [text, size],
        )
        assert events == [["message", '{"text": "ä🎬"}'], ["done", "one\ntwo"]]


def _samples(clip: bytes) -> np.ndarray:
    """Of a WAV file that is 16 kHz, mono, 16-bit PCM."""
    with wave.open(io.BytesIO(clip)) as file:
        assert file.getframerate() == 16_000
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)


def _loudest_hz(samples: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(power.argmax() * 16_000 / len(samples))


def _brightest_hz(panel: Any) -> float:
    """The frequency of the row that is brightest in the picture."""
    row, rows = panel.get_by_role("img", name="Spectrogram").evaluate(
        """(canvas) => {
            const { width, height } = canvas;
            const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
            const sums = Array.from({ length: height }, (_, y) =>
                data.slice(4 * y * width, 4 * (y + 1) * width).reduce((a, b) => a + b, 0));
            return [sums.indexOf(Math.max(...sums)), height];
        }"""
    )
    return float((rows - 1 - row) * 8_000 / rows)
