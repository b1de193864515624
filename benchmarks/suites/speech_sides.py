"""The sides of `speech-speed` that run textapps and what it exports.

A question is "train" or how to call an export, and null the answer to another side's question.
After training it is {"seconds", "logits"}, the logits being those that the model had for the first
clip before; else it is the median seconds of some calls. The side `textapps` writes what the others
read to `scratch`: the weights, and its exports.
"""

import io
import json
import time
import wave
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textapps.training.run_directory import RunDirectory

CALLS = 30  # of which the median counts, to answer one clip

Ask = Callable[[str], Any]


def clips(run: str, count: int = 1) -> tuple[NDArray[np.int16], NDArray[np.int32]]:
    """int16[count, samples] of noise and a tone each, as a run takes them, and labels."""
    audio = RunDirectory.open(Path(run), trained=False).config["preprocessor"]
    random = np.random.default_rng(0)  # the same every time
    labels = random.integers(0, 2, count).astype(np.int32)
    samples = round(audio["sample_rate"] * audio["clip_seconds"])
    seconds = np.arange(samples) / audio["sample_rate"]
    tones = np.sin(2 * np.pi * np.outer(300 + 900 * labels, seconds))
    waveforms = 0.2 * tones + 0.02 * random.standard_normal(tones.shape)
    return (32_767 * waveforms).astype(np.int16), labels


def textapps(run: str, scratch: str, batch: int, steps: int) -> Ask:
    """As `textapps speech train` does it, but that no clip is varied."""
    import tensorflow as tf

    from textapps import load
    from textapps.core.memory import keep_freed_memory
    from textapps.tasks.speech.model import SpeechModel
    from textapps.training.optimizer import build_optimizer

    keep_freed_memory()
    recognizer = load("speech", run)
    models = Path(scratch) / "models"
    for name, kind in (("saved_model", "saved_model"), ("lite", "tflite")):
        written = recognizer.export(models, format=kind, verify=False, warmup=False)
        Path(scratch, name).symlink_to(written.resolve())
    config, trained = recognizer.config, recognizer.model
    # Without rows: clips are not varied.
    model = SpeechModel(config, trained.front_end, len(recognizer.labels))
    model.build()
    for variable, value in zip(model.variables, trained.variables, strict=True):
        variable.assign(value)
    np.savez(Path(scratch) / "weights.npz", **weights_of(model))
    pcm, labels = clips(run, batch)
    inputs: dict[str, Any] = {"pcm": pcm, "seeds": np.arange(batch)}
    logits = model({key: value[:1] for key, value in inputs.items()})[0].numpy().tolist()
    optimizer = build_optimizer(model, config.training, 1_000_000)
    model.compile(optimizer, model.loss_of, jit_compile=False)
    examples = (inputs, labels, np.ones(batch, np.float32))
    batches = tf.data.Dataset.from_tensors(examples).repeat(steps)

    def ask(question: str) -> dict[str, Any] | None:
        if question != "train":
            return None
        start = time.perf_counter()
        model.fit(batches, verbose=0, shuffle=False)
        return {"seconds": time.perf_counter() - start, "logits": logits}

    return ask


def weights_of(model: Any) -> dict[str, Any]:
    """The weights of a `SpeechModel` by their paths in it, and the constants of its front end."""
    arrays = {
        variable.path.removeprefix("speech/"): variable.numpy()
        for variable in model.variables
        if "seed_generator" not in variable.path
    }
    front_end = model.front_end
    for name in ("mean", "deviation"):
        arrays[name] = getattr(front_end.normalization, name)
    arrays["mel"] = front_end.bands.weights
    return arrays


def saved_model(run: str, scratch: str, batch: int, steps: int) -> Ask:
    """The exported SavedModel, in a process that knows TensorFlow alone."""
    import tensorflow as tf

    signatures = tf.saved_model.load(f"{scratch}/saved_model").signatures
    pcm, _ = clips(run)
    rate_hz = RunDirectory.open(Path(run)).config["preprocessor"]["sample_rate"]
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate_hz)
        writer.writeframes(pcm.tobytes())
    waveform, samples = tf.constant(pcm / np.float32(32_768)), tf.constant([pcm.shape[1]])
    inputs = {
        "waveform": {"waveform": waveform, "samples": samples},
        "serving_default": {"audio_bytes": tf.constant([file.getvalue()])},
    }

    def call(name: str) -> Any:
        return signatures[name](**inputs[name])["scores"].numpy()

    return _timed({name: partial(call, name) for name in inputs})


def lite(run: str, scratch: str, batch: int, steps: int) -> Ask:
    """The files of LiteRT, on one core."""
    from textapps.exporting.lite import LiteModel

    folder = Path(scratch) / "lite"
    manifest = json.loads((folder / "textapps.json").read_text())
    models = {
        kind: LiteModel((folder / file["file"]).read_bytes())
        for kind, file in manifest["files"].items()
        if not kind.startswith("step")
    }
    waveform = clips(run)[0] / np.float32(32_768)
    return _timed({kind: partial(model, waveform) for kind, model in models.items()})


def _timed(calls: dict[str, Callable[[], Any]]) -> Ask:
    """A side that gives the median seconds of some calls."""

    def ask(question: str) -> float | None:
        times = []
        for _ in range(CALLS if question in calls else 0):
            start = time.perf_counter()
            calls[question]()
            times.append(time.perf_counter() - start)
        return median(times) if times else None

    return ask
