"""One side of benchmarks.speech_speed: a process that does something when asked to, and times it.

    python -m benchmarks.speech_speed_side textapps|pytorch|saved_model|lite RUN SCRATCH

Reads questions from stdin, a line each, and answers with a line of JSON: the seconds taken, and
after training the logits that the model had for the first clip before. The side `textapps` writes
what the others read to SCRATCH: the weights, and its exports.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

SIDES = ("textapps", "pytorch", "saved_model", "lite")
BATCH = 128
STEPS = 8  # of training, each time
CALLS = 30  # of which the median counts, to answer one clip
RATE_HZ = 16_000

Ask = Callable[[str], dict[str, Any]]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("side", choices=SIDES)
    parser.add_argument("run", type=Path)
    parser.add_argument("scratch", type=Path)
    options = parser.parse_args(arguments)
    ask = SIDE[options.side](options.run, options.scratch)
    for line in sys.stdin:
        print(json.dumps(ask(line.strip())), flush=True)


def clips(count: int = BATCH) -> tuple[NDArray[np.int16], NDArray[np.int32]]:
    """int16[count, samples] of noise and a tone each, and labels: the same every time."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, count).astype(np.int32)
    seconds = np.arange(RATE_HZ) / RATE_HZ
    tones = np.sin(2 * np.pi * np.outer(300 + 900 * labels, seconds))
    waveforms = 0.2 * tones + 0.02 * random.standard_normal(tones.shape)
    return (32_767 * waveforms).astype(np.int16), labels


def textapps(run: Path, scratch: Path) -> Ask:
    """As `textapps speech train` does it, but that no clip is varied."""
    import tensorflow as tf

    from textapps.core.memory import keep_freed_memory
    from textapps.tasks import lifecycle
    from textapps.tasks.speech.model import SpeechModel
    from textapps.tasks.speech.task import TASK
    from textapps.training.optimizer import build_optimizer
    from textapps.training.run_directory import RunDirectory

    keep_freed_memory()
    recognizer = lifecycle.load(TASK, RunDirectory.open(run, "speech"))
    (scratch / "saved_model").symlink_to(recognizer.export(scratch / "models"))
    (scratch / "lite").symlink_to(recognizer.export(scratch / "models", format="tflite"))
    config, trained = recognizer.config, recognizer.model
    # Without rows: clips are not varied.
    model = SpeechModel(config, trained.front_end, len(recognizer.labels))
    model.build()
    for variable, value in zip(model.variables, trained.variables, strict=True):
        variable.assign(value)
    np.savez(scratch / "weights.npz", **weights_of(model))
    pcm, labels = clips()
    inputs = {"pcm": pcm, "seeds": np.arange(BATCH)}
    logits = model({key: value[:1] for key, value in inputs.items()})[0].numpy().tolist()
    optimizer = build_optimizer(model, config.training, 1_000_000)
    model.compile(optimizer, model.loss_of, jit_compile=False)
    batch = (inputs, labels, np.ones(BATCH, np.float32))
    batches = tf.data.Dataset.from_tensors(batch).repeat(STEPS)

    def ask(question: str) -> dict[str, Any]:
        start = time.perf_counter()
        model.fit(batches, verbose=0, shuffle=False)
        return {"seconds": time.perf_counter() - start, "logits": logits}

    return ask


def weights_of(model: Any) -> dict[str, NDArray[np.float32]]:
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


def pytorch(run: Path, scratch: Path) -> Ask:
    """The same network and the same step as PyTorch's users write them."""
    import torch

    from benchmarks.speech_speed_pytorch import Recognizer, Trainer

    with np.load(scratch / "weights.npz") as file:
        arrays = dict(file)
    config = _config(run)
    model = Recognizer(arrays, config["preprocessor"], config["stem"], config["backbone"])
    model.load(arrays)
    pcm, labels = (torch.tensor(each) for each in clips())
    with torch.no_grad():
        logits = model.eval()(pcm[:1])[0].tolist()
    model.train()
    trainer = Trainer(model, config["training"], config["model"])

    def ask(question: str) -> dict[str, Any]:
        start = time.perf_counter()
        for _ in range(STEPS):
            trainer.step(pcm, labels.long())
        return {"seconds": time.perf_counter() - start, "logits": logits}

    return ask


def saved_model(run: Path, scratch: Path) -> Ask:
    """The exported SavedModel, in a process that knows TensorFlow alone."""
    import io
    import wave

    import tensorflow as tf

    signatures = tf.saved_model.load(str(scratch / "saved_model")).signatures
    pcm, _ = clips(1)
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE_HZ)
        writer.writeframes(pcm.tobytes())
    inputs = {
        "waveform": {
            "waveform": tf.constant(pcm / np.float32(32_768)),
            "samples": tf.constant([RATE_HZ]),
        },
        "serving_default": {"audio_bytes": tf.constant([file.getvalue()])},
    }

    def ask(question: str) -> dict[str, Any]:
        signature, given = signatures[question], inputs[question]
        return _timed(lambda: signature(**given)["scores"].numpy())

    return ask


def lite(run: Path, scratch: Path) -> Ask:
    """The files of LiteRT, on one core."""
    from textapps.exporting.lite import LiteModel

    manifest = json.loads((scratch / "lite" / "textapps.json").read_text())
    models = {
        kind: LiteModel((scratch / "lite" / file["file"]).read_bytes())
        for kind, file in manifest["files"].items()
    }
    waveform = clips(1)[0] / np.float32(32_768)
    return lambda question: _timed(lambda: models[question](waveform))


def _timed(call: Callable[[], Any]) -> dict[str, Any]:
    """The median of some calls."""
    times = []
    for _ in range(CALLS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return {"seconds": median(times)}


def _config(run: Path) -> dict[str, Any]:
    import tomllib

    return tomllib.loads((run / "config.toml").read_text(encoding="utf-8"))


SIDE: dict[str, Callable[[Path, Path], Ask]] = {
    "textapps": textapps,
    "pytorch": pytorch,
    "saved_model": saved_model,
    "lite": lite,
}

if __name__ == "__main__":
    main()
