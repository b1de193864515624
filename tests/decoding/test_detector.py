import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textapps.core.config import resolve
from textapps.core.errors import ConfigurationError, DataError
from textapps.decoding.config import DetectionConfig
from textapps.decoding.detector import Detection, Detector

LABELS = ("left", "right", "unknown", "silence")
COMMANDS = ("left", "right")


def detector(**options):
    return Detector(LABELS, COMMANDS, DetectionConfig(**options))


def scores(*left, right=0.0):
    """One row for each probability of `left`; what remains is silence."""
    rows = np.zeros([len(left), 4])
    rows[:, 0], rows[:, 1] = left, right
    rows[:, 3] = 1 - rows.sum(axis=1)
    return rows


def every(hop_ms, rows):
    return hop_ms * np.arange(1, len(rows) + 1)


def times_of(heard):
    return [each.time_ms for each in heard]


def test_the_mean_over_the_window_must_pass_the_threshold():
    rows = scores(0, 1, 0, 0.5, 1, 1, 1, 0)
    hear = detector(threshold=0.75, smoothing_ms=200, refractory_ms=0)
    heard, _ = hear(rows, every(100, rows))
    # Means of two hops: 0, .5, .5, .25, .75, 1, 1, .5
    assert heard == [Detection("left", 500.0, 0.75)]


def test_at_the_beginning_the_mean_is_of_the_hops_there_are():
    heard, _ = detector(smoothing_ms=1000)(scores(0.9, 0.0), [100, 200])
    assert heard == [Detection("left", 100.0, 0.9)]


def test_smoothing_goes_by_time_and_not_by_hops():
    rows = scores(1, 0, 1)
    hear = detector(threshold=0.6, smoothing_ms=100, refractory_ms=0)
    assert times_of(hear(rows, [10, 20, 30])[0]) == [10, 30]  # means 1, 1/2, 2/3
    assert times_of(hear(rows, [10, 20, 130])[0]) == [10, 130]
    assert hear(rows, [10, 20, 130])[0][1].probability == 1.0


def test_a_word_is_heard_once_however_long_the_model_is_sure():
    rows = scores(*[0.95] * 50)
    hear = detector(smoothing_ms=0, refractory_ms=300)
    assert times_of(hear(rows, every(100, rows))[0]) == [100]


def test_after_a_command_nothing_is_heard_for_a_while():
    rows = scores(1, 0, 1, 0, 1, 0, 1)
    hear = detector(smoothing_ms=0, refractory_ms=400)
    # Deaf from 100 to 500 and again from there.
    assert times_of(hear(rows, every(100, rows))[0]) == [100, 500]


def test_another_command_is_heard_when_deafness_ends():
    rows = np.concatenate([scores(1), scores(*[0] * 6, right=0.9)])
    hear = detector(smoothing_ms=0, refractory_ms=250)
    heard, _ = hear(rows, every(100, rows))
    assert [(each.label, each.time_ms) for each in heard] == [("left", 100), ("right", 400)]


def test_what_is_no_command_is_never_heard():
    rows = np.zeros([5, 4])
    rows[:, 2] = 1.0
    assert detector()(rows, every(100, rows))[0] == []


def test_of_two_commands_the_likelier_is_heard():
    hear = detector(threshold=0.3, smoothing_ms=0, refractory_ms=0)
    heard, _ = hear(scores(0.4, right=0.5), [100])
    assert heard == [Detection("right", 100.0, 0.5)]


@st.composite
def streams(draw):
    hops = draw(st.integers(0, 25))
    raw = np.array(
        draw(st.lists(st.tuples(*[st.integers(0, 6)] * 4), min_size=hops, max_size=hops))
    )
    raw = raw.reshape(hops, 4) + 0.01
    gaps = draw(st.lists(st.sampled_from([10.0, 12.5, 40.0]), min_size=hops, max_size=hops))
    cuts = sorted(draw(st.lists(st.integers(0, hops), max_size=5)))
    options = {
        # No mean of these scores comes so near that rounding would decide.
        "threshold": draw(st.sampled_from([0.31372, 0.51713, 0.72194])),
        "smoothing_ms": draw(st.sampled_from([0, 25, 100])),
        "refractory_ms": draw(st.sampled_from([0, 50, 200])),
    }
    return raw / raw.sum(axis=1, keepdims=True), np.cumsum(gaps), cuts, options


