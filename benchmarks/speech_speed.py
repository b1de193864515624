"""Clips a second in training, beside PyTorch, and what one clip takes to be answered.

    python -m benchmarks.speech_speed [--run RUN] [--rounds 7]

RUN is a finished run of `textapps speech train` of a recurrent backbone with one block, by default
that of the GRU of benchmarks.speech: its sizes and weights are those of both sides. A step of
training makes the spectrogram of 128 clips and an update of AdamW, clipped and averaged, with
nothing drawn but what the model drops. One clip is answered by the exported SavedModel, as samples
and as a WAV file, and by its files of LiteRT on one core. Every side is a process of its own that
is asked in turn, so that a busy machine is busy for all; the first answers, with what has to be
traced for them, are not counted. Writes docs/results/speech-speed.json.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import child, results_page
from benchmarks.results import read_result, write_result
from benchmarks.speech_speed_side import BATCH, SIDES, STEPS
from benchmarks.training import WORK
from textapps.training.run_directory import RunDirectory

NAME = "speech-speed"
TRAINED = "speech-closed-small-gru"  # by benchmarks.speech
CLOSE = 1e-3  # logits of the two sides, of the same weights
QUESTIONS = {
    "textapps": ("train",),
    "pytorch": ("train",),
    "saved_model": ("waveform", "serving_default"),
    "lite": ("float", "int8"),
}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, help="a folder of models/speech")
    parser.add_argument("--rounds", type=int, default=7, help="how often each side is asked (7)")
    parser.add_argument("--again", action="store_true", help="measure again")
    options = parser.parse_args(arguments)
    if not options.again and read_result(NAME):
        print(f"docs/results/{NAME}.json is there; --again measures again")
        return
    run = options.run or RunDirectory.latest(WORK / TRAINED, "speech").path
    with tempfile.TemporaryDirectory(prefix="textapps-speech-") as scratch:
        answers = measure(run, Path(scratch), options.rounds)
    result = {"run": run.name, "batch": BATCH, "steps": STEPS, "rounds": options.rounds}
    print(write_result(NAME, {**result, **summary(answers)}).read_text())
    results_page.write()


def measure(run: Path, scratch: Path, rounds: int) -> dict[str, list[dict[str, Any]]]:
    """Every answer to each question of each side, the first included."""
    answers: dict[str, list[dict[str, Any]]] = {}
    sides: dict[str, child.Companion] = {}
    command = [sys.executable, "-m", "benchmarks.speech_speed_side"]
    try:
        for _ in range(1 + rounds):
            for side in SIDES:
                if side not in sides:  # one by one: the first writes what the others read
                    sides[side] = child.Companion([*command, side, str(run), str(scratch)])
                for question in QUESTIONS[side]:
                    answer = json.loads(sides[side].ask(question))
                    answers.setdefault(f"{side} {question}", []).append(answer)
    finally:
        for companion in sides.values():
            companion.close()
    return answers


def summary(answers: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Clips a second of training and their ratio; milliseconds a clip.

    Raises:
        RuntimeError: the sides do not give the same logits.
    """
    first = {name: found[0]["logits"] for name, found in answers.items() if "logits" in found[0]}
    one, other = (first[f"{side} train"] for side in ("textapps", "pytorch"))
    apart = max(abs(a - b) for a, b in zip(one, other, strict=True))
    if apart > CLOSE:
        raise RuntimeError(f"not the same model: logits differ by {apart:.2g}")
    seconds = {name: [each["seconds"] for each in found[1:]] for name, found in answers.items()}
    rates = {
        side: [BATCH * STEPS / each for each in seconds[f"{side} train"]]
        for side in ("textapps", "pytorch")
    }
    return {
        "training": {
            side: {
                "median_per_second": round(median(each), 1),
                "least_per_second": round(min(each), 1),
                "most_per_second": round(max(each), 1),
            }
            for side, each in rates.items()
        },
        "times_pytorch": round(median(rates["textapps"]) / median(rates["pytorch"]), 2),
        "logits_apart": float(f"{apart:.2g}"),
        "milliseconds_per_clip": {
            name: round(1_000 * median(each), 2)
            for name, each in seconds.items()
            if not name.endswith("train")
        },
    }


if __name__ == "__main__":
    main()
