"""Adding words on the web page, with an export of a tiny recogniser in headless Chromium."""

import base64
import io
import re
import shlex
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.serving import browser
from tests.serving.browser import ServedPage, look, predictions, show
from tests.tasks.toy_words import RATE_HZ, WORDS, noise, siren, spoken, wav_bytes
from textapps.tasks.speech.negatives import KINDS, Embedded
from textapps.tasks.speech.new_word import learn_word
from textapps.tasks.speech.vocabulary import add_word

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(browser.CHROMIUM is None, reason="there is no chromium"),
]
expect = sync_api.expect
Page = Any  # of an optional package
Make = Callable[[str, str], Any]


@pytest.fixture(scope="module")
def recognizer(trained: Make) -> Any:
    return trained("speech", "lstm")


@pytest.fixture(scope="module")
def site(recognizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPage]:
    folder = tmp_path_factory.mktemp("words")
    options = {"verify": False, "warmup": False, "explain": False}
    exported = recognizer.export(folder, name="commands", **options)
    with ServedPage(folder / "models", lambda *_: exported, {"commands": "commands"}) as served:
        yield served


def opened(page: Page, site: ServedPage) -> Any:
    """The panel, and in it the section for words."""
    panel = show(page, site, "commands")
    panel.get_by_text("Add a word", exact=True).click()
    return panel, panel.locator("details.tool", has_text="Add a word").first


def give(section: Any, *sounds: Any) -> None:
    """Choose recordings, samples each, as files."""
    files = [
        {"name": f"{number}.wav", "mimeType": "audio/wav", "buffer": wav_bytes(sound)}
        for number, sound in enumerate(sounds)
    ]
    section.locator("input[type=file]").set_input_files(files)


def add(section: Any, word: str, *sounds: Any) -> Any:
    """Add a word; its card."""
    section.get_by_label("Word").fill(word)
    give(section, *sounds)
    expect(section.locator(".takes li")).to_have_count(len(sounds))
    section.get_by_role("button", name="Add the word").click()
    card = section.get_by_role("article", name=word, exact=True)
    expect(card).to_be_visible()
    return card


def hear(panel: Any, sound: Any) -> Any:
    """Have a recording recognised; the answer."""
    file = {"name": "clip.wav", "mimeType": "audio/wav", "buffer": wav_bytes(sound)}
    panel.locator(".question input[type=file]").set_input_files([file])
    return panel.locator(".verdict")


def test_a_word_is_learned_as_the_command_learns_it(
    page: Page, site: ServedPage, recognizer: Any, tmp_path: Path
) -> None:
    asked = predictions(page)
    panel, section = opened(page, site)
    card = add(section, "siren", *[siren(number) for number in range(5)])
    expect(card.get_by_role("button", name="Try it")).to_be_focused()
    sent = [body["instances"] for body in asked if body["signature_name"] == "enrol"]
    assert [row["number"] for (row,) in sent] == [0, 1, 2, 3, 4]
    files = [base64.b64decode(row["audio_bytes"]["b64"]) for (row,) in sent]
    added = add_word(recognizer, "siren", files, tmp_path)
    told = f"{added.recognised} of 5 recordings are recognised from the others alone."
    expect(card.get_by_text(told)).to_be_visible()
    taken = ", ".join(
        f"{some} of {count} clips of {kind} ({100 * some / count:.1f} %)"
        for kind, (some, count) in added.false_accepts.items()
    )
    expect(card.get_by_text(f"Taken for “siren” in the validation split: {taken}.")).to_be_visible()
    for sound in (siren(40), spoken("up", 64)):
        (answer,) = added.recognizer.predict([wav_bytes(sound)])
        verdict = hear(panel, sound)
        expect(verdict).to_contain_text(answer.label)
        shown = float(re.search(r"([\d.]+) %", verdict.text_content())[1])
        assert shown == pytest.approx(100 * answer.probability, abs=2)
    labels = set(added.recognizer.labels)
    assert set(panel.locator(".bar-label").all_text_contents()) == labels


