import itertools

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from textapps.evaluation.metrics.classification import LengthRow
from textapps.evaluation.metrics.translation import LengthScores
from textapps.evaluation.reports import plots

HISTORY = [
    {"step": "5", "loss": "0.7", "accuracy": "0.5", "val_loss": "0.6", "val_accuracy": "0.55"},
    {"step": "10", "loss": "0.4", "accuracy": "0.8", "val_loss": "", "val_accuracy": ""},
    {"step": "12", "loss": "0.3", "accuracy": "0.9", "val_loss": "0.5", "val_accuracy": "0.75"},
]


def drawn(figure):
    """All text of a figure, after a dry run of drawing it."""
    figure.draw_without_rendering()
    return [text.get_text() for text in figure.findobj(lambda a: hasattr(a, "get_text"))]


def test_learning_curves_skip_what_was_not_measured():
    figure = plots.learning_curves(HISTORY)
    loss, accuracy = figure.axes
    assert (loss.get_ylabel(), accuracy.get_ylabel()) == ("loss", "accuracy")
    training, validation = loss.get_lines()
    assert list(training.get_xdata()) == [5, 10, 12]
    assert list(validation.get_xdata()) == [5, 12]
    assert list(validation.get_ydata()) == [0.6, 0.5]


@pytest.mark.parametrize("rows", [[], [{"step": "5", "loss": "0.7"}]])
def test_learning_curves_of_nothing(rows):
    assert "no training history" in drawn(plots.learning_curves(rows))


def test_learning_curves_of_what_only_validation_has():
    rows = [{**row, "val_bleu": value} for row, value in zip(HISTORY, (1, "2.5", ""), strict=True)]
    figure = plots.learning_curves(rows, leave_out=("loss",))
    assert [axes.get_ylabel() for axes in figure.axes] == ["accuracy", "BLEU"]
    (line,) = figure.axes[1].get_lines()
    assert (list(line.get_xdata()), list(line.get_ydata())) == ([5, 10], [1, 2.5])


def test_confusion_shows_counts_and_shares_of_the_true_class():
    figure = plots.confusion([[6, 2], [0, 3]], ["bad", "good"])
    (axes,) = figure.axes
    assert [t.get_text() for t in axes.texts] == ["6", "2", "0", "3"]
    # Read from the top: (column, row) of the 2 is (1, 0), and row 0 is above row 1.
    assert axes.texts[1].get_position() == (1, 0)
    assert axes.yaxis_inverted()
    figure.draw_without_rendering()
    colours = axes.collections[0].get_facecolor()
    np.testing.assert_allclose(colours[:, 3], [0.75, 0.25, 0.0, 1.0])
    np.testing.assert_allclose(colours[0, :3], to_rgba(plots.FIRST)[:3])


@pytest.mark.parametrize("classes", [2, 5, 12, 13, 60])
def test_confusion_stays_readable(classes):
    names = [f"a name too long ${i}" for i in range(classes)]
    figure = plots.confusion(np.full((classes, classes), 7), names)
    (axes,) = figure.axes
    assert drawn(figure).count("7") == (classes**2 if classes <= 12 else 0)
    for axis in (axes.xaxis, axes.yaxis):
        shown = [label.get_text() for label in axis.get_ticklabels()]
        assert len(shown) == (20 if classes == 60 else classes)
        assert all(len(name) <= plots.NAME_LENGTH for name in shown)


def test_a_class_without_examples_has_an_empty_row():
    figure = plots.confusion([[0, 0, 0], [1, 3, 0], [0, 0, 2]], ["a", "b", "c"])
    assert drawn(figure).count("0") == 6


