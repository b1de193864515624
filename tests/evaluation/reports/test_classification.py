import numpy as np
import pytest

from textapps.evaluation.metrics.classification import classification_metrics
from textapps.evaluation.reports.classification import classifier_sections
from textapps.evaluation.reports.report import write_report
from textapps.evaluation.reports.sections import Headline, Plot, Report, Table, Texts


def answers(n, classes, seed=0, skill=1.5):
    random = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    logits = random.normal(size=(n, classes))
    logits[np.arange(n), labels] += skill
    scores = np.exp(logits)
    return labels, scores / scores.sum(axis=1, keepdims=True)


def sections(labels, scores, **options):
    n, classes = scores.shape
    return classifier_sections(
        labels,
        scores,
        [f"class {i}" for i in range(classes)],
        metrics=classification_metrics(labels, scores, resamples=20),
        examples=[f"example {i}" for i in range(n)],
        lengths=np.arange(n) % 9,
        length_unit="words",
        **options,
    )


# Of two classes, the second of which has examples, the precision-recall curve is there too.
@pytest.mark.parametrize(("n", "classes", "plots"), [(1, 2, 3), (40, 2, 4), (60, 12, 3)])
def test_a_report_of_any_classifier(tmp_path, n, classes, plots):
    made = sections(*answers(n, classes))
    assert [type(section) for section in made] == [Headline, *[Plot] * plots, Table, Texts]
    write_report(tmp_path / "report.html", Report("Demo", {"Task": "demo"}, made))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == plots
    assert "NaN" not in page
    assert page.count(f"class {classes - 1}") >= 3  # both axes and the table


def test_figures_and_mistakes():
    labels, scores = np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])
    made = sections(labels, scores)
    headline, classes, mistakes = made[0], made[-2], made[-1]
    assert headline.figures[0][:2] == ("Accuracy", "66.67 %")
    assert [row.label for row in classes.rows] == ["class 0", "class 1"]
    assert mistakes.items == [("class 0 (70.00 %), labelled class 1", "example 2")]


def test_beside_a_baseline():
    labels, scores = answers(400, 2)
    _, worse = answers(400, 2, seed=1, skill=0.3)
    table = sections(labels, scores, baseline=("NB-SVM", worse))[1]
    assert (table.heading, table.columns[-1]) == ("Comparison with NB-SVM", "NB-SVM")
    ours, theirs = ((s.argmax(axis=1) == labels).mean() for s in (scores, worse))
    assert table.rows[0] == ("Accuracy", f"{100 * ours:.2f} %", f"{100 * theirs:.2f} %")
    assert f"Accuracy difference {100 * (ours - theirs):+.2f} points" in table.note
    assert "p < 0.0001" in table.note
    few = sections(labels[:29], scores[:29], baseline=("NB-SVM", worse[:29]))[1]
    assert "points, which may be chance: there are too few examples to tell." in few.note
    assert "p " not in few.note
