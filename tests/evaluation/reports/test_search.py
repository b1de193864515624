"""What the page of a search says where there is little to show."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_search import found
from textapps.evaluation.reports.search import search_report
from textapps.evaluation.reports.search_plots import quality_and_size
from textapps.evaluation.reports.sections import Paragraph, Plot


def section(heading: str, **changes: Any) -> Any:
    sections = search_report(found(Path("run"), **changes)).sections
    (one,) = [section for section in sections if section.heading == heading]
    return one


@pytest.mark.parametrize("shares", [{}, {"a": 0.0, "b": 0.0}, {"a": float("nan")}])
def test_importances_that_cannot_be_told_are_not_drawn(shares: dict[str, float]) -> None:
    told = section("Importance of the keys", importances=shares)
    assert isinstance(told, Paragraph)
    assert told.text.startswith("It cannot be told: too few trials")
    assert isinstance(section("Importance of the keys"), Plot)


def test_a_legend_names_only_what_is_drawn() -> None:
    made = found(Path("run"))
    other = replace(made.tried[0], megabytes=1.0, milliseconds=2.0)
    for tried, names in (
        (made.tried, ["front"]),
        ([other], ["others"]),
        ([*made.tried, other], ["others", "front"]),
    ):
        (axes,) = quality_and_size(replace(made, tried=tried)).axes
        assert [text.get_text() for text in axes.get_legend().get_texts()] == names


def test_a_search_that_took_longer_says_so_in_one_unit() -> None:
    facts = search_report(found(Path("run"), seconds_named=12.0, seconds_used=24.4)).facts
    assert facts["time"] == "24 seconds, 12 more than the 12 given"
    facts = search_report(found(Path("run"), seconds_named=1800.0, seconds_used=1799.0)).facts
    assert facts["time"] == "30.0 of 30 minutes"
