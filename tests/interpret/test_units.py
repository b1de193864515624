"""Units that tell properties: planted ones are found, chance is not."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textapps.core.errors import DataError
from textapps.interpret.properties import BUILT_IN, line_length, properties_of
from textapps.interpret.units import FEWEST, find_units

WORDS = ("the", "Tom", "not", "“we”", "(so)", "ran", "never", "sea,", "of", "light.")
UNITS, PLANTED = 50, 17


def verses(draw: np.random.Generator, length: int = 2000) -> str:
    """Lines of 3 to 12 words."""
    lines = []
    while sum(map(len, lines)) < length:
        lines.append(" ".join(draw.choice(WORDS, draw.integers(3, 13))) + "\n")
    return "".join(lines)[:length]


def slow_noise(draw: np.random.Generator, length: int, units: int = UNITS) -> np.ndarray:
    """Units that each go on for as long as properties do: AR(1) with rates up to 0.99."""
    rates = draw.uniform(0.0, 0.99, units)
    rows = np.zeros((length, units))
    for time in range(1, length):
        rows[time] = rates * rows[time - 1] + draw.normal(size=units)
    return rows


def test_a_planted_counter_of_the_line_is_found_and_none_in_shuffled_text() -> None:
    """Over 20 seeds: the same units, with the text and with its characters shuffled."""
    found, false = 0, 0
    for seed in range(20):
        draw = np.random.default_rng(seed)
        text = verses(draw)
        units = slow_noise(draw, len(text))
        units[:, PLANTED] = np.tanh(line_length(text) / 40) + draw.normal(size=len(text)) / 10
        by_name = {f.property: f for f in find_units(units, properties_of(text, {}))}
        line = by_name["line length so far"]
        found += line.holds and line.unit == PLANTED
        shuffled = "".join(draw.permutation(list(text)))
        false += sum(each.holds for each in find_units(units, properties_of(shuffled, {})))
    assert found == 20
    assert false <= 1


def test_what_is_found_on_one_half_only_is_not_confirmed() -> None:
    draw = np.random.default_rng(3)
    text = verses(draw)
    units = slow_noise(draw, len(text))
    half = len(text) // 2
    units[:half, PLANTED] = line_length(text)[:half]
    (finding,) = find_units(units, {"line": line_length(text)})
    assert finding.unit == PLANTED
    assert finding.found == pytest.approx(1.0)
    assert abs(finding.confirmed) < 0.3
    assert not finding.holds


def test_a_unit_that_changes_its_sign_is_not_confirmed() -> None:
    draw = np.random.default_rng(4)
    text = verses(draw)
    values = line_length(text)
    units = slow_noise(draw, len(text))
    half = len(text) // 2
    units[:, PLANTED] = np.where(np.arange(len(text)) < half, values, -values)
    (finding,) = find_units(units, {"line": values})
    assert (finding.found, finding.confirmed) == (pytest.approx(1.0), pytest.approx(-1.0))
    assert not finding.holds


def test_correlations_are_those_of_numpy() -> None:
    draw = np.random.default_rng(5)
    units, values = draw.normal(size=(400, 3)), draw.normal(size=400)
    (finding,) = find_units(units, {"noise": values})
    assert finding.unit is not None
    first, second = (
        np.corrcoef(units[part, finding.unit], values[part])[0, 1]
        for part in (slice(200), slice(200, 400))
    )
    assert finding.found == pytest.approx(first)
    assert finding.confirmed == pytest.approx(second)
    assert abs(first) == max(
        abs(np.corrcoef(units[:200, unit], values[:200])[0, 1]) for unit in range(3)
    )


def test_a_property_that_is_too_rare_is_named_as_such() -> None:
    draw = np.random.default_rng(6)
    rare = np.zeros(FEWEST)
    rare[[3, 50, 200, 299]] = 1
    units = draw.normal(size=(FEWEST, 4))
    units[:, 2] = 1.0  # a unit that never changes
    rows = find_units(units, {"rare": rare, "never": 0 * rare, "half": (np.arange(300) % 2) * 1.0})
    assert [row.unit is None for row in rows] == [True, True, False]
    assert not any(row.holds for row in rows)
    assert find_units(units, {"rare": rare})[0].unit is None


def test_a_short_text_is_refused() -> None:
    with pytest.raises(DataError, match="299 characters are too few"):
        find_units(np.zeros((299, 2)), {})


@given(st.text("ab \n\"'“”()[]{}Not never.,", max_size=60), st.integers(0, 60))
def test_properties_do_not_know_what_comes_later(text: str, cut: int) -> None:
    """But where a word, a name or a line ends decides what it is."""
    for name in ("inside quotes", "inside brackets", "line length so far"):
        whole = BUILT_IN[name](text)
        assert len(whole) == len(text)
        assert BUILT_IN[name](text[:cut]).tolist() == whole[:cut].tolist()


@given(st.text(max_size=40))
def test_properties_of_any_text(text: str) -> None:
    found = properties_of(text, {"a": re.compile("a*")})
    assert list(found) == [*BUILT_IN, "a"]
    for values in found.values():
        assert len(values) == len(text)
        assert np.isfinite(values).all()
    assert found["a"].tolist() == [float(c == "a") for c in text]
    lines = [place - text.rfind("\n", 0, place + 1) for place in range(len(text))]
    expected = [0 if text[i] == "\n" else place for i, place in enumerate(lines)]
    assert found["line length so far"].tolist() == expected


@pytest.mark.parametrize(
    ("name", "text", "marked"),
    [
        ("inside quotes", 'say "no"!', "____xxx__"),
        ("inside quotes", "«oui» “no”", "xxxx__xxx_"),
        ("inside brackets", "f(a[b])c", "_xxxxx__"),
        ("inside a word", "it's a-b", "xxxx_x_x"),
        ("inside a name", "He saw Ann. She", "_______xxx_____"),
        ("inside a name", "ROMEO: O he", "xxxxx______"),
        ("after a negation", "I don't go; go", "_______xxx____"),
        ("after a negation", "knot so", "_______"),
        ("after a negation", "Never\nso", "________"),
    ],
)
def test_marks_of_properties(name: str, text: str, marked: str) -> None:
    assert "".join("_x"[int(value)] for value in BUILT_IN[name](text)) == marked