@given(streams())
def test_chunks_give_what_all_at_once_give(stream):
    rows, times, cuts, options = stream
    hear = detector(**options)
    whole, end = hear(rows, times)
    pieces, state = [], None
    for piece, part in zip(np.split(rows, cuts), np.split(times, cuts), strict=True):
        heard, state = hear(piece, part, state)
        pieces += heard
    assert pieces == whole
    for one, other in zip(state, end, strict=True):
        np.testing.assert_array_equal(one, other)


@given(streams())
def test_agrees_with_a_plain_second_implementation(stream):
    rows, times, _, options = stream
    expected, deaf_until, held = [], -1.0, set()
    for i, now in enumerate(times):
        window = [j for j in range(i + 1) if times[j] > now - options["smoothing_ms"] or j == i]
        mean = {
            name: sum(rows[j][k] for j in window) / len(window)
            for k, name in enumerate(LABELS)
            if name in COMMANDS
        }
        held = {name for name in held if mean[name] >= options["threshold"]}
        able = [n for n in COMMANDS if n not in held and mean[n] >= options["threshold"]]
        if able and now >= deaf_until:
            best = max(able, key=lambda name: mean[name])
            expected.append((best, now))
            held.add(best)
            deaf_until = now + options["refractory_ms"]
    heard, _ = detector(**options)(rows, times)
    assert [(each.label, each.time_ms) for each in heard] == expected


@given(streams())
def test_the_state_stays_small(stream):
    rows, times, _, options = stream
    _, state = detector(**options)(rows, times)
    assert len(state.times_ms) == len(state.scores) <= max(1, -(-options["smoothing_ms"] // 10))
    if len(times):
        assert state.times_ms[-1] == times[-1]


def test_nothing_leaves_the_state_as_it_was():
    hear = detector()
    _, state = hear(scores(0.9), [100])
    heard, after = hear(np.zeros([0, 4]), [], state)
    assert (heard, after) == ([], state)
    assert hear([], [])[0] == []


@pytest.mark.parametrize(
    ("rows", "times", "message"),
    [
        (np.zeros([2, 3]), [1, 2], r"scores\[hops, 4\]"),
        (np.zeros([2, 4]), [1], "shapes"),
        (np.zeros([2, 4]), [2, 2], "must rise"),
        (np.full([1, 4], np.nan), [1], "finite"),
        (np.zeros([1, 4]), [np.inf], "finite"),
    ],
)
def test_bad_streams(rows, times, message):
    with pytest.raises(DataError, match=message):
        detector()(rows, times)


def test_times_must_rise_from_chunk_to_chunk():
    hear = detector(smoothing_ms=0)
    _, state = hear(scores(0.1, 0.1), [100, 200])
    with pytest.raises(DataError, match="must rise"):
        hear(scores(0.1), [200], state)


def test_commands_must_be_classes():
    with pytest.raises(ConfigurationError, match="did you mean 'right'"):
        Detector(LABELS, ["rigth"], DetectionConfig())
    with pytest.raises(ConfigurationError, match="no command"):
        Detector(LABELS, [], DetectionConfig())


@pytest.mark.parametrize(
    ("key", "bad"),
    [
        ("threshold", 0.0),
        ("threshold", 1.01),
        ("smoothing_ms", -1),
        ("refractory_ms", 60_001),
        ("hop_ms", 9),
        ("hop_ms", "soon"),
    ],
)
def test_values_out_of_range_are_named(key, bad):
    with pytest.raises(ConfigurationError, match=key):
        resolve(DetectionConfig, flags={key: bad})
