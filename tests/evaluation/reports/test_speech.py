import numpy as np
import pytest

from textapps.evaluation.metrics.conditions import accuracy_in_conditions
from textapps.evaluation.metrics.speech import (
    NoiseRow,
    accuracy_in_noise,
    speaker_spread,
    speech_metrics,
)
from textapps.evaluation.reports import speech_plots
from textapps.evaluation.reports.report import write_report
from textapps.evaluation.reports.sections import Headline, Plot, Report, Spectrograms, Table, Texts
from textapps.evaluation.reports.speech import (
    Streaming,
    pictures_of_mistakes,
    speech_sections,
)

NAMES = ("yes", "no", "unknown")
STREAM = {
    0.5: {
        "commands_said": 7,
        "hits": 6,
        "miss_rate": 1 / 7,
        "false_alarms": 3,
        "false_alarms_on_words": 2,
        "false_alarms_per_hour": 18.0,
        "false_alarms_per_hour_low": 3.71,
        "false_alarms_per_hour_high": 52.6,
        "latency_ms": 640.4,
    },
    0.9: {
        "commands_said": 7,
        "hits": 0,
        "miss_rate": 1.0,
        "false_alarms": 0,
        "false_alarms_on_words": 0,
        "false_alarms_per_hour": 0.0,
    },
}
HISTORY = [{"step": "10", "loss": "0.9", "val_loss": "1.1", "val_accuracy": "0.4"}]


def answers(n, skill=1.2, seed=0):
    random = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    logits = random.normal(size=(n, 3))
    logits[np.arange(n), labels] += skill
    scores = np.exp(logits)
    return labels, scores / scores.sum(axis=1, keepdims=True)


def features_of(row):
    return np.eye(6, 5) * row, 0.25


@pytest.fixture
def made():
    labels, scores = answers(60)
    clips = [f"{NAMES[label]}/<{i}>.wav" for i, label in enumerate(labels)]
    _, worse = answers(60, 0.3, seed=1)
    return speech_sections(
        labels,
        scores,
        NAMES,
        metrics=speech_metrics(labels, scores, NAMES, commands=NAMES[:2], resamples=20),
        clips=clips,
        speakers=[f"s{i % 11}" for i in range(60)],
        noisy=accuracy_in_noise(labels, scores, {20: scores, 0: worse}),
        conditions=accuracy_in_conditions(labels, scores, {"8_khz": worse}),
        streaming=Streaming(600.0, 500.0, 0.5, STREAM),
        pictures=pictures_of_mistakes(clips, labels, scores, NAMES, features_of),
        history=HISTORY,
    )


def named(sections, heading):
    (found,) = [section for section in sections if section.heading == heading]
    return found


def test_a_whole_report(tmp_path, made):
    kinds = [Headline, *[Plot] * 6, *[Table] * 4, Spectrograms]
    assert [type(section) for section in made] == kinds
    write_report(tmp_path / "report.html", Report("Demo", {"task": "speech"}, made))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    pictures = made[-1].items
    assert page.count("<svg") == 6 + len(pictures)
    assert page.count("<figcaption") == len(pictures) > 3
    assert "/&lt;" in page
    assert "/<" not in page.replace("</", "")
    assert "NaN" not in page


@pytest.mark.parametrize("n", [1, 2, 30])
def test_what_is_not_known_is_not_shown(tmp_path, n):
    labels, scores = answers(n)
    made = speech_sections(
        labels,
        scores,
        NAMES,
        metrics=speech_metrics(labels, scores, NAMES, commands=NAMES[:2], resamples=5),
        clips=[str(i) for i in range(n)],
        speakers=[""] * n,
    )
    assert [type(section) for section in made] == [Headline, *[Plot] * 2, Table, Texts]
    write_report(tmp_path / "report.html", Report("Few", {}, made))


def test_headline_holds_false_accepts_with_their_interval(made):
    figures = {name: (value, detail) for name, value, detail in made[0].figures}
    assert figures["False accepts"][0].endswith(" %")
    assert " % to " in figures["False accepts"][1]