def test_words_stay_over_a_reload_until_they_are_deleted(page: Page, site: ServedPage) -> None:
    panel, section = opened(page, site)
    add(section, "siren", *[siren(number) for number in range(5)])
    page.reload()
    expect(hear(panel, siren(41))).to_contain_text("siren")
    panel.get_by_text("Add a word", exact=True).click()
    section.get_by_role("button", name="Delete", exact=True).click()
    expect(section.get_by_role("article")).to_have_count(0)
    expect(section.get_by_label("Word")).to_be_focused()
    hear(panel, siren(41))
    expect(panel.locator(".bar-label")).to_have_count(len(WORDS) + 2)
    assert page.evaluate("sessionStorage.getItem('textapps-words')") == "[]"


def test_a_second_word_and_a_changed_one(page: Page, site: ServedPage) -> None:
    panel, section = opened(page, site)
    add(section, "siren", *[siren(number) for number in range(5)])
    add(section, "hiss", *[spoken("hiss", number) for number in range(300, 306)])
    expect(hear(panel, siren(42))).to_contain_text("siren")
    expect(hear(panel, spoken("hiss", 310))).to_contain_text("hiss")
    first = section.get_by_role("article", name="siren")
    first.get_by_role("button", name="Change").click()
    expect(section.locator(".takes li")).to_have_count(5)
    section.get_by_role("button", name="Delete recording 5").click()
    expect(section.locator(".takes li")).to_have_count(4)
    expect(section.get_by_role("button", name="Delete recording 4")).to_be_focused()
    section.get_by_label("Word").fill("alarm")
    section.get_by_role("button", name="Add the word").click()
    renamed = section.get_by_role("article", name="alarm")
    expect(renamed.get_by_text("of 4 recordings are recognised")).to_be_visible()
    expect(renamed.get_by_text("With 5 to 10 recordings it is recognised better.")).to_be_visible()
    expect(section.get_by_role("article")).to_have_count(2)
    expect(hear(panel, siren(42))).to_contain_text("alarm")


