"""Trainings beside the recipes of others, each side in processes of its own.

Counted are the training steps, with the tracing of the first; not counted are imports, reading and
tokenising the data, validation and checkpoints, of either side.
"""

import json
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from pydantic import Field

from benchmarks import processes
from benchmarks.benchmark import Context, Trained
from benchmarks.results import Figures, rounded
from benchmarks.sides import interleave, opened
from benchmarks.trainings import Training, evaluated, facts, history
from textapps.evaluation.metrics.language import language_metrics, paired_gain
from textapps.training.evaluations import Summary, evaluation_path
from textapps.training.run_directory import RunDirectory

NANOGPT = "benchmarks.counterparts.nanogpt_recipe:recipe"
KERAS = "benchmarks.counterparts.keras_recipe:recipe"
INTERVAL = ("nats_per_character", "nats_per_character_low", "nats_per_character_high")
RECIPE = "keras_recipe"
RECIPE_BATCH = 32

Rows = list[dict[str, float]]


class NanoGPT(Trained):
    """A preset of generate and nanoGPT's CPU recipe on the same text, for equally long.

    Both train on the first nine tenths of a text and are evaluated on every character of the rest.
    The preset trains first, and the recipe gets the time that this took.
    """

    backbone: str = Field(description="of the preset")
    seconds: float = Field(description="of training at most, 0: to its end")
    split: float

    def measure(self, context: Context) -> Figures:
        limit = {"training.max_seconds": self.seconds} if self.seconds else {}
        training = self.training(context, "generate", self.backbone, limit)
        # Trained to its end it is the run that `generate` has.
        name = self.name if self.seconds else f"generate-{self.preset}-{self.backbone}"
        run, _ = training.finished(context.work / name, again=context.again)
        summary = evaluated(run)
        out = context.work / name / "recipe.npz"
        question = {
            "data": {"source": self.data, "data_dir": self.data_dir, "split": self.split},
            "seconds": summary["metrics"]["seconds"],
            "out": str(out),
        }
        with opened({"recipe": NANOGPT}) as (sides, left_out):
            recipe = {side: ask(question) for side, ask in sides.items()}
        files = {"textapps": str(evaluation_path(run, summary).with_suffix(".npz"))}
        files |= dict.fromkeys(recipe, str(out))
        known = {"data": summary["data"], "split": self.split, "left_out": left_out}
        return {**known, **compare(run, summary, recipe, nats_of(files))}


def nats_of(files: Mapping[str, str]) -> dict[str, Any]:
    """float32[characters] of each side; RuntimeError if they are not of the same text."""
    nats, texts = {}, set()
    for side, file in files.items():
        with np.load(file) as arrays:
            nats[side] = arrays["nats"]
            texts.add(arrays["sha256"].item())
    if len(texts) > 1:
        raise RuntimeError(f"evaluated on other data: {', '.join(files.values())}; use --again")
    return nats


def compare(
    run: RunDirectory, summary: Summary, recipe: Mapping[str, Figures], nats: Mapping[str, Any]
) -> Figures:
    """The figures of the sides and of n-grams on the same characters, and the margin."""
    metrics = {side: language_metrics(values) for side, values in nats.items()}
    sides = {side: rounded({n: m[n] for n in INTERVAL if n in m}, 4) for side, m in metrics.items()}
    path = evaluation_path(run, summary, "-baseline").with_suffix(".json")
    baseline = json.loads(path.read_text())["metrics"]
    found = {
        "characters": summary["examples"],
        "seconds_of_training": round(summary["metrics"]["seconds"], 1),
        "textapps": {
            **sides["textapps"],
            **{key: facts(run)[key] for key in ("preset", "backbone", "steps")},
            "parameters": summary["metrics"]["parameters"],
        },
        "ngrams": rounded({key: baseline[key] for key in ("order", INTERVAL[0])}, 4),
        **{side: {**figures, **sides[side]} for side, figures in recipe.items()},
    }
    if recipe:
        margin = paired_gain(nats["textapps"], nats["recipe"])
        found["margin"] = rounded(margin._asdict(), 4)
    sections = ("backbone", "model", "training")
    return {**found, "config": {section: run.config[section] for section in sections}}


