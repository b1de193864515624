import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import poisson

from textapps.core.errors import DataError
from textapps.evaluation.metrics.detection import (
    Event,
    count_interval,
    detection_metrics,
    match_detections,
)

COMMANDS = ("go", "stop")
SAID = [
    Event("go", 1_000, 2_000),
    Event("dog", 3_000, 4_000),
    Event("stop", 5_000, 6_000),
    Event("go", 7_000, 8_000),
]


def figures(heard, events=SAID, seconds=360.0, **options):
    labels, times = [label for label, _ in heard], [time for _, time in heard]
    return detection_metrics(labels, times, events, commands=COMMANDS, seconds=seconds, **options)


def test_worked_by_hand():
    heard = [
        ("go", 500),  # before anything was said
        ("go", 1_600),  # hit, after 600 ms
        ("go", 1_900),  # the same word again
        ("stop", 3_200),  # another word
        ("go", 5_100),  # the wrong command
        ("go", 8_400),  # hit, within the tolerance, after 1400 ms
        ("stop", 9_000),  # too late
    ]
    said = figures(heard)
    assert said["commands_said"] == 3
    assert said["hits"] == 2
    assert said["miss_rate"] == pytest.approx(1 / 3)
    assert said["false_alarms"] == 5
    assert said["false_alarms_on_words"] == 3
    assert said["false_alarms_per_hour"] == pytest.approx(50)
    assert said["latency_ms"] == 1_000
    for name in ("miss_rate", "false_alarms_per_hour"):
        assert said[f"{name}_low"] < said[name] < said[f"{name}_high"]


def test_the_tolerance_is_after_the_end_and_inclusive():
    for time, hits in ((999, 0), (1_000, 1), (2_250, 1), (2_251, 0)):
        assert figures([("go", time)], tolerance_ms=250)["hits"] == hits


def test_the_order_of_detections_and_events_does_not_matter():
    heard = [("go", 8_000), ("stop", 5_500), ("go", 1_500)]
    assert figures(heard) == figures(heard[::-1], SAID[::-1])
    matches = match_detections(*zip(*heard, strict=True), SAID, commands=COMMANDS)
    assert matches == (((0, 2), (2, 1), (3, 0)), (), ())


def test_one_word_runs_into_the_next():
    """The first detection takes the word that ends first, so that both are heard."""
    events = [Event("go", 0, 3_000), Event("go", 500, 1_000)]
    matches = match_detections(["go", "go"], [900, 2_900], events, commands=COMMANDS)
    assert matches.hits == ((1, 0), (0, 1))


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4)), max_size=5),
    st.lists(st.integers(0, 14), max_size=5),
)
def test_as_many_hits_as_can_be(words, times):
    events = [Event("go", start, start + length) for start, length in words]
    found = match_detections(["go"] * len(times), times, events, commands=["go"], tolerance_ms=1)
    assert len({row for row, _ in found.hits}) == len(found.hits)
    assert len(found.hits) + len(found.misses) == len(events)
    assert len(found.hits) + len(found.false_alarms) == len(times)
    for row, heard in found.hits:
        assert events[row].start_ms <= times[heard] <= events[row].end_ms + 1
    most = 0
    places = [*range(len(times)), *[None] * len(events)]
    for given_to in set(itertools.permutations(places, len(events))) if events else ():
        fits = [
            i is not None and e.start_ms <= times[i] <= e.end_ms + 1
            for i, e in zip(given_to, events, strict=True)
        ]
        most = max(most, sum(fits))
        if most == len(found.hits):
            break
    assert len(found.hits) >= most


def test_what_is_not_defined_is_left_out():
    quiet = figures([], [Event("dog", 0, 1)])
    assert not {"miss_rate", "latency_ms"} & set(quiet)
    assert quiet["false_alarms_per_hour"] == 0.0
    assert "latency_ms" not in figures([])
    assert figures([])["miss_rate"] == 1.0


def test_no_alarm_in_a_short_stream_promises_little():
    assert figures([], seconds=36)["false_alarms_per_hour_high"] == pytest.approx(369, abs=0.5)


@given(st.integers(0, 60))
def test_the_interval_of_a_count_leaves_a_fortieth_on_either_side(count):
    low, high = count_interval(count)
    assert poisson.cdf(count, high) == pytest.approx(0.025)
    if count:
        assert poisson.sf(count - 1, low) == pytest.approx(0.025)


def test_bad_input():
    with pytest.raises(DataError, match="0 seconds"):
        figures([], seconds=0)
    with pytest.raises(DataError, match="labels"):
        match_detections(["go"], np.zeros(2), SAID, commands=COMMANDS)
