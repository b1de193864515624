"""A recogniser for a microcontroller: int8 from the features on, and the features in C."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.core.errors import ConfigurationError, ExportError
from textapps.datasets.clips.examples import Clips
from textapps.exporting.config import ExportConfig
from textapps.exporting.lite import LiteModel
from textapps.exporting.micro.c_source import c_file
from textapps.exporting.micro.model import MicroModel
from textapps.exporting.publish import publish
from textapps.savedmodel.manifest import LiteFile, Manifest, checksums
from textapps.tasks.predictor import ANSWER_BATCH
from textapps.tasks.speech.c_front_end import front_end_header, front_end_source
from textapps.tasks.speech.config import SpeechConfig
from textapps.tasks.speech.data import load_split
from textapps.tasks.speech.evaluate import median_milliseconds
from textapps.tasks.speech.lite_figures import figures
from textapps.tasks.speech.predictor import SpeechRecognizer

CALIBRATION_CLIPS = 300
_TOLERANCE = 1e-4  # of a logit: what is converted against what the run computes


def export_micro(recognizer: SpeechRecognizer, models_dir: Path, config: ExportConfig) -> Path:
    """Publishes `<models_dir>/micro/<name>/<next version>/` and returns it.

    `<name>.tflite` takes int8[1, frames, mels], quantised log-mel features, and returns int8[1,
    labels], for TensorFlow Lite Micro. `model_data.c` is the same file as an array, `front_end.h`
    has the constants of the front end and `front_end.c` computes it. textapps.json has the accuracy
    on the test split beside that of the run. The ranges of the integers come from clips of the
    validation split.

    Raises:
        ConfigurationError: the model is not one of convolutions alone, or reads other features.
        DataError: there is no validation split to take the ranges from.
        ExportError: it cannot be converted or written.
    """
    _check(recognizer.config)
    audio, front_end, model = (
        recognizer.config.preprocessor,
        recognizer.preprocessor,
        recognizer.model,
    )
    clips = load_split(recognizer.config, "validation", recognizer.labels)
    rows = np.unique(np.linspace(0, len(clips) - 1, CALIBRATION_CLIPS).astype(np.int64))
    samples = _features(recognizer, clips, rows)

    def answer(features: Any) -> dict[str, Any]:
        """The answers to whole clips, in operations that a microcontroller has."""
        x, _, _ = model.stem(features)
        logits = recognizer.answers.rejection(model.head(tf.reduce_mean(x, axis=1)))
        return {"scores": tf.nn.softmax(logits)}

    if config.verify:
        expected = tf.nn.softmax(recognizer.answers.logits(tf.constant(samples[:9])))
        gap = float(tf.reduce_max(tf.abs(answer(tf.constant(samples[:9]))["scores"] - expected)))
        if not gap <= _TOLERANCE:
            raise ExportError(f"the model for a microcontroller is {gap:.2g} off before rounding")
    spec = tf.TensorSpec([1, audio.clip_frames, audio.mels], tf.float32, "features")
    micro = MicroModel(answer, spec, (each[None] for each in samples))
    file = LiteModel(micro.content)
    inputs, outputs = file.quantization
    header = front_end_header(front_end, recognizer.labels, inputs, outputs, micro.operations)

    def quantized(features: NDArray[np.float32]) -> NDArray[np.int8]:
        scale, zero_point = inputs
        rounded = np.rint(features / np.float32(scale)) + zero_point
        found: NDArray[np.int8] = np.clip(rounded, -128, 127).astype(np.int8)
        return found

    def scores(clips: Clips) -> NDArray[Any]:
        found = []
        for first in range(0, len(clips), ANSWER_BATCH):
            rows = np.arange(first, min(first + ANSWER_BATCH, len(clips)))
            features = quantized(_features(recognizer, clips, rows))
            found += [file(each[None]) for each in features]
        return np.concatenate(found)

    silence = quantized(samples[:1])
    name = config.name or recognizer.config.task
    described = LiteFile(
        file=f"{name}.tflite",
        bytes=len(micro.content),
        milliseconds_per_clip=round(median_milliseconds(lambda: file(silence)), 3),
    )
    found = figures(recognizer, {"int8": scores}, "run", "int8")

    def write(directory: Path) -> None:
        (directory / described.file).write_bytes(micro.content)
        sources = {
            "model_data.c": c_file("model_data", micro.content, "front_end.h"),
            "front_end.h": header,
            "front_end.c": front_end_source(),
        }
        for source, text in sources.items():
            (directory / source).write_text(text, encoding="utf-8")
        Manifest(
            name=name,
            clip_samples=audio.clip_samples,
            files={"int8": described},
            sha256=checksums(directory),
            **recognizer.manifest_fields,
            **recognizer.data_fields(0),
            **found,
        ).write(directory)

    return publish(write, models_dir / "micro" / name)


def _check(config: SpeechConfig) -> None:
    """Raises ConfigurationError for a model that a microcontroller cannot run."""
    reasons = {
        "has a backbone": not config.model.convolutional,
        "is causal (--streaming)": config.model.streaming,
        "pools otherwise than by the mean": config.model.pooling != "mean",
        f"reads {config.preprocessor.kind} features": config.preprocessor.kind != "log-mel",
        "trims its recordings": config.preprocessor.trim,
    }
    if reason := next((reason for reason, holds in reasons.items() if holds), None):
        raise ConfigurationError(
            f"the format micro is for convolutions and log-mel features, and this model {reason}: "
            "train one with --preset micro"
        )


def _features(
    recognizer: SpeechRecognizer, clips: Clips, rows: NDArray[np.int64]
) -> NDArray[np.float32]:
    """float32[rows, frames, mels] of some clips."""
    parts = np.array_split(rows, -(-len(rows) // ANSWER_BATCH))
    frames = [recognizer.preprocessor.frames(clips.waveforms(part)).numpy() for part in parts]
    found: NDArray[np.float32] = np.concatenate(frames)
    return found
