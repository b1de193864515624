import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textapps.core.errors import DataError
from textapps.evaluation.metrics.bootstrap import paired_bootstrap
from textapps.evaluation.metrics.classification import ClassifierFigures
from textapps.evaluation.metrics.differences import differences, holm
from textapps.evaluation.metrics.language import LanguageFigures, language_metrics, paired_gain
from textapps.evaluation.metrics.speech import SpeechFigures, speech_metrics

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=9)


def classifier(correct):
    """Of class 0 throughout, with a score of 0.9 for what it says."""
    right = np.asarray(correct, bool)[:, None]
    return ClassifierFigures(np.zeros(len(right), int), np.where(right, [[0.9, 0.1]], [[0.1, 0.9]]))


def test_accuracy_agrees_with_the_paired_bootstrap_of_two_means() -> None:
    random = np.random.default_rng(5)
    one, other = random.random(67) < 0.9, random.random(67) < 0.7
    (row,) = differences([classifier(one), classifier(other)], ["accuracy"], resamples=400)
    oracle = paired_bootstrap(one, other, resamples=400)
    assert row.difference == pytest.approx(oracle.difference)
    assert (row.low, row.high) == pytest.approx((oracle.low, oracle.high))
    assert row.p_value == pytest.approx(2 * (400 * oracle.p_value + 1) / 401)


def test_nats_agree_with_the_paired_gain_and_less_is_better() -> None:
    random = np.random.default_rng(6)
    nats = random.random(30_100)
    worse = nats + 0.1 + 0.01 * random.random(30_100)
    (row,) = differences(
        [LanguageFigures(worse), LanguageFigures(nats)], ["nats_per_character"], resamples=300
    )
    gain = paired_gain(nats, worse, resamples=300)
    assert (row.difference, row.low, row.high) == pytest.approx((gain.difference, *gain[1:3]))
    assert row.better == 1
    assert LanguageFigures(nats).of(np.ones(30)) == {
        "nats_per_character": pytest.approx(language_metrics(nats)["nats_per_character"])
    }


def test_a_system_and_itself_do_not_differ() -> None:
    system = classifier([True, False, True])
    for row in differences([system] * 3, ["accuracy", "log_loss"], resamples=50):
        assert row[3:] == (0.0, 0.0, 0.0, 1.0, 1.0, None, 3)


def test_the_better_of_each_pair_after_correction() -> None:
    good, bad = np.ones(200, bool), np.arange(200) % 4 > 0
    slightly = good.copy()
    slightly[0] = False
    rows = differences(
        [classifier(bad), classifier(good), classifier(slightly)],
        ["accuracy", "log_loss"],
        resamples=500,
    )
    assert [(row.metric, row.first, row.second, row.better) for row in rows] == [
        ("accuracy", 0, 1, 1),
        ("accuracy", 0, 2, 2),
        ("accuracy", 1, 2, None),
        ("log_loss", 0, 1, 1),
        ("log_loss", 0, 2, 2),
        ("log_loss", 1, 2, None),
    ]
    assert rows[0].corrected == pytest.approx(6 * 2 / 501)


@pytest.mark.slow
def test_many_systems_can_still_differ() -> None:
    """A smallest p-value of 2 / 5,001 would not stand the correction for 90 comparisons."""
    good, bad = np.ones(40, bool), np.arange(40) % 2 > 0
    systems = [classifier(good)] * 9 + [classifier(bad)]
    rows = differences(systems, ["accuracy", "log_loss"])
    better = [(row.first, row.second) for row in rows if row.better is not None]
    assert better == [(first, 9) for first in range(9)] * 2


def test_known_p_values_take_the_place_of_the_resamples() -> None:
    systems = [classifier([True] * 9), classifier([True, False] * 4 + [True])]
    (row,) = differences(systems, ["accuracy"], {("accuracy", (0, 1)): 0.75}, resamples=20)
    assert (row.p_value, row.corrected, row.better) == (0.75, 0.75, None)


def test_resamples_without_the_examples_of_a_rate_are_left_out() -> None:
    names, commands = ("go", "unknown"), ("go",)
    labels = [0, 0, 0, 0, 1]  # a third of the resamples has no unknown clip
    scores = np.array([[0.9, 0.1]] * 5)
    one = SpeechFigures(labels, scores, names, commands=commands)
    other = SpeechFigures(labels, np.vstack([scores[:4], [[0.2, 0.8]]]), names, commands=commands)
    (row,) = differences([one, other], ["false_accept_rate"], resamples=100)
    assert (row.difference, row.low, row.high) == (1.0, 1.0, 1.0)
    expected = speech_metrics(labels, scores, names, commands=commands, resamples=0)
    found = one.of(np.ones(5))
    assert found == {name: expected[name] for name in found}


def test_one_clip_makes_no_recogniser_better() -> None:
    names, commands = ("go", "unknown"), ("go",)
    labels = [0] * 99 + [1]
    wrong = np.array([[0.9, 0.1]] * 100)
    right = np.vstack([wrong[:99], [[0.2, 0.8]]])
    pair = [SpeechFigures(labels, each, names, commands=commands) for each in (wrong, right)]
    (row,) = differences(pair, ["false_accept_rate"], resamples=100)
    assert row.corrected < 0.05
    assert (row.better, row.examples, row.is_of_few) == (None, 1, True)
    (row,) = differences(pair, ["accuracy"], resamples=100)
    assert not row.is_of_few


def test_a_short_text_makes_no_generator_better() -> None:
    """Its blocks are shorter than a style lasts, so chance looks certain."""
    nats = np.random.default_rng(8).random(9_000)
    pair = [LanguageFigures(nats), LanguageFigures(nats + 0.1)]
    (row,) = differences(pair, ["nats_per_character"], resamples=100)
    assert row.corrected < 0.05
    assert (row.better, row.examples) == (None, 9)


def test_systems_with_other_examples_are_refused() -> None:
    with pytest.raises(DataError, match="not to 3, 2 of them"):
        differences([classifier([True] * 3), classifier([True] * 2)], ["accuracy"])


@given(P_VALUES)
def test_holm_rejects_as_the_stepwise_procedure_does(p_values: list[float]) -> None:
    corrected = holm(p_values)
    for level in (0.01, 0.05, 0.3):
        rejected, left = set(), sorted(range(len(p_values)), key=lambda i: p_values[i])
        while left and p_values[left[0]] * len(left) <= level:
            rejected.add(left.pop(0))
        assert {i for i, p_value in enumerate(corrected) if p_value <= level} == rejected
    assert all(before <= after <= 1 for before, after in zip(p_values, corrected, strict=True))


@pytest.mark.parametrize(("examples", "better"), [(29, None), (30, 0)])
def test_few_examples_make_none_better(examples: int, better: int | None) -> None:
    one, other = np.ones(examples, bool), np.zeros(examples, bool)
    (row,) = differences([classifier(one), classifier(other)], ["accuracy"], resamples=99)
    assert (row.difference, row.corrected, row.better) == (1, 0.02, better)
