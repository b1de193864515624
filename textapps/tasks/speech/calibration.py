"""Which threshold of `listen` gives how many false alarms, in a stream of validation clips."""

from typing import Any

import numpy as np

from textapps.core.errors import ConfigurationError, DataError
from textapps.core.notices import notice
from textapps.core.records import RecordError, dump_record, read_record
from textapps.datasets.clips.timeline import lay_out
from textapps.decoding.config import DetectionConfig
from textapps.decoding.detector import Detector
from textapps.evaluation.metrics.detection import detection_metrics
from textapps.tasks.speech.data import load_split
from textapps.tasks.speech.predictor import SpeechRecognizer
from textapps.training.checkpoint import CheckpointStore

CALIBRATION = "calibration.json"  # of the results of a run
SECONDS = 3_600.0
MOST_MISSED = 0.5  # a threshold with which more commands are missed is no answer
THRESHOLDS = tuple(round(0.02 * step, 2) for step in range(10, 50))


def threshold_for_alarms(
    recognizer: SpeechRecognizer, per_hour: float, config: DetectionConfig
) -> float:
    """Of the thresholds with at most so many false alarms, the one that misses fewest commands.

    Higher ones do not always have fewer: a command whose probability falls below the threshold and
    rises again is detected twice.

    The figures of all thresholds are kept in the results of the run, and used again as long as the
    model and the other options of detection are the same.

    Raises:
        ConfigurationError: every threshold that detects half of the commands has more, or none
            detects so many.
        DataError: the validation split of the run cannot be read.
        RunError: the figures cannot be written.
    """
    rows = _kept(recognizer, config) or _measured(recognizer, config)
    useful = [row for row in rows if row["miss_rate"] <= MOST_MISSED]
    fitting = [row for row in useful if row["false_alarms_per_hour"] <= per_hour]
    if not useful:
        raise ConfigurationError(
            f"--false-alarms-per-hour {per_hour:g} is not reached: no threshold detects half of "
            "the commands; train longer or with more clips of them, or name a --threshold"
        )
    if not fitting:
        least = min(row["false_alarms_per_hour"] for row in useful)
        raise ConfigurationError(
            f"--false-alarms-per-hour {per_hour:g} is not reached: every threshold that detects "
            f"half of the commands has {least:.1f} or more an hour; allow more, reject more other "
            "words by `textapps speech evaluate --false-accepts`, or train with more clips of them"
        )
    best = min(fitting, key=lambda row: (row["miss_rate"], row["threshold"]))
    notice(
        "threshold %.2f: %.1f false alarms an hour and %.1f %% of commands missed in the "
        "calibration stream",
        best["threshold"],
        best["false_alarms_per_hour"],
        100 * best["miss_rate"],
    )
    return float(best["threshold"])


def _key(recognizer: SpeechRecognizer, config: DetectionConfig) -> dict[str, Any]:
    """What the figures depend on."""
    run = recognizer.run
    state = CheckpointStore(run.checkpoints).newest_state()
    return {
        # A run may have been trained further, and another version may bring another model.
        "weights": run.pretrained.fingerprint if run.pretrained else state and state.best_step,
        "detection": config.model_dump(exclude={"threshold"}),
        "rejection": recognizer.answers.rejection.threshold,
        "labels": list(recognizer.labels),
    }


def _kept(recognizer: SpeechRecognizer, config: DetectionConfig) -> list[dict[str, float]]:
    """The figures of an earlier call; [] if there are none of this model and these options."""
    try:
        known = read_record(recognizer.run.results / CALIBRATION)
    except (OSError, RecordError):
        return []
    same = all(known.get(key) == value for key, value in _key(recognizer, config).items())
    rows: list[dict[str, float]] = known["thresholds"] if same else []
    return rows


def _measured(recognizer: SpeechRecognizer, config: DetectionConfig) -> list[dict[str, float]]:
    notice("listening to the validation clips once, to find the threshold")
    try:
        clips = load_split(recognizer.config, "validation", recognizer.labels)
    except DataError as error:
        raise DataError(
            "give --threshold: for --false-alarms-per-hour the validation clips of "
            f"{recognizer.run.name} are needed, which cannot be read ({error})"
        ) from None
    commands = recognizer.commands
    if not any(clips.names[label] in commands for label in clips.labels):
        raise DataError(f"{clips.name}: no clip of a command to calibrate on in validation")
    timeline = lay_out(clips, SECONDS)
    heard = list(recognizer.listener(config.hop_ms).answers([timeline.waveform]))
    scores = np.concatenate([each.scores for each in heard])
    times_ms = np.concatenate([each.times_ms for each in heard])
    rows = []
    for threshold in THRESHOLDS:
        changed = config.model_copy(update={"threshold": threshold})
        found, _ = Detector(recognizer.labels, commands, changed)(scores, times_ms)
        figures = detection_metrics(
            [each.label for each in found],
            [each.time_ms for each in found],
            timeline.events,
            commands=commands,
            seconds=SECONDS,
        )
        kept = ("false_alarms", "false_alarms_per_hour", "miss_rate")
        rows.append({"threshold": threshold, **{name: figures[name] for name in kept}})
    record = {**_key(recognizer, config), "seconds": SECONDS, "thresholds": rows}
    recognizer.run.write_text(CALIBRATION, dump_record(record))
    return rows
