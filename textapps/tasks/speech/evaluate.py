"""Evaluating a recogniser on a split."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.datasets.clips.examples import Clips
from textapps.datasets.clips.timeline import lay_out
from textapps.decoding.detector import Detector
from textapps.evaluation.metrics.conditions import (
    ConditionRow,
    accuracy_in_conditions,
    condition_metrics,
)
from textapps.evaluation.metrics.detection import TOLERANCE_MS, Streaming, detection_metrics
from textapps.evaluation.metrics.mixing import mixed_at
from textapps.evaluation.metrics.rejection import RejectionCurve, rejection_curve
from textapps.evaluation.metrics.speech import (
    NoiseRow,
    accuracy_in_noise,
    noise_metrics,
    speaker_metrics,
    speaker_spread,
    speech_metrics,
)
from textapps.preprocessing.conditions import CONDITIONS, conditions_at
from textapps.tasks.evaluation import costs, summarize
from textapps.tasks.predictor import ANSWER_BATCH
from textapps.tasks.speech.predictor import SpeechRecognizer
from textapps.tasks.task import Evaluation

RATIOS_DB = (20.0, 10.0, 5.0, 0.0)
THRESHOLDS = (0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
STREAM_SECONDS = 1_800.0  # at most: a model that does not stream takes minutes for an hour
SECONDS_PER_CLIP = 3.5  # in a stream: the clip and the pause before it
LATENCY_ROUNDS = 20

Scores = NDArray[np.float32]  # [clips, labels]


@dataclass(frozen=True, kw_only=True)
class SpeechEvaluation(Evaluation[Clips]):
    """Clips, the scores given to them, float32[clips, labels], and their figures.

    `noisy` needs background noise in the set, `streaming` a command, `rejection` the class
    `unknown`. threshold: how far the logit of a command must be above that of `unknown`, if the run
    has one; the scores are those with it.
    """

    scores: Scores
    noisy: tuple[NoiseRow, ...] = ()
    conditions: tuple[ConditionRow, ...] = ()
    streaming: Streaming | None = None
    rejection: RejectionCurve | None = None
    threshold: float | None = None

    @property
    def remarks(self) -> tuple[str, ...]:
        """The threshold, if there is one."""
        if self.threshold is None:
            return ()
        return (f"commands need a margin of {self.threshold:.2f} above unknown",)


def evaluate(recognizer: SpeechRecognizer, clips: Clips, split: str) -> SpeechEvaluation:
    """Evaluates a recogniser on the clips of a split.

    Clean, in noise, as poor devices and rooms give them, and in a stream.
    """
    scores = clip_scores(recognizer, clips)
    in_noise = _in_noise(recognizer, clips)
    noisy = tuple(accuracy_in_noise(clips.labels, scores, in_noise))
    in_condition = _in_conditions(recognizer, clips)
    conditions = tuple(accuracy_in_conditions(clips.labels, scores, in_condition))
    streaming = _stream(recognizer, clips)
    spread = speaker_spread(np.argmax(scores, axis=1) == clips.labels, clips.speakers)
    threshold = recognizer.config.detection.threshold
    silence = np.zeros(recognizer.config.preprocessor.clip_samples, np.float32)
    metrics = {
        **speech_metrics(clips.labels, scores, clips.names, commands=recognizer.commands),
        **(speaker_metrics(spread) if spread else {}),
        **noise_metrics(noisy),
        **condition_metrics(conditions),
        **(streaming.by_threshold[threshold] if streaming else {}),
        "milliseconds_per_clip": median_milliseconds(lambda: recognizer.scores([silence])),
        **costs(recognizer),
    }
    changed = {f"scores_{ratio:g}_db": values for ratio, values in in_noise.items()}
    changed |= {f"scores_{name}": values for name, values in in_condition.items()}
    return SpeechEvaluation(
        examples=clips,
        summary=summarize(recognizer.run, clips, split, metrics),
        arrays={"scores": scores, **changed},
        scores=scores,
        noisy=noisy,
        conditions=conditions,
        streaming=streaming,
        rejection=rejection_curve(clips.labels, scores, clips.names, commands=recognizer.commands),
        threshold=recognizer.answers.rejection.threshold,
    )


def clip_scores(
    recognizer: SpeechRecognizer,
    clips: Clips,
    varied: Callable[[Any, int], Any] = lambda waveforms, first: waveforms,
) -> Scores:
    """float32[clips, labels]: the scores of the clips, or of what `varied` makes of them.

    Args:
        varied: float32[batch, samples] and the number of the first of them → the same shape.
    """
    scores = np.zeros((len(clips), len(recognizer.labels)), np.float32)
    for first in range(0, len(clips), ANSWER_BATCH):
        rows = np.arange(first, min(first + ANSWER_BATCH, len(clips)))
        scores[rows] = recognizer.answer_clips(tf.constant(varied(clips.waveforms(rows), first)))
    return scores


def median_milliseconds(answer: Callable[[], object]) -> float:
    """The median time of an answer after the first, on this machine."""
    answer()
    times = []
    for _ in range(LATENCY_ROUNDS):
        began_at = time.perf_counter()
        answer()
        times.append(time.perf_counter() - began_at)
    return 1_000 * float(np.median(times))


def _in_noise(recognizer: SpeechRecognizer, clips: Clips) -> dict[float, Scores]:
    """The scores by ratio in dB; {} if the set has no noise."""
    noises = [noise.waveform for noise in clips.noises]
    if not noises:
        return {}

    def mixed(ratio_db: float) -> Callable[[Any, int], Any]:
        return lambda waveforms, first: mixed_at(
            waveforms, noises, ratio_db, sample_rate_hz=clips.rate_hz, first=first
        )

    return {ratio: clip_scores(recognizer, clips, mixed(ratio)) for ratio in RATIOS_DB}


def _in_conditions(recognizer: SpeechRecognizer, clips: Clips) -> dict[str, Scores]:
    """The scores by the name of a condition."""

    def changed(name: str) -> Callable[[Any, int], Any]:
        return lambda waveforms, first: CONDITIONS[name](waveforms, clips.rate_hz, first)

    return {
        name: clip_scores(recognizer, clips, changed(name)) for name in conditions_at(clips.rate_hz)
    }


def _stream(recognizer: SpeechRecognizer, clips: Clips) -> Streaming | None:
    """What is detected in a long recording of the clips, none of which comes twice."""
    commands, own = recognizer.commands, recognizer.config.detection
    spoken = sum(clips.names[label] in commands for label in clips.labels)
    if not spoken:
        return None
    wanted = max(60.0, SECONDS_PER_CLIP * spoken)
    timeline = lay_out(clips, min(STREAM_SECONDS, wanted))
    heard = list(recognizer.listener(own.hop_ms).answers([timeline.waveform]))
    scores = np.concatenate([each.scores for each in heard])
    times_ms = np.concatenate([each.times_ms for each in heard])
    seconds = len(timeline.waveform) / timeline.rate_hz
    by_threshold = {}
    for threshold in sorted({*THRESHOLDS, own.threshold}):
        config = own.model_copy(update={"threshold": threshold})
        found, _ = Detector(recognizer.labels, commands, config)(scores, times_ms)
        by_threshold[threshold] = detection_metrics(
            [each.label for each in found],
            [each.time_ms for each in found],
            timeline.events,
            commands=commands,
            seconds=seconds,
        )
    return Streaming(seconds, TOLERANCE_MS, own.threshold, by_threshold)
