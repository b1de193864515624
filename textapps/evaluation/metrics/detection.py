"""Metrics of a detector from its detections in a stream and the words spoken there."""

import heapq
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from textapps.core.errors import DataError
from textapps.core.events import Event
from textapps.evaluation.metrics.bootstrap import wilson_interval

TOLERANCE_MS = 500.0  # after the end of a word, for smoothing and the model's own delay


class Matches(NamedTuple):
    """The matches of words and detections.

    Attributes:
        hits: pairs (row of the event, row of the detection), by the time of the detection.
        misses: rows of the events of commands that were not detected.
        false_alarms: rows of the detections without a word, or of a word detected before.
    """

    hits: tuple[tuple[int, int], ...]
    misses: tuple[int, ...]
    false_alarms: tuple[int, ...]


class Streaming(NamedTuple):
    """The detections in a long recording.

    by_threshold holds the result of `detection_metrics` at each threshold; threshold is the one in
    use.
    """

    seconds: float
    tolerance_ms: float
    threshold: float
    by_threshold: Mapping[float, Mapping[str, float]]


def match_detections(
    labels: Sequence[str],
    times_ms: npt.ArrayLike,
    events: Sequence[Event],
    *,
    commands: Collection[str],
    tolerance_ms: float = TOLERANCE_MS,
) -> Matches:
    """Matches each detection with at most one word, and each word with at most one detection.

    A detection can match a word with its label that has begun, and that ended at most
    `tolerance_ms` earlier. Of several such words it matches the one whose time expires first, which
    gives the maximum number of hits.

    Args:
        labels: str[detections], the detected labels.
        times_ms: float[detections], their times.
        events: the spoken words, including those that are not commands.
        commands: the labels that can be detected.

    Raises:
        DataError: the numbers of labels and times differ.

    >>> said = [Event("go", 0, 900), Event("no", 1000, 1800), Event("go", 2000, 2900)]
    >>> match_detections(["go", "go", "go"], [700, 800, 2500], said, commands=("go", "no"))
    Matches(hits=((0, 0), (2, 2)), misses=(1,), false_alarms=(1,))
    """
    times = np.asarray(times_ms, np.float64)
    if times.shape != (len(labels),):
        raise DataError(f"there are {len(labels)} labels but times of shape {times.shape}")
    order = np.argsort(times, kind="stable").tolist()
    hits: list[tuple[int, int]] = []
    for label in sorted(set(labels) & set(commands)):
        waiting = sorted(
            (event.start_ms, event.end_ms + tolerance_ms, row)
            for row, event in enumerate(events)
            if event.label == label
        )
        waiting.reverse()
        open_until: list[tuple[float, int]] = []
        for detection in (row for row in order if labels[row] == label):
            now = times[detection]
            while waiting and waiting[-1][0] <= now:
                heapq.heappush(open_until, waiting.pop()[1:])
            while open_until and open_until[0][0] < now:
                heapq.heappop(open_until)
            if open_until:
                hits.append((heapq.heappop(open_until)[1], detection))
    found, used = {row for row, _ in hits}, {row for _, row in hits}
    said = (row for row, event in enumerate(events) if event.label in commands)
    return Matches(
        tuple(sorted(hits, key=lambda pair: times[pair[1]])),
        tuple(row for row in said if row not in found),
        tuple(row for row in order if row not in used),
    )


def detection_metrics(
    labels: Sequence[str],
    times_ms: npt.ArrayLike,
    events: Sequence[Event],
    *,
    commands: Collection[str],
    seconds: float,
    tolerance_ms: float = TOLERANCE_MS,
) -> dict[str, float]:
    """The metrics of a detector in a stream of `seconds`; other arguments as `match_detections`.

    commands_said, hits, miss_rate (with `_low` and `_high`, Wilson), false_alarms,
    false_alarms_on_words (while another word was spoken, or a command was detected twice),
    false_alarms_per_hour (with `_low` and `_high`: Garwood 1936, exact for counts), and
    latency_ms, the median time from the start of a word to its detection. Undefined metrics are
    omitted: miss_rate if no command was spoken, latency_ms without a hit.

    Raises:
        DataError: the stream has no length, or the numbers of labels and times differ.
    """
    if not seconds > 0:
        raise DataError("a stream of 0 seconds cannot evaluate a detector")
    matches = match_detections(
        labels, times_ms, events, commands=commands, tolerance_ms=tolerance_ms
    )
    times = np.asarray(times_ms, np.float64)
    hits, false = len(matches.hits), len(matches.false_alarms)
    said = hits + len(matches.misses)
    hours = seconds / 3600
    on_words = sum(
        any(event.start_ms <= times[row] <= event.end_ms + tolerance_ms for event in events)
        for row in matches.false_alarms
    )
    figures: dict[str, float] = {
        "commands_said": said,
        "hits": hits,
        "false_alarms": false,
        "false_alarms_on_words": on_words,
    }
    if said:
        low, high = wilson_interval(said - hits, said)
        figures |= {
            "miss_rate": (said - hits) / said,
            "miss_rate_low": float(low),
            "miss_rate_high": float(high),
        }
    low_count, high_count = count_interval(false)
    figures |= {
        "false_alarms_per_hour": false / hours,
        "false_alarms_per_hour_low": low_count / hours,
        "false_alarms_per_hour_high": high_count / hours,
    }
    if hits:
        waits = [times[heard] - events[row].start_ms for row, heard in matches.hits]
        figures["latency_ms"] = float(np.median(waits))
    return figures


def count_interval(count: int) -> tuple[float, float]:
    """95 % interval of the mean of a Poisson count (Garwood 1936).

    >>> low, high = count_interval(0)
    >>> low, round(high, 2)
    (0.0, 3.69)
    """
    from scipy.special import gammaincinv

    low = float(gammaincinv(count, 0.025)) if count else 0.0
    return low, float(gammaincinv(count + 1, 0.975))
