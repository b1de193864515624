"""Seconds of training to 86 % validation accuracy on IMDB: textapps and Keras's own recipe.

    python -m benchmarks.time_to_accuracy --data-dir DIR [--repeats 3]

Every side trains in a process of its own, one after the other, in turn for each repeat, on the
same training rows, and is validated on the same rows after every 3,200 examples or so. Counted
are the training steps, the tracing of the first among them; not counted are imports, reading and
tokenising the data, validation and checkpoints, of either side. Writes
docs/results/time-to-accuracy.json; what was measured before an interruption is kept under --work.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import child, results_page
from benchmarks.results import read_result, write_result
from textapps.backbones.config import BACKBONES
from textapps.tasks.sentiment.config import PRESETS, SentimentConfig
from textapps.training.history import read_history
from textapps.training.run_directory import RunDirectory

NAME = "time-to-accuracy"
RECIPE = "keras_recipe"
EXAMPLES = 3200  # between validations
RECIPE_BATCH = 32

Rows = list[dict[str, float]]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="imdb_reviews", help="the data set (imdb_reviews)")
    parser.add_argument("--data-dir", help="where tensorflow_datasets has prepared it")
    parser.add_argument("--preset", choices=list(PRESETS), default="small")
    parser.add_argument("--backbone", nargs="+", choices=BACKBONES, default=["gru", "lstm"])
    parser.add_argument("--target", type=float, default=0.86, help="validation accuracy (0.86)")
    parser.add_argument("--repeats", type=int, default=3, help="with seeds 0, 1, … (3)")
    parser.add_argument("--name", default=NAME, help=f"of the result ({NAME})")
    parser.add_argument("--work", type=Path, default=Path("models/benchmarks"))
    parser.add_argument("--again", action="store_true", help="measure again")
    options = parser.parse_args(arguments)
    if not options.again and read_result(options.name):
        print(f"docs/results/{options.name}.json is there; --again measures again")
        return
    source = ["--data", options.data]
    if options.data_dir:
        source += ["--data-dir", options.data_dir]

    # Figures of another configuration or target are not mixed with these.
    configs = {kind: configuration(options.preset, kind) for kind in options.backbone}
    known = json.dumps(
        [options.data, options.target, {k: v.model_dump_json() for k, v in configs.items()}]
    )
    work = options.work / options.name / hashlib.sha256(known.encode()).hexdigest()[:8]
    kept = work / "measured.json"
    measured: dict[str, Rows] = {}
    if kept.is_file() and not options.again:
        measured = json.loads(kept.read_text())
    work.mkdir(parents=True, exist_ok=True)
    for seed in range(options.repeats):
        for side in (RECIPE, *options.backbone):
            key = f"{side}-{seed}"
            if key not in measured:
                if side == RECIPE:
                    rows = time_recipe(source, options.target, seed)
                else:
                    models_dir = work / f"{key}-{time.time_ns()}"
                    rows = time_textapps(models_dir, configs[side], source, options.target, seed)
                measured[key] = rows
                kept.write_text(json.dumps(measured))
            print(key, reached(measured[key], options.target), flush=True)
    sides = {
        side: [measured[f"{side}-{seed}"] for seed in range(options.repeats)]
        for side in (RECIPE, *options.backbone)
    }
    figures = {"data": options.data, "preset": options.preset, **summary(sides, options.target)}
    print(write_result(options.name, figures).read_text())
    results_page.write()


def configuration(preset: str, backbone: str) -> SentimentConfig:
    return PRESETS.resolve(flags={"preset": preset, "backbone.kind": backbone})


def time_recipe(source: list[str], target: float, seed: int) -> Rows:
    """The rows of Keras's recipe up to the target."""
    command = [sys.executable, "-m", "benchmarks.keras_recipe", *source, "--target", str(target)]
    command += ["--random-seed", str(seed), "--interval", str(EXAMPLES // RECIPE_BATCH)]
    rows: Rows = json.loads(child.run(command).stdout)["rows"]
    return rows


def time_textapps(
    models_dir: Path, config: SentimentConfig, source: list[str], target: float, seed: int
) -> Rows:
    """The rows of a `textapps sentiment train`, which is interrupted at the target."""
    interval = max(1, EXAMPLES // config.training.batch_size)
    command = [child.TEXTAPPS, "sentiment", "train", *source, "--models-dir", str(models_dir)]
    command += ["--preset", config.preset, "--backbone", config.backbone.kind, "--quiet"]
    command += ["--random-seed", str(seed), "--patience", "0"]
    command += ["--set", f"training.checkpoint_steps={interval}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            time.sleep(1)
            if reached(rows_of(models_dir), target)["reached"]:
                process.terminate()
                break
        code = process.wait()
    rows = rows_of(models_dir)
    if code and not reached(rows, target)["reached"]:  # else it ended by our signal
        raise subprocess.CalledProcessError(code, command)
    return rows


def rows_of(models_dir: Path) -> Rows:
    """step, seconds and validation accuracy of the one run under a directory, if it has any."""
    return [
        {"step": int(row["step"]), **{k: float(row[k]) for k in ("seconds", "val_accuracy")}}
        for run in RunDirectory.all(models_dir, "sentiment")
        for row in read_history(run)
    ]


def reached(rows: Rows, target: float) -> dict[str, Any]:
    """The first row at the target, else the last row, and which of them it is."""
    for row in rows:
        if row["val_accuracy"] >= target:
            return {"reached": True, **row}
    return {"reached": False, **(rows[-1] if rows else {})}


def summary(sides: dict[str, list[Rows]], target: float) -> dict[str, Any]:
    """Medians over the repeats, and how many times as long the recipe took.

    Where the recipe gave up, the ratio is a lower bound and says so; where a side of textapps
    did, there is none.
    """
    found = {side: [reached(rows, target) for rows in runs] for side, runs in sides.items()}
    seconds = {side: median(row["seconds"] for row in rows) for side, rows in found.items()}
    always = {side: all(row["reached"] for row in rows) for side, rows in found.items()}
    return {
        "target_validation_accuracy": target,
        "examples_between_validations": EXAMPLES,
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


if __name__ == "__main__":
    main()
