"""How good a recogniser is on a split, as files of its run.

evaluations/<data>-<split>.json holds the figures and .npz beside it the scores behind them, clean
and in noise; metrics.json the figures of the run's own test split.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from textapps.datasets.clips.clips import Clips
from textapps.datasets.clips.timeline import lay_out
from textapps.datasets.config import ClipsConfig
from textapps.decoding.detector import Detector
from textapps.evaluation.metrics.detection import TOLERANCE_MS, Event, detection_metrics
from textapps.evaluation.metrics.mixing import mixed_at
from textapps.evaluation.metrics.speech import (
    NoiseRow,
    accuracy_in_noise,
    noise_metrics,
    speaker_metrics,
    speaker_spread,
    speech_metrics,
)
from textapps.evaluation.reports.speech import Streaming
from textapps.tasks.speech.data import ANSWER_BATCH, load_splits
from textapps.training.checkpoint import CheckpointStore
from textapps.training.evaluations import write_evaluation

if TYPE_CHECKING:
    from textapps.tasks.speech.task import SpeechRecognizer

METRICS = "metrics.json"
RATIOS_DB = (20.0, 10.0, 5.0, 0.0)
THRESHOLDS = (0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
STREAM_SECONDS = 1_800.0  # at most: a model that does not stream hears an hour in minutes
SECONDS_PER_CLIP = 3.5  # of a stream: the clip and the pause before it
LATENCY_ROUNDS = 20

Scores = Any  # float32[clips, labels]


@dataclass(frozen=True)
class Evaluation:
    """A split, the scores given to it, and their figures.

    `summary` is what `--json` prints: task, run, data, split, examples, metrics. `noisy` and
    `streaming` are there where the set has background noise, or a word to listen for. `default`
    says that this is the test split of the run's own data, which metrics.json and report.html are
    of.
    """

    clips: Clips
    scores: Scores
    summary: dict[str, Any]
    noisy: tuple[NoiseRow, ...] = ()
    streaming: Streaming | None = None
    default: bool = False


def evaluate(
    recognizer: "SpeechRecognizer", data: ClipsConfig | None = None, split: str = "test"
) -> Evaluation:
    """Evaluates a recogniser on a split of `data`, by default that of its training.

    Raises:
        DataError: data that are missing or hold other labels.
    """
    run, config = recognizer.run, recognizer.config
    own = config.data
    data = data or own
    # A pass of training takes other clips of unknown words each time; here each has its share.
    fixed = data.model_copy(update={"redraw": False})
    (clips,) = load_splits(config, (split,), recognizer.labels, fixed)
    scores = clip_scores(recognizer, clips)
    in_noise = _in_noise(recognizer, clips)
    noisy = tuple(accuracy_in_noise(clips.labels, scores, in_noise))
    streaming = _stream(recognizer, clips)
    state = CheckpointStore(run.checkpoints).newest_state()
    correct = np.argmax(scores, axis=1) == clips.labels
    spread = speaker_spread(correct, clips.speakers)
    metrics = {
        **speech_metrics(clips.labels, scores, clips.names, commands=recognizer.commands),
        **(speaker_metrics(spread) if spread else {}),
        **noise_metrics(noisy),
        **(streaming.by_threshold[config.detection.threshold] if streaming else {}),
        "milliseconds_per_clip": milliseconds_per_clip(recognizer),
        "seconds": state.seconds if state else 0.0,
        "parameters": recognizer.model.count_params(),
    }
    summary = {
        "task": run.task,
        "run": run.name,
        "data": clips.name,
        "split": split,
        "examples": len(clips),
        "metrics": metrics,
    }
    default = split == "test" and data.model_copy(update={"skip_bad": own.skip_bad}) == own
    noise_arrays = {f"scores_{ratio:g}_db": values for ratio, values in in_noise.items()}
    write_evaluation(
        run, summary, scores=scores, sha256=np.array(clips.fingerprint), **noise_arrays
    )
    if default:
        run.write_json(METRICS, summary)
    return Evaluation(clips, scores, summary, noisy, streaming, default)


def clip_scores(
    recognizer: "SpeechRecognizer",
    clips: Clips,
    varied: Callable[[Any, int], Any] = lambda waveforms, first: waveforms,
) -> Scores:
    """float32[clips, labels]: the answers to the clips, or to what `varied` makes of them.

    Args:
        varied: float32[batch, samples] and the number of the first of them → the same shape.
    """
    scores = np.zeros((len(clips), len(recognizer.labels)), np.float32)
    for first in range(0, len(clips), ANSWER_BATCH):
        rows = np.arange(first, min(first + ANSWER_BATCH, len(clips)))
        scores[rows] = recognizer.answer_clips(tf.constant(varied(clips.waveforms(rows), first)))
    return scores


def milliseconds_per_clip(recognizer: "SpeechRecognizer") -> float:
    """The median time for one clip as samples, warm, on this machine."""
    samples = recognizer.config.preprocessor.clip_samples
    inputs = (tf.zeros([1, samples]), tf.constant([samples]))
    recognizer.answer(*inputs)
    times = []
    for _ in range(LATENCY_ROUNDS):
        began_at = time.perf_counter()
        recognizer.answer(*inputs)["scores"].numpy()
        times.append(time.perf_counter() - began_at)
    return 1_000 * float(np.median(times))


def _in_noise(recognizer: "SpeechRecognizer", clips: Clips) -> dict[float, Scores]:
    """The scores by ratio in dB; none where the set has no noise."""
    noises = [noise.waveform for noise in clips.noises]
    if not noises:
        return {}

    def mixed(ratio_db: float) -> Callable[[Any, int], Any]:
        return lambda waveforms, first: mixed_at(
            waveforms, noises, ratio_db, sample_rate_hz=clips.rate_hz, first=first
        )

    return {ratio: clip_scores(recognizer, clips, mixed(ratio)) for ratio in RATIOS_DB}


def _stream(recognizer: "SpeechRecognizer", clips: Clips) -> Streaming | None:
    """What is heard in a long recording of the clips, in which none comes twice."""
    commands, own = recognizer.commands, recognizer.config.detection
    spoken = sum(clips.names[label] in commands for label in clips.labels)
    if not spoken:
        return None
    wanted = max(60.0, SECONDS_PER_CLIP * spoken)
    timeline = lay_out(clips, min(STREAM_SECONDS, wanted))
    heard = list(recognizer.listener.answers([timeline.waveform]))
    scores = np.concatenate([each.scores for each in heard])
    times_ms = np.concatenate([each.times_ms for each in heard])
    said = [Event(each.label, each.start_ms, each.end_ms) for each in timeline.events]
    seconds = len(timeline.waveform) / timeline.rate_hz
    by_threshold = {}
    for threshold in sorted({*THRESHOLDS, own.threshold}):
        config = own.model_copy(update={"threshold": threshold})
        found, _ = Detector(recognizer.labels, commands, config)(scores, times_ms)
        by_threshold[threshold] = detection_metrics(
            [each.label for each in found],
            [each.time_ms for each in found],
            said,
            commands=commands,
            seconds=seconds,
        )
    return Streaming(seconds, TOLERANCE_MS, own.threshold, by_threshold)