def test_pictures_are_of_the_most_confident_mistakes(made):
    labels, scores = answers(60)
    wrong = np.flatnonzero(scores.argmax(axis=1) != labels)
    worst = wrong[np.argmax(scores[wrong].max(axis=1))]
    caption, features, seconds = named(made, "Most confident mistakes").items[0]
    given = scores[worst].argmax()
    assert caption == (
        f"{NAMES[given]} ({100 * scores[worst, given]:.2f} %), labelled {NAMES[labels[worst]]}\n"
        f"{NAMES[labels[worst]]}/<{worst}>.wav"
    )
    np.testing.assert_array_equal(features, np.eye(6, 5) * worst)
    assert seconds == 0.25


def test_tables_of_speakers_noise_and_stream(made):
    labels, scores = answers(60)
    correct = scores.argmax(axis=1) == labels
    speaker, clips, wrong, accuracy = named(made, "Worst speakers").rows[0]
    of_speaker = correct[np.arange(60) % 11 == int(speaker[1:])]
    assert (clips, wrong) == (len(of_speaker), int((~of_speaker).sum()))
    assert accuracy == f"{100 * of_speaker.mean():.2f} %"
    noise = named(made, "Noise, microphones and rooms").rows
    ratios = [f"{ratio} dB signal to noise" for ratio in (20, 0)]
    assert [row[0] for row in noise] == ["as they are", *ratios, "recorded at 8 kHz"]
    assert noise[3][1:] == noise[2][1:]
    assert noise[1][1] == noise[0][1] == f"{100 * correct.mean():.2f} %"
    assert noise[1][3:] == ("0.00", "0.00 to 0.00")
    low, high = named(made, "In a stream").rows
    assert low == (
        "0.5 (in use)", "6 of 7", "14.29 %", "", "3 (2)", "18.0", "3.7 to 52.6", "640 ms",
    )  # fmt: skip
    assert high[0] == "0.9"
    assert high[-1] == ""


def test_speakers_are_drawn_from_the_worst_to_the_best():
    spread = speaker_spread([0, 1, 1, 1, 1, 1, 0, 0, 1], ["a"] * 3 + ["b"] * 3 + ["c"] * 3)
    (axes,) = speech_plots.accuracy_by_speaker(spread).axes
    _, speakers = axes.get_lines()
    assert list(speakers.get_ydata()) == pytest.approx([1 / 3, 2 / 3, 1, 1])
    assert list(speakers.get_xdata()) == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert axes.get_ylim()[0] < 1 / 3
    assert "no speakers" in speech_plots.accuracy_by_speaker(None).axes[0].texts[0].get_text()


def test_noise_grows_to_the_right():
    rows = [NoiseRow(20.0, 0.9, 0.8, 0.95, 0, 0, 0), NoiseRow(0.0, 0.5, 0.4, 0.6, 0.4, 0.3, 0.5)]
    (axes,) = speech_plots.accuracy_in_noise(rows, 0.92).axes
    left, right = axes.get_xlim()
    assert left > right
    clean, noisy = axes.get_lines()[:2]
    assert list(clean.get_ydata()) == [0.92, 0.92]
    assert (list(noisy.get_xdata()), list(noisy.get_ydata())) == ([20, 0], [0.9, 0.5])
    assert "not evaluated" in speech_plots.accuracy_in_noise([], 0.9).axes[0].texts[0].get_text()


def test_the_threshold_in_use_stands_out():
    (axes,) = speech_plots.detection_trade_off(STREAM, 0.9).axes
    curve, chosen = axes.get_lines()
    assert (list(curve.get_xdata()), list(curve.get_ydata())) == ([18, 0], [1 / 7, 1])
    assert (list(chosen.get_xdata()), list(chosen.get_ydata())) == ([0], [1])
    assert [text.get_text() for text in axes.texts] == ["0.5"]
    empty = speech_plots.detection_trade_off({0.5: {"false_alarms_per_hour": 1.0}}, 0.5)
    assert "no commands" in empty.axes[0].texts[0].get_text()
