"""A recogniser as files of LiteRT, front end included: samples of one clip in, scores out."""

import logging
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from textapps.core.errors import DataError, ExportError
from textapps.datasets.clips.examples import Clips
from textapps.exporting.config import ExportConfig
from textapps.exporting.lite import LiteModel, convert
from textapps.exporting.publish import publish
from textapps.savedmodel.manifest import EvaluatedOn, LiteFile, Manifest, checksums
from textapps.tasks.speech.data import load_split
from textapps.tasks.speech.evaluate import clip_scores, median_milliseconds
from textapps.tasks.speech.export import sounds
from textapps.tasks.speech.predictor import SpeechRecognizer

LOGGER = logging.getLogger("textapps")
KINDS = ("float", "int8")
_TOLERANCE = 1e-4  # of a probability of the float file; int8 is measured, not verified


def export_lite(recognizer: SpeechRecognizer, models_dir: Path, config: ExportConfig) -> Path:
    """Publishes `<models_dir>/tflite/<name>/<next version>/` and returns it.

    `<name>.tflite` has weights of 32 bits, `<name>-int8.tflite` of 8. Both take float32[1,
    samples], one clip at the rate of the model, padded with zeros, and return float32[1, labels];
    their signature `serving_default` names them `waveform` and `scores`.
    textapps.json describes them, with their accuracy on the test split beside that of the run.

    Raises:
        ExportError: it cannot be converted or written, or the answers of the float file differ
            from the run's.
    """
    audio = recognizer.config.preprocessor
    spec = tf.TensorSpec([1, audio.clip_samples], tf.float32, "waveform")
    name = config.name or recognizer.config.task
    contents = {
        kind: convert(recognizer.answers.clips, spec, output="scores", int8=kind == "int8")
        for kind in KINDS
    }
    models = {kind: LiteModel(content) for kind, content in contents.items()}
    if config.verify:
        _verify(recognizer, models["float"])
    names = {"float": f"{name}.tflite", "int8": f"{name}-int8.tflite"}
    silence = np.zeros((1, audio.clip_samples), np.float32)
    files = {
        kind: LiteFile(
            file=names[kind],
            bytes=len(contents[kind]),
            milliseconds_per_clip=round(median_milliseconds(partial(models[kind], silence)), 3),
        )
        for kind in KINDS
    }
    figures = _figures(recognizer, models)

    def write(directory: Path) -> None:
        for kind in KINDS:
            (directory / names[kind]).write_bytes(contents[kind])
        Manifest(
            name=name,
            clip_samples=audio.clip_samples,
            files=files,
            sha256=checksums(directory),
            **recognizer.manifest_fields,
            **recognizer.data_fields(0),
            **figures,
        ).write(directory)

    return publish(write, models_dir / "tflite" / name)


def lite_scores(model: LiteModel, clips: Clips) -> Any:
    """float32[clips, labels]: the scores of a file, clip by clip."""
    return np.concatenate([model(clips.waveforms([row])) for row in range(len(clips))])


def _figures(recognizer: SpeechRecognizer, models: dict[str, LiteModel]) -> dict[str, Any]:
    """Accuracies on the test split, and int8 against float by clip; {} without the data."""
    try:
        clips = load_split(recognizer.config, "test", recognizer.labels)
    except DataError as error:
        LOGGER.warning("the accuracy of the files is not known: %s", error)
        return {}
    right = {
        "run": np.argmax(clip_scores(recognizer, clips), axis=1) == clips.labels,
        **{
            kind: np.argmax(lite_scores(model, clips), axis=1) == clips.labels
            for kind, model in models.items()
        },
    }
    whole, small = right["float"], right["int8"]
    return {
        "evaluated_on": EvaluatedOn(data=clips.name, split="test", examples=len(clips)),
        "accuracy": {kind: float(values.mean()) for kind, values in right.items()},
        "int8_against_float": {
            "both_right": int((whole & small).sum()),
            "only_float_right": int((whole & ~small).sum()),
            "only_int8_right": int((~whole & small).sum()),
            "both_wrong": int((~whole & ~small).sum()),
        },
    }


def _verify(recognizer: SpeechRecognizer, model: LiteModel) -> None:
    samples = recognizer.config.preprocessor.clip_samples
    for number, sound in enumerate(sounds(samples)):
        clip = np.zeros((1, samples), np.float32)
        clip[0, : len(sound)] = sound[:samples]
        gap = np.abs(model(clip) - recognizer.answers.clips(tf.constant(clip)).numpy()).max()
        if not gap <= _TOLERANCE:
            raise ExportError(
                f"the LiteRT file does not verify: its answer to sound {number} is {gap:.2g} off"
            )
