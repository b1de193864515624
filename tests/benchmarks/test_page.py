"""docs/results.md and the tables of docs/distributed.md are those of the results."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from benchmarks import page
from benchmarks.benchmark import SUITES, load
from benchmarks.page import Block, filled
from benchmarks.results import FOLDER, Results
from benchmarks.suites.accuracy import Accuracy
from benchmarks.suites.distributed import Scaling

MACHINE = {"cores": 1, "system": "Linux", "tensorflow": "1", "keras": "2", "date": "2026-01-02"}


def block(**fields: Any) -> Block:
    return Block.model_validate(fields)


def rendered(results: Results, **fields: Any) -> list[str]:
    return "\n".join(block(**fields).render(results)).splitlines()


def test_the_pages_of_the_documentation_are_those_of_the_results() -> None:
    text = (FOLDER.parent / "results.md").read_text(encoding="utf-8")
    assert text == page.render(Results()), "run python -m benchmarks page"
    scaling = load("scaling")
    assert isinstance(scaling, Scaling)
    text = (FOLDER.parent / "distributed.md").read_text(encoding="utf-8")
    assert scaling.tables(Results()) in text, "run python -m benchmarks scaling"


def test_every_result_is_of_a_benchmark() -> None:
    table = Path(page.__file__).with_name("page.toml")
    blocks = tomllib.loads(table.read_text(encoding="utf-8"))["block"]
    expected = set(SUITES) | {each["result"] for each in blocks if "result" in each}
    expected |= {row["result"] for each in blocks for row in each.get("rows", ())}
    for name in SUITES:
        suite = load(name)
        if isinstance(suite, Accuracy):
            expected |= {suite.result_of(case) for case in suite.table()}
    assert set(Results().names()) <= expected


def test_without_results_every_figure_is_said_to_be_missing(results: Results) -> None:
    text = page.render(results)
    rows = [line for line in text.splitlines() if "| not measured |" in line]
    names = ("sentiment", "generate", "shakespeare", "translate", "tatoeba", "speech")
    for suite in map(load, names):
        assert isinstance(suite, Accuracy)
        for case in suite.table():
            assert any(row.startswith(f"| {suite.label_of(case)} | not") for row in rows)
    assert text.count("\n\nNot measured.\n\n") == 26


def test_rows_of_cases_and_of_other_results(results: Results) -> None:
    figures = {"metrics": {"accuracy": 0.65432}, "parameters": 1234567, "wall_seconds": None}
    results.write("generate-small-lstm", figures, [], MACHINE)
    results.write("nbsvm", {"features": 7654, "best": {"metrics": {"accuracy": 0.5}}}, [], MACHINE)
    lines = rendered(
        results,
        heading="## Here",
        suite="generate",
        rows=[
            {"label": "n-grams ({features:,})", "result": "nbsvm", "at": "best"},
            {"label": "own", "result": "nbsvm", "cells": ["{features}"]},
            {"label": "never", "result": "nothing", "optional": True},
        ],
        columns=[
            ["accuracy, %", "**{metrics.accuracy:pct}**"],
            ["parameters", "{parameters|features:,}"],
            ["wall, s", "{wall_seconds:.0f}"],
        ],
    )
    assert lines[:3] == [
        "## Here",
        "|  | accuracy, % | parameters | wall, s |",
        "| --- | --- | --- | --- |",
    ]
    assert "| `gru`, preset `small` | not measured |  |  |" in lines
    assert "| `lstm`, preset `small` | **65.43** | 1,234,567 |  |" in lines
    assert lines[-2:] == ["| n-grams (7,654) | **50.00** |  |  |", "| own | 7654 |  |  |"]
    measured = rendered(
        results, suite="generate", measured_only=True, columns=[["a", "{parameters}"]]
    )
    assert measured[2:] == ["| `lstm`, preset `small` | 1234567 |"]


def test_rows_of_the_parts_of_a_result(results: Results) -> None:
    figures = {
        "rounds": 3,
        "ratios": {"x": 1.5},
        "sides": {"x": {"each": [1.4, 2]}, "y": {"each": []}},
        "cases": [{"batch": 64}],
        "times": {"a": 2.5},
    }
    results.write("search", figures, [], MACHINE)
    fields = {"result": "search", "figures": "{rounds} rounds:", "labels": {"y": "Y"}}
    columns = [["each", "{each:.0f}"], ["ratio", "{result.ratios.@key:.1f} ×"]]
    lines = rendered(results, **fields, each="sides", label="`{key}`", columns=columns)
    assert lines == [
        "3 rounds:",
        "|  | each | ratio |",
        "| --- | --- | --- |",
        "| `x` | 1, 2 | 1.5 × |",
        "| Y |  |  |",
    ]
    lines = rendered(
        results, result="search", each="cases", label="{batch}", columns=[["n", "{key}"]]
    )
    assert lines[2:] == ["| 64 | 0 |"]
    lines = rendered(results, result="search", each="times", columns=[["n", "{value:.1f}"]])
    assert lines[2:] == ["| a | 2.5 |"]
    assert rendered(results, result="nothing", each="times", columns=[["n", "{value}"]]) == [
        "Not measured."
    ]


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{p:p}", "< 0.0001"),
        ("{q:p}", "0.0321"),
        ("{d:points}", "-1.25"),
        ("{r:+.1%}", "+1.2 %"),
        ("{b}", "yes"),
        ("{statuses:,}", "200: 1,234, 404: 5"),
        ("{a.b}", ""),
        ("({d:.1f} to {a})", ""),
        ("as it is", "as it is"),
    ],
)
def test_templates(template: str, text: str) -> None:
    scope = {"p": 1e-5, "q": 0.0321, "d": -0.0125, "r": 0.0123, "b": True, "a": None}
    assert filled(template, {**scope, "statuses": {"200": 1234, "404": 5}}) == text


def test_an_unknown_key_of_the_page_is_an_error() -> None:
    with pytest.raises(ValueError, match="colums"):
        block(text="x", colums=[])


def test_the_page_is_written_beside_its_results(results: Results) -> None:
    results.write("nbsvm", {"features": 7}, ["nbsvm"], MACHINE)
    path = page.write(results)
    assert path == results.folder.parent / "results.md"
    row = "| [nbsvm](results/nbsvm.json) | `python -m benchmarks nbsvm` | 1 core, Linux | "
    assert f"{row}TensorFlow 1, Keras 2 | 2026-01-02 |" in path.read_text(encoding="utf-8")