def test_reliability_puts_the_bins_where_they_belong():
    labels = [0, 1, 1, 0]
    scores = [[0.9, 0.1], [0.9, 0.1], [0.35, 0.65], [0.65, 0.35]]
    above, below = plots.reliability(labels, scores).axes
    line = next(line for line in above.get_lines() if line.get_color() == plots.FIRST)
    np.testing.assert_allclose(line.get_xdata(), [0.65, 0.9])
    np.testing.assert_allclose(line.get_ydata(), [1.0, 0.5])
    np.testing.assert_allclose([bar.get_height() for bar in below.patches], [0.5, 0.5])


def test_accuracy_by_length():
    rows = [LengthRow(1, 4, 30, 0.9, 0.8, 0.95), LengthRow(5, 5, 10, 0.5, 0.3, 0.7)]
    figure = plots.accuracy_by_length(rows, "characters")
    texts = drawn(figure)
    assert {"1–4", "5", "characters"} <= set(texts)
    (axes,) = figure.axes
    assert axes.get_lines()[0].get_ydata()[0] == pytest.approx((30 * 0.9 + 10 * 0.5) / 40)


def test_accuracy_by_length_of_nothing():
    assert "no examples" in drawn(plots.accuracy_by_length([]))


def test_ngram_orders():
    figure = plots.ngram_orders([3.0, 2.5, 2.25], 1.5)
    (axes,) = figure.axes
    model, orders = axes.get_lines()
    assert (list(orders.get_xdata()), list(orders.get_ydata())) == ([1, 2, 3], [3.0, 2.5, 2.25])
    assert list(model.get_ydata()) == [1.5, 1.5]
    assert {"this model", "n-grams"} <= set(drawn(figure))


def test_translation_by_length():
    rows = [
        LengthScores(1, 4, 30, 40.0, 35.0, 44.0, 60.0, 0.9),
        LengthScores(5, 5, 9, 30, 20, 33, 50, 1),
    ]
    figure = plots.translation_by_length(rows, "words of the source")
    assert {"1–4", "5", "words of the source", "BLEU", "chrF"} <= set(drawn(figure))
    (axes,) = figure.axes
    lines = {line.get_color(): list(line.get_ydata()) for line in axes.get_lines()}
    assert lines == {plots.SECOND: [60, 50], plots.FIRST: [40, 30]}
    ((first, second),) = [bars.get_segments() for bars in axes.collections]
    assert first.tolist() == [[0, 35], [0, 44]]
    assert second.tolist() == [[1, 20], [1, 33]]
    assert "no examples" in drawn(plots.translation_by_length([]))


def test_attention_reads_from_the_top_left():
    weights = np.float32([[0.1, 0.4, 0.0], [0.8, 0.2, 0.4]])
    figure = plots.attention(weights, ["$a$", "b", "c"], ["x", "a name too long"])
    (axes,) = figure.axes
    drawn(figure)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["$a$", "b", "c"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["x", "a name too lo…"]
    assert axes.yaxis_inverted()
    colours = axes.collections[0].get_facecolor()
    np.testing.assert_allclose(colours[:, 3], [0.125, 0.5, 0, 1, 0.25, 0.5], atol=1e-6)


@pytest.mark.parametrize(("target", "source"), [(1, 1), (3, 50), (50, 3), (32, 32), (0, 2)])
def test_attention_stays_readable(target, source):
    weights = np.zeros((target, source), np.float32)
    figure = plots.attention(weights, ["token"] * source, ["Rindfleisch"] * target)
    texts = drawn(figure)
    if not target:
        assert "no tokens" in texts
        return
    (axes,) = figure.axes
    assert len(axes.get_xticklabels()) == min(source, plots.TOKENS_UP_TO)
    assert len(axes.get_yticklabels()) == min(target, plots.TOKENS_UP_TO)
    for axis, side in ((axes.xaxis, "x"), (axes.yaxis, "y")):
        boxes = [label.get_window_extent() for label in axis.get_ticklabels()]
        for one, two in itertools.pairwise(boxes):
            assert (one.x1 <= two.x0) if side == "x" else (one.y0 >= two.y1)