SILENT = np.zeros(2_400, np.float32)
WRONG = {
    "one recording": ("siren", [siren(0)], "1 recording of “siren”: it takes 5 to 10"),
    "silence": ("siren", [siren(0), siren(1), SILENT], "Recording 3: Silence"),
    "too short": ("siren", [siren(0), siren(1), siren(2)[:700]], "Recording 3: Too short (88 ms)"),
    "a copy": ("siren", [siren(0), siren(1), siren(0)], "Recording 3: The same as recording 1."),
    "a room": ("siren", [siren(0), siren(1), 0.1 * noise(8)[:2_400]], "no word is heard in it"),
    "a command": (
        "siren",
        [*(siren(number) for number in range(4)), spoken("stay", 71)],
        "Recording 5 is heard as “stay”, unlike the others",
    ),
    "a word that is there": ("up", [], "The model has the word “up” already"),
    "a class": ("silence", [], "“silence” is the name of a class"),
    "no name": (" ", [], "Name the word"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_will_not_do_is_said(page: Page, site: ServedPage, name: str) -> None:
    word, sounds, told = WRONG[name]
    _, section = opened(page, site)
    section.get_by_label("Word").fill(word)
    if sounds:
        give(section, *sounds)
    expect(section.locator(".takes li")).to_have_count(len(sounds))
    section.get_by_role("button", name="Add the word").click()
    expect(section.get_by_role("alert")).to_contain_text(told)
    expect(section.get_by_role("article")).to_have_count(0)
    expect(section.get_by_role("button", name="Add the word")).to_be_enabled()


def test_a_word_that_was_added_already(page: Page, site: ServedPage) -> None:
    _, section = opened(page, site)
    sirens = [siren(number) for number in range(3)]
    add(section, "siren", *sirens)
    section.get_by_label("Word").fill("siren")
    section.get_by_role("button", name="Add the word").click()
    expect(section.get_by_role("alert")).to_contain_text("You have added “siren” already")


def test_eleven_recordings_and_a_text(page: Page, site: ServedPage) -> None:
    _, section = opened(page, site)
    give(section, *[siren(number) for number in range(11)])
    alert = section.get_by_role("alert")
    expect(alert).to_contain_text("10 recordings are enough")
    expect(section.locator(".takes li")).to_have_count(10)
    expect(section.get_by_role("button", name="Record the word")).to_be_disabled()
    section.get_by_role("button", name="Delete recording 10").click()
    expect(section.get_by_role("button", name="Record the word")).to_be_enabled()
    text = {"name": "notes.wav", "mimeType": "audio/wav", "buffer": b"not a sound"}
    section.locator("input[type=file]").set_input_files([text])
    expect(alert).to_have_text("“notes.wav” is not a sound that this browser can read.")


def test_recordings_one_after_the_other(page: Page, site: ServedPage) -> None:
    page.add_init_script(
        "HTMLMediaElement.prototype.play = async function () { window.played = this.src; }"
    )
    _, section = opened(page, site)
    section.get_by_role("button", name="Record the word").click()
    dialog = section.get_by_role("dialog")
    further = dialog.get_by_role("button", name="Keep, and record the next")
    expect(further).to_be_focused()
    for number in (1, 2):
        expect(dialog.get_by_role("heading")).to_have_text(f"Recording {number}")
        page.wait_for_timeout(300)
        further.click()
    expect(dialog.get_by_role("heading")).to_have_text("Recording 3")
    page.wait_for_timeout(300)
    dialog.get_by_role("button", name="Keep and close").click()
    expect(dialog).to_be_hidden()
    expect(section.get_by_role("button", name="Record the word")).to_be_focused()
    expect(section.locator(".takes li")).to_have_count(3)
    expect(section.get_by_text("3 recordings of 5 to 10")).to_be_visible()
    section.get_by_role("button", name="Play recording 2").click()
    page.wait_for_function("window.played")
    assert page.evaluate("window.played").startswith("blob:")
    section.get_by_role("button", name="Record the word").click()
    expect(dialog.get_by_role("heading")).to_have_text("Recording 4")
    page.keyboard.press("Escape")
    expect(section.locator(".takes li")).to_have_count(3)


def test_no_microphone(page: Page, site: ServedPage) -> None:
    page.add_init_script(
        "MediaDevices.prototype.getUserMedia = async () => {"
        "  throw new DOMException('no', 'NotFoundError'); }"
    )
    _, section = opened(page, site)
    section.get_by_role("button", name="Record the word").click()
    expect(section.get_by_role("alert")).to_have_text("There is no microphone.")


def test_a_microphone_that_goes_between_two_recordings(page: Page, site: ServedPage) -> None:
    _, section = opened(page, site)
    section.get_by_role("button", name="Record the word").click()
    further = section.get_by_role("button", name="Keep, and record the next")
    page.wait_for_timeout(300)
    page.evaluate(
        "() => { MediaDevices.prototype.getUserMedia = async () => {"
        "  throw new DOMException('no', 'NotReadableError'); }; }"
    )
    further.click()
    expect(section.get_by_role("alert")).to_contain_text("in use by another application")
    expect(section.get_by_role("dialog")).to_be_hidden()
    expect(section.locator(".takes li")).to_have_count(1)


def test_the_recordings_as_an_archive_and_the_commands_to_keep_the_word(
    page: Page, site: ServedPage, tmp_path: Path
) -> None:
    asked = predictions(page)
    _, section = opened(page, site)
    card = add(section, "it's größer", *[siren(number) for number in range(3)])
    card.get_by_text("Keep it for good").click()
    with page.expect_download() as started:
        card.get_by_role("link", name="Download it-s-größer.zip").click()
    assert started.value.suggested_filename == "it-s-größer.zip"
    started.value.save_as(tmp_path / "words.zip")
    sent = [body["instances"][0] for body in asked if body["signature_name"] == "enrol"]
    with zipfile.ZipFile(tmp_path / "words.zip") as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert names == [f"it-s-größer/it-s-größer-{number}.wav" for number in (1, 2, 3)]
        for name, row in zip(names, sent, strict=True):
            content = archive.read(name)
            assert content == base64.b64decode(row["audio_bytes"]["b64"])
            assert soundfile.info(io.BytesIO(content)).samplerate == RATE_HZ
    lines = card.get_by_role("region", name="Commands").text_content().splitlines()
    assert [shlex.split(line) for line in lines] == [
        ["unzip", "it-s-größer.zip"],
        ["textapps", "speech", "add-word", "it's größer", "it-s-größer/"],
        ["textapps", "speech", "export"],
    ]


def test_a_new_version_does_not_know_the_word(page: Page, site: ServedPage) -> None:
    panel, section = opened(page, site)
    add(section, "siren", *[siren(number) for number in range(5)])
    site.publish("commands", 2, "commands")
    try:
        look(page)
        card = section.get_by_role("article", name="siren")
        expect(card.get_by_text("Learned with version 1, so version 2")).to_be_visible()
        expect(card.get_by_role("button", name="Try it")).to_have_count(0)
        hear(panel, siren(43))
        expect(panel.locator(".bar-label")).to_have_count(len(WORDS) + 2)
        card.get_by_role("button", name="Change").click()
        expect(section.locator(".takes li")).to_have_count(5)
        section.get_by_role("button", name="Add the word").click()
        expect(card.get_by_role("button", name="Try it")).to_be_focused()
        expect(hear(panel, siren(43))).to_contain_text("siren")
    finally:
        site.remove("commands", 2)


def test_a_browser_that_keeps_nothing(page: Page, site: ServedPage) -> None:
    page.add_init_script(
        "Storage.prototype.setItem = () => {"
        "  throw new DOMException('full', 'QuotaExceededError'); }"
    )
    panel, section = opened(page, site)
    add(section, "siren", *[siren(number) for number in range(5)])
    expect(section.get_by_text("has no room to keep these words")).to_be_visible()
    expect(hear(panel, siren(44))).to_contain_text("siren")


def test_an_export_that_cannot_learn_words_has_no_such_section(
    page: Page, site: ServedPage
) -> None:
    def without(route: Any) -> None:
        answer = route.fetch().json()
        answer["metadata"]["signature_def"]["signature_def"].pop("negatives")
        route.fulfill(json=answer)

    page.route("**/metadata", without)
    panel = show(page, site, "commands")
    expect(panel.get_by_role("button", name="Record")).to_be_visible()
    expect(panel.get_by_text("Add a word")).to_have_count(0)


@pytest.mark.parametrize("width", [320, 1280])
def test_it_fits_and_everything_has_a_name(page: Page, site: ServedPage, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 640})
    _, section = opened(page, site)
    add(section, "m" * 90, *[siren(number) for number in range(3)])
    give(section, siren(0), SILENT)
    expect(section.locator(".takes li")).to_have_count(2)
    section.locator("details").evaluate_all("(all) => all.forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    controls = section.locator("button, input, a, summary, pre").locator("visible=true")
    named = """(all) => all.map((one) => one.getAttribute("aria-label")
        ?? one.labels?.[0]?.textContent ?? one.textContent)"""
    names = [text.strip() for text in controls.evaluate_all(named)]
    assert len(names) > 10
    assert all(names)


def test_the_rule_is_that_of_the_command(page: Page, site: ServedPage) -> None:
    page.goto(site.url)
    drawn = np.random.RandomState(3)
    width, labels = 7, 4
    kernel = drawn.normal(size=(width, labels)).astype(np.float32)

    def clips(count: int, centre: float, kinds: list[str]) -> Embedded:
        found = (drawn.normal(size=(count, width)) + centre).astype(np.float32)
        return Embedded(found, found @ kernel, np.array(kinds), np.array([""] * count))

    recordings, versions = 6, 3
    positives = clips(recordings * versions, 0.9, [""] * recordings * versions)
    train, validation = (
        clips(count, 0.0, [KINDS[number % 3] for number in range(count)]) for count in (211, 157)
    )
    expected = learn_word("w", list("abcdef"), positives, (train, validation), 0.02)

    def rows(of: Embedded) -> list[dict[str, Any]]:
        return [
            {"embedding": e.tolist(), "logits": g.tolist(), "kind": kind}
            for e, g, kind in zip(of.embeddings, of.logits, of.kinds, strict=True)
        ]

    found = page.evaluate(
        """async ([positives, versions, train, validation]) => {
            const { learnRow, seen } = await import("/page/newword.js");
            const all = positives.map((row) => seen(row));
            const recordings = [];
            while (all.length) recordings.push(all.splice(0, versions));
            const sides = {
                train: train.map((row) => seen(row)),
                validation: validation.map((row) => seen(row)),
            };
            return learnRow(recordings, recordings.map(() => ""), sides);
        }""",
        [rows(positives), versions, rows(train), rows(validation)],
    )
    assert found["recognised"] == expected.recognised
    taken = {one["kind"]: (one["taken"], one["count"]) for one in found["taken"]}
    assert taken == expected.false_accepts
    for of in (positives, train, validation):
        margins = of.embeddings @ found["kernel"] + found["bias"] - of.logits.max(axis=1)
        np.testing.assert_allclose(margins, expected.row.margins(of), atol=0.01)
