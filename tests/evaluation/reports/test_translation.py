import numpy as np
import pytest

from textapps.evaluation.metrics.translation import ScoredTranslations, translation_metrics
from textapps.evaluation.reports import plots
from textapps.evaluation.reports.report import write_report
from textapps.evaluation.reports.sections import Headline, Plot, Report, Table, Texts
from textapps.evaluation.reports.translation import (
    BEST,
    TYPICAL,
    WORST,
    AttentionMap,
    SearchResult,
    translation_sections,
)

REFERENCES = [" ".join(f"w{i}{k}" for k in range(3 + i % 7)) for i in range(40)]
SOURCES = [reference.upper() for reference in REFERENCES]
HISTORY = [
    {
        "step": str(step),
        "loss": "6",
        "nats_per_token": "5",
        "val_loss": "6.5",
        "val_nats_per_token": "5.5",
        "val_bleu": str(bleu),
    }
    for step, bleu in ((10, 3.5), (20, 7.25))
]


def sections(answers=None, **options):
    scored = ScoredTranslations(answers or REFERENCES, REFERENCES[: len(answers or REFERENCES)])
    metrics = translation_metrics(scored, resamples=20)
    return translation_sections(SOURCES[: len(scored)], scored, metrics=metrics, **options)


@pytest.fixture
def made():
    answers = [
        " ".join(w if (i * k) % 40 > i / 2 or k == 0 else f"q{k}" for k, w in enumerate(r.split()))
        for i, r in enumerate(REFERENCES)
    ]
    answers[7], answers[11] = "", "<so> & " * 30
    maps = [
        AttentionMap(["▁a", "▁$b$", "</s>"], ["▁x", "</s>"], np.eye(2, 3, dtype=np.float32)),
        AttentionMap(["s"] * 40, ["t"] * 33, np.full((33, 40), 1 / 40, np.float32)),
    ]
    scored = ScoredTranslations(answers, REFERENCES)
    searches = [
        SearchResult("greedy", ScoredTranslations(REFERENCES, REFERENCES), 4.0),
        SearchResult("beam 5", scored, 8.0),
    ]
    return sections(answers, history=HISTORY, maps=maps, searches=searches)


def test_a_report_of_any_translator(tmp_path, made):
    kinds = [Headline, Table, Plot, Plot, Table, Table, Texts, Texts, Texts, Plot, Plot]
    assert [type(section) for section in made] == kinds
    write_report(tmp_path / "report.html", Report("Demo", {"Task": "translate"}, made))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 4
    assert "tok:13a|smooth:exp" in page
    assert "Translation: <bdi>&lt;so&gt; &amp; &lt;so&gt;" in page
    assert "<so>" not in page
    assert "▁$b$" in page


def test_figures_and_decoding(made):
    headline, decoding = made[:2]
    assert [name for name, *_ in headline.figures] == ["BLEU", "chrF", "Length ratio"]
    bleu, chrf, ratio = (value for _, value, _ in headline.figures)
    assert decoding.rows[0] == ("greedy", "100.00", "100.00", "1.000", 0, 0, 0, "10.0")
    assert decoding.rows[1] == ("beam 5", bleu, chrf, ratio, 1, 1, 1, "5.0")
    assert headline.figures[0][2].count(" to ") == 1


def test_advice_stands_below_the_figures():
    headline, *_ = sections(advice="length ratio 0.840: try --length-penalty above 0.6")
    assert headline.note.endswith(". Length ratio 0.840: try --length-penalty above 0.6.")


def test_curves_hold_bleu_though_training_has_none(made):
    nats, bleu = made[2].figure.axes
    assert (nats.get_ylabel(), bleu.get_ylabel()) == ("nats per token", "BLEU")
    assert [len(axes.get_lines()) for axes in (nats, bleu)] == [2, 1]
    assert list(bleu.get_lines()[0].get_ydata()) == [3.5, 7.25]


def test_lengths_and_faults(made):
    lengths, faults = made[4:6]
    assert sum(row[1] for row in lengths.rows) == 40
    assert lengths.rows[0][0].startswith("3 to ")
    assert faults.rows == [
        ("empty", 1, "2.50 %"),
        ("too long", 1, "2.50 %"),
        ("repeating", 1, "2.50 %"),
    ]


def test_sentences_from_the_worst_to_the_best(made):
    worst, typical, best = made[6:9]
    assert [len(each.items) for each in (worst, typical, best)] == [WORST, TYPICAL, BEST]
    # Of two that are altogether wrong the longer one comes first.
    assert worst.items[0][0].startswith("sentence 12: chrF 0.0")
    assert worst.items[1] == (
        "sentence 8: chrF 0.0, BLEU 0.0",
        {"Source": SOURCES[7], "Reference": REFERENCES[7], "Translation": "(empty)"},
    )
    scores = [
        [float(caption.split("chrF ")[1].split(",")[0]) for caption, _ in each.items]
        for each in (worst, typical, best)
    ]
    assert scores == [sorted(scores[0]), sorted(scores[1]), sorted(scores[2], reverse=True)]
    assert scores[0][-1] <= scores[1][0] <= scores[1][-1] <= scores[2][-1]
    shown = [caption.split(":")[0] for each in (worst, typical, best) for caption, _ in each.items]
    assert len(set(shown)) == len(shown)


@pytest.mark.parametrize("n", [1, 2, 13, 20])
def test_few_sentences_are_shown_once_each(n, tmp_path):
    made = sections(REFERENCES[:n])
    shown = [caption for each in made if isinstance(each, Texts) for caption, _ in each.items]
    assert len(shown) == len(set(shown)) == min(n, WORST + TYPICAL + BEST)
    assert "Decoding" not in [section.heading for section in made]
    write_report(tmp_path / "report.html", Report("Few", {}, made))


def test_long_sentences_and_line_breaks_do_not_break_the_page():
    made = translation_sections(
        ["a\n\nb " * 400],
        scored := ScoredTranslations(["c\r\nd " * 400], ["c d"]),
        metrics=translation_metrics(scored, resamples=3),
    )
    ((_, text),) = next(each for each in made if isinstance(each, Texts)).items
    lines = [f"{name}: {line}" for name, line in text.items()]
    assert [line.split(":")[0] for line in lines] == ["Source", "Reference", "Translation"]
    assert lines[0].startswith("Source: a b a b")
    assert sum(map(len, lines)) < 1000


def test_a_map_that_is_cut_says_so(made):
    small, large = made[9:]
    assert "first" not in small.note
    assert f"The first {plots.TOKENS_UP_TO} tokens" in large.note
    assert "33 translation tokens" in large.alt
