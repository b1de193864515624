import pytest

from textapps.evaluation.reports.curves import curves_over_seconds


def row(seconds: float, loss: float) -> dict[str, str]:
    return {"step": "3", "seconds": str(seconds), "val_loss": str(loss), "val_bleu": ""}


def test_a_line_for_each_run_over_its_seconds() -> None:
    figure = curves_over_seconds(
        [("A", [row(2.5, 0.7), row(5, 0.6)]), ("B", []), ("C", [row(9, 0.5)])], "loss"
    )
    (axes,) = figure.axes
    found = [(line.get_label(), *line.get_xydata().tolist()) for line in axes.lines]
    assert found == [("A", [2.5, 0.7], [5.0, 0.6]), ("C", [9.0, 0.5])]
    assert axes.get_xlabel() == "seconds of training"


def test_many_runs_are_told_apart() -> None:
    runs = [(str(number), [row(1, number)]) for number in range(8)]
    (axes,) = curves_over_seconds(runs, "loss").axes
    looks = {(line.get_color(), line.get_linestyle()) for line in axes.lines}
    assert len(looks) == 8


@pytest.mark.parametrize("metric", ["bleu", "accuracy"])
def test_nothing_to_draw(metric: str) -> None:
    (axes,) = curves_over_seconds([("A", [row(1, 2)])], metric).axes
    assert [text.get_text() for text in axes.texts] == ["no training history"]
