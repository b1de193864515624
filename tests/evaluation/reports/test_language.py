import numpy as np
import pytest

from textapps.evaluation.metrics.language import language_metrics
from textapps.evaluation.metrics.text_metrics import text_metrics
from textapps.evaluation.reports.language import LONGEST_SURPRISE, Samples, language_sections
from textapps.evaluation.reports.report import write_report
from textapps.evaluation.reports.sections import Headline, Plot, Report, Surprise, Table, Texts

TEXT = "So much & <more>;\nand on. " * 120
HISTORY = [
    {
        "step": "5",
        "loss": "2.9",
        "nats_per_character": "2.5",
        "val_loss": "2",
        "val_nats_per_character": "2",
    },
    {
        "step": "9",
        "loss": "1.9",
        "nats_per_character": "1.5",
        "val_loss": "1",
        "val_nats_per_character": "1",
    },
]


@pytest.fixture
def made():
    return make(TEXT)


def make(text):
    random = np.random.default_rng(1)
    ngrams = np.float32([[3.0], [2.5], [2.0]]) + random.random((3, len(text)), np.float32)
    nats = ngrams[2] - 0.25
    texts = {name: (f"{name} sample,\n  indented", "so much") for name in ("cold", "hot", "real")}
    kinds = [Samples(name, both, text_metrics(both, text)) for name, both in texts.items()]
    return language_sections(
        text,
        nats,
        metrics=language_metrics(nats, resamples=20),
        ngrams=ngrams,
        order=3,
        samples=kinds[:2],
        real=kinds[2],
        history=HISTORY,
    )


def test_a_report_of_any_language_model(tmp_path, made):
    kinds = [Headline, Table, Plot, Plot, Surprise, Texts, Table]
    assert [type(section) for section in made] == kinds
    write_report(tmp_path / "report.html", Report("Demo", {"Task": "demo"}, made))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 2
    assert "hot sample,\n  indented" in page
    assert page.count(' nats">') == LONGEST_SURPRISE


def test_figures_beside_the_ngrams(made):
    headline, beside = made[:2]
    assert [name for name, *_ in headline.figures] == list(beside.columns[1:])
    assert [row[0] for row in beside.rows] == ["1-grams", "2-grams", "3-grams", "this model"]
    assert float(beside.rows[-1][1]) == pytest.approx(float(beside.rows[2][1]) - 0.25, abs=2e-4)
    assert "Against 3-grams" in beside.note
    assert "gains +0.2500 nats per character" in beside.note
    assert "which may be chance: there are too few examples to tell. The n-gram" in beside.note
    assert "p < 0.0001 that it is not better" in make(TEXT * (30_000 // len(TEXT) + 1))[1].note


def test_curves_leave_the_smoothed_loss_out(made):
    curves, orders = (section.figure for section in made[2:4])
    assert [axes.get_ylabel() for axes in curves.axes] == ["nats per character"]
    model, ngrams = orders.axes[0].get_lines()
    assert list(ngrams.get_xdata()) == [1, 2, 3]
    assert model.get_ydata()[0] == pytest.approx(ngrams.get_ydata()[2] - 0.25, abs=1e-4)


def test_samples_and_what_they_are_like(made):
    texts, variety = made[-2:]
    assert texts.items == [(n, f"{n} sample,\n  indented") for n in ("cold", "hot")]
    assert [row[0] for row in variety.rows] == ["cold", "hot", "real"]
    assert variety.rows[0][1] == "100.00 %"
    assert variety.rows[0][-1] == len("o much")
