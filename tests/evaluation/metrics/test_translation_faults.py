import pytest
from hypothesis import given
from hypothesis import strategies as st

from textapps.evaluation.metrics.translation import ScoredTranslations
from textapps.evaluation.metrics.translation_faults import find_faults

LONG = "one two three four five six seven"


def faults(answer, reference):
    found = find_faults(ScoredTranslations([answer], [reference]))._asdict()
    return {name for name, rows in found.items() if rows}


@pytest.mark.parametrize(
    ("answer", "reference", "expected"),
    [
        ("", "x", {"empty"}),
        (" \n", "x", {"empty"}),
        ("", "", set()),
        ("a b c d e f g", "a", set()),  # 7 tokens to 1: 2 · 1 + 5
        ("a b c d e f g h", "a", {"too_long"}),
        ("a a a", "b c", {"repeating"}),
        ("a a b a a", "b c", set()),
        (f"so {LONG} {LONG} {LONG} .", f"{LONG} {LONG}", {"repeating"}),
        (f"so {LONG} {LONG} {LONG[:-5]}", LONG * 2, set()),
        ("no no no", "no , no no no", set()),
        ("哈哈哈", "他笑了", {"repeating"}),
        ("哈哈他", "他笑了", set()),
    ],
)
def test_by_hand(answer, reference, expected):
    assert faults(answer, reference) == expected


@given(st.lists(st.sampled_from("ab"), max_size=14))
def test_a_loop_is_a_piece_three_times_running(tokens):
    expected = any(
        tokens[i : i + n] == tokens[i + n : i + 2 * n] == tokens[i + 2 * n : i + 3 * n]
        for n in range(1, len(tokens) // 3 + 1)
        for i in range(len(tokens) - 3 * n + 1)
    )
    assert ("repeating" in faults(" ".join(tokens), "x")) == expected


def test_rows_are_named():
    scored = ScoredTranslations(
        ["fine", "", "so so so so so so so so", ""], ["fine", "a", "b", "c"]
    )
    assert tuple(find_faults(scored)) == ((1, 3), (2,), (2,))
