"""A recogniser as files of LiteRT, front end included: samples of one clip in, scores out."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from textapps.core.errors import ExportError
from textapps.datasets.clips.examples import Clips
from textapps.exporting.config import ExportConfig
from textapps.exporting.lite import LiteModel, convert
from textapps.exporting.publish import publish
from textapps.savedmodel.manifest import LiteFile, Manifest, checksums
from textapps.tasks.speech.evaluate import median_milliseconds
from textapps.tasks.speech.export import sounds
from textapps.tasks.speech.lite_figures import figures
from textapps.tasks.speech.lite_step import LiteStep
from textapps.tasks.speech.predictor import SpeechRecognizer

KINDS = ("float", "int8")
SUFFIXES = {"float": "", "int8": "-int8", "step_float": "-step", "step_int8": "-step-int8"}
_TOLERANCE = 1e-4  # of a probability of the float file; int8 is measured, not verified


def export_lite(recognizer: SpeechRecognizer, models_dir: Path, config: ExportConfig) -> Path:
    """Publishes `<models_dir>/tflite/<name>/<next version>/` and returns it.

    `<name>.tflite` has weights of 32 bits, `<name>-int8.tflite` of 8. Both take float32[1,
    samples], one clip at the rate of the model, padded with zeros, and return float32[1, labels];
    their signature `serving_default` names them `waveform` and `scores`. Of a streaming model there
    are `<name>-step.tflite` and `<name>-step-int8.tflite` too: see `LiteStep`.
    textapps.json describes them, with their accuracy on the test split beside that of the run.

    Raises:
        ExportError: it cannot be converted or written, or the answers of a float file differ
            from the run's.
    """
    audio = recognizer.config.preprocessor
    spec = tf.TensorSpec([1, audio.clip_samples], tf.float32, "waveform")
    name = config.name or recognizer.config.task

    def answer(waveform: Any) -> dict[str, Any]:
        return {"scores": recognizer.answers.clips(waveform)}

    contents = {kind: convert(answer, [spec], int8=kind == "int8") for kind in KINDS}
    step = LiteStep(recognizer) if recognizer.model.causal else None
    if step:
        contents |= {f"step_{kind}": step.convert(int8=kind == "int8") for kind in KINDS}
    models = {kind: LiteModel(content) for kind, content in contents.items()}
    if config.verify:
        _verify(recognizer, models["float"])
        if step:
            step.verify(models["step_float"])
    names = {kind: f"{name}{SUFFIXES[kind]}.tflite" for kind in contents}
    silence = np.zeros((1, audio.clip_samples), np.float32)

    def milliseconds(kind: str, model: LiteModel) -> float:
        if step and kind.startswith("step"):
            return step.milliseconds_per_clip(model)
        return median_milliseconds(lambda: model(silence))

    files = {
        kind: LiteFile(
            file=names[kind],
            bytes=len(contents[kind]),
            milliseconds_per_clip=round(milliseconds(kind, model), 3),
        )
        for kind, model in models.items()
    }
    scores_of = {kind: partial(lite_scores, models[kind]) for kind in KINDS}
    found = figures(recognizer, scores_of, "float", "int8")

    def write(directory: Path) -> None:
        for kind, content in contents.items():
            (directory / names[kind]).write_bytes(content)
        Manifest(
            name=name,
            clip_samples=audio.clip_samples,
            chunk_samples=step.chunk_samples if step else None,
            state=step.state if step else (),
            files=files,
            sha256=checksums(directory),
            **recognizer.manifest_fields,
            **recognizer.data_fields(0),
            **found,
        ).write(directory)

    return publish(write, models_dir / "tflite" / name)


def lite_scores(model: LiteModel, clips: Clips) -> Any:
    """float32[clips, labels]: the scores of a file, clip by clip."""
    return np.concatenate([model(clips.waveforms([row])) for row in range(len(clips))])


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