class TimeToAccuracy(Trained):
    """Seconds of training to a validation accuracy on IMDB: textapps and Keras's own recipe."""

    backbone: tuple[str, ...] = Field(description="one or more")
    target: float = Field(description="validation accuracy")
    examples: int = Field(description="between validations")
    repeats: int = Field(description="with seeds 0, 1, …")

    def measure(self, context: Context) -> Figures:
        sides: dict[str, Callable[[int], Rows]] = {RECIPE: self.recipe_rows}
        for kind in self.backbone:
            changes = {"training.patience": 0, "model.ngrams": 0}  # the recipe has none either
            training = self.training(context, "sentiment", kind, changes)
            sides[kind] = partial(self.own_rows, training, context.work / self.name)
        found = interleave(sides, range(self.repeats), 1)
        runs = {side: [repeat[side][0] for repeat in found] for side in sides}
        known = {"data": self.data, "preset": self.preset}
        return {**known, **summary(runs, self.target, self.examples)}

    def recipe_rows(self, seed: int) -> Rows:
        question = {
            "data": {"source": self.data, "data_dir": self.data_dir},
            "target": self.target,
            "interval": max(1, self.examples // RECIPE_BATCH),
            "seed": seed,
        }
        with opened({RECIPE: KERAS}) as (asks, _):
            rows: Rows = asks[RECIPE](question)
        return rows

    def own_rows(self, training: Training, folder: Path, seed: int) -> Rows:
        """The rows of a `textapps sentiment train`, which is interrupted at the target."""
        models_dir = folder / f"{training.backbone}-{seed}-{time.time_ns()}"
        interval = max(1, self.examples // training.config().training.batch_size)
        command = [*training.command(models_dir), "--random-seed", str(seed)]
        command += ["--set", f"training.checkpoint_steps={interval}"]
        with processes.start(command) as process:
            while process.poll() is None:
                time.sleep(0.5)
                if reached(history(models_dir, "sentiment"), self.target)["reached"]:
                    process.terminate()
                    break
            code = process.wait()
        rows = history(models_dir, "sentiment")
        if code and not reached(rows, self.target)["reached"]:  # else it ended by our signal
            raise subprocess.CalledProcessError(code, command)
        return [{key: row[key] for key in ("step", "seconds", "val_accuracy")} for row in rows]


def reached(rows: Rows, target: float) -> dict[str, Any]:
    """The first row at the target, else the last row, and which of them it is."""
    for row in rows:
        if row["val_accuracy"] >= target:
            return {"reached": True, **row}
    return {"reached": False, **(rows[-1] if rows else {})}


def summary(sides: Mapping[str, Sequence[Rows]], target: float, examples: int) -> Figures:
    """Medians over the repeats, and how many times as long the recipe took.

    Where the recipe gave up, the ratio is a lower bound and says so; where a side of textapps
    did, there is none.
    """
    found = {side: [reached(rows, target) for rows in runs] for side, runs in sides.items()}
    seconds = {side: median(row["seconds"] for row in rows) for side, rows in found.items()}
    always = {side: all(row["reached"] for row in rows) for side, rows in found.items()}
    return {
        "target_validation_accuracy": target,
        "examples_between_validations": examples,
        "sides": {
            side: {
                "median_seconds": round(seconds[side], 1),
                "always_reached": always[side],
                "repeats": rows,
            }
            for side, rows in found.items()
        },
        "recipe_takes_times_as_long": {
            side: round(seconds[RECIPE] / seconds[side], 2) if always[side] else None
            for side in sides
            if side != RECIPE
        },
        "ratio_is_a_lower_bound": not always[RECIPE],
    }
