import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textapps.core.errors import DataError
from textapps.evaluation.metrics.bootstrap import wilson_interval
from textapps.evaluation.metrics.classification import classification_metrics
from textapps.evaluation.metrics.speech import (
    accuracy_in_noise,
    noise_metrics,
    speaker_metrics,
    speaker_spread,
    speech_metrics,
)

NAMES = ("yes", "no", "unknown", "silence")
COMMANDS = ("yes", "no")


def certain(given, classes=4):
    return np.eye(classes)[given] * 0.9 + 0.1 / classes


def metrics(labels, given, **options):
    return speech_metrics(labels, certain(given), NAMES, commands=COMMANDS, resamples=10, **options)


def test_accepts_and_rejects_by_hand():
    labels = [0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3]
    given_ = [0, 1, 1, 2, 3, 0, 1, 2, 3, 3, 0]
    found = metrics(labels, given_)
    assert found["false_accept_rate"] == 2 / 4
    assert found["false_reject_rate"] == 2 / 5
    low, high = wilson_interval(2, 4)
    assert (found["false_accept_rate_low"], found["false_accept_rate_high"]) == (low, high)
    assert found["accuracy"] == pytest.approx(4 / 11)
    expected = classification_metrics(labels, certain(given_), resamples=10)
    assert {name: found[name] for name in expected} == expected


def test_a_share_of_nothing_is_left_out():
    found = metrics([0, 1, 3], [0, 0, 3])
    assert "false_accept_rate" not in found
    assert found["false_reject_rate"] == 0.0
    assert "false_reject_rate" not in metrics([2, 2], [2, 0])
    closed = speech_metrics([0, 1], certain([0, 1], 2), NAMES[:2], commands=COMMANDS, resamples=0)
    assert not {"false_accept_rate", "false_reject_rate"} & set(closed)


def test_spread_by_hand():
    speakers = ["a"] * 4 + ["b"] * 3 + ["c"] * 2 + [""] + ["d"] * 5
    correct = [1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 0]
    spread = speaker_spread(correct, speakers)
    assert spread.rows == [("a", 4, 0.5), ("d", 5, 0.8), ("b", 3, 1.0)]
    assert (spread.median, spread.worst_decile) == (0.8, 0.5)
    found = speaker_metrics(spread)
    assert found["speakers"] == 3
    assert found["speaker_accuracy_low"] <= 9 / 14 <= found["speaker_accuracy_high"]
    assert speaker_spread(correct, speakers, least=2).rows[0] == ("c", 2, 0.0)


def test_no_speakers_no_spread():
    assert speaker_spread([1, 0], ["", ""]) is None
    assert speaker_spread([1, 0], ["a", "b"]) is None
    assert speaker_spread([], []) is None
    with pytest.raises(DataError, match="speakers"):
        speaker_spread([1], ["a", "b"])


def test_chance_explains_a_spread_without_difficult_speakers_and_no_other():
    random = np.random.default_rng(5)
    speakers = [f"s{i % 40}" for i in range(1_200)]
    alike = speaker_spread(random.random(1_200) < 0.9, speakers)
    assert alike.worst_decile == pytest.approx(alike.expected_worst_decile, abs=0.04)
    hard = np.array([int(name[1:]) < 6 for name in speakers])
    apart = speaker_spread(random.random(1_200) < np.where(hard, 0.35, 0.98), speakers)
    assert apart.worst_decile < apart.expected_worst_decile - 0.1


def test_resampling_speakers_is_wider_where_their_mistakes_go_together():
    speakers = [f"s{i // 10}" for i in range(200)]
    by_speaker = [i // 10 % 5 > 0 for i in range(200)]
    spread_out = [i % 5 > 0 for i in range(200)]
    together, apart = (speaker_spread(correct, speakers) for correct in (by_speaker, spread_out))
    low, high = together.interval.values()
    assert high - low > 0.25
    assert apart.interval == {}  # every resample has the same


def test_one_speaker_tells_nothing_of_others():
    spread = speaker_spread([1, 0, 1, 1], ["a"] * 4)
    assert spread.interval == {}
    assert "speaker_accuracy_low" not in speaker_metrics(spread)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(["", "x", "y", "z"])), max_size=20))
def test_any_spread_is_in_order(answers):
    correct, speakers = [c for c, _ in answers], [s for _, s in answers]
    spread = speaker_spread(correct, speakers, least=1, resamples=20)
    assert (spread is None) == (not any(speakers))
    if spread:
        accuracies = [row.accuracy for row in spread.rows]
        assert accuracies == sorted(accuracies)
        assert spread.worst_decile <= spread.median
        assert sum(row.clips for row in spread.rows) == sum(map(bool, speakers))
        assert np.all(np.diff(spread.expected) >= 0)
        assert np.all((spread.expected >= 0) & (spread.expected <= 1))


def test_noise_by_hand():
    labels = [0, 1, 2, 3, 0]
    clean = certain([0, 1, 2, 3, 1])
    noisy = {0: certain([1, 0, 2, 0, 1]), 20.0: certain([0, 1, 2, 0, 0]), -2.5: certain([1] * 5)}
    rows = accuracy_in_noise(labels, clean, noisy)
    assert [row.snr_db for row in rows] == [20, 0, -2.5]
    assert [row.accuracy for row in rows] == pytest.approx([0.8, 0.2, 0.2])
    assert [row.loss for row in rows] == pytest.approx([0.0, 0.6, 0.6])
    for row in rows:
        assert row.low < row.accuracy < row.high
        assert row.loss_low <= row.loss <= row.loss_high
    assert rows[0].loss_low < 0 < rows[0].loss_high
    assert list(noise_metrics(rows))[::3] == ["accuracy_20_db", "accuracy_0_db", "accuracy_-2.5_db"]


def test_noise_needs_the_same_clips():
    with pytest.raises(DataError, match="5 dB"):
        accuracy_in_noise([0, 1], certain([0, 1]), {5: certain([0])})
