"""A preset of generate and nanoGPT's CPU recipe on the same text, for equally long.

    python -m benchmarks.nanogpt --data-dir DIR [--preset small] [--seconds 180]

Both train on the first nine tenths of tinyshakespeare and are evaluated on every character of the
rest. The preset trains first, to its end or for --seconds; the recipe (`nanogpt_recipe.py`,
PyTorch) gets the time that this took. Counted are the training steps, with the tracing of the
first; not counted are imports, reading the data, validation and checkpoints, of either side.
Writes docs/results/nanogpt.json; a training that was interrupted goes on where it stopped.
"""

import argparse
import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import child, results_page
from benchmarks.results import read_result, write_result
from textapps.evaluation.metrics.language import language_metrics, paired_gain
from textapps.tasks.generate.config import PRESETS
from textapps.training.checkpoint import CheckpointStore
from textapps.training.evaluations import evaluation_path
from textapps.training.run_directory import RunDirectory

NAME = "nanogpt"
SPLIT = 0.9
SECTIONS = ("backbone", "model", "training")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="tiny_shakespeare", help="the text (tiny_shakespeare)")
    parser.add_argument("--data-dir", help="where tensorflow_datasets has prepared it")
    parser.add_argument("--preset", choices=list(PRESETS), default="small")
    parser.add_argument("--seconds", type=float, help="of training at most; else to its end")
    parser.add_argument("--random-seed", type=int, default=0)
    parser.add_argument("--name", default=NAME, help=f"of the result ({NAME})")
    parser.add_argument("--work", type=Path, default=Path("models/benchmarks"))
    parser.add_argument("--again", action="store_true", help="train and measure again")
    options = parser.parse_args(arguments)
    if not options.again and read_result(options.name):
        print(f"docs/results/{options.name}.json is there; --again measures again")
        return
    source = ["--data", options.data, "--split", str(SPLIT)]
    if options.data_dir:
        source += ["--data-dir", options.data_dir]
    source += ["--random-seed", str(options.random_seed)]

    training = [*source, "--preset", options.preset]
    if options.seconds:
        training += ["--max-seconds", str(options.seconds)]
    # A training of another configuration is none to go on with.
    config = PRESETS.resolve(flags={"preset": options.preset}).model_dump_json()
    known = hashlib.sha256(json.dumps([training, config]).encode()).hexdigest()[:8]
    work = options.work / options.name / known
    if options.again:
        shutil.rmtree(work, ignore_errors=True)
    run = train(work, training)
    evaluate = [child.TEXTAPPS, "generate", "evaluate", "--run", str(run.path), "--json", "--quiet"]
    summary = json.loads(child.run(evaluate).stdout)
    out = work / "recipe.npz"
    seconds = str(summary["metrics"]["seconds"])
    command = [sys.executable, "-m", "benchmarks.nanogpt_recipe", *source, "--seconds", seconds]
    recipe = json.loads(child.run([*command, "--out", str(out)]).stdout)
    figures = {"data": summary["data"], "split": SPLIT, **compare(run, summary, recipe, out)}
    print(write_result(options.name, figures).read_text())
    results_page.write()


def train(work: Path, arguments: list[str]) -> RunDirectory:
    """The finished run under `work`, trained or gone on with now if there is none."""
    runs = RunDirectory.all(work, "generate")
    if not runs or not runs[-1].finished:
        if runs and CheckpointStore(runs[-1].checkpoints).steps():
            arguments = ["--resume", str(runs[-1].path)]
        else:
            arguments = [*arguments, "--models-dir", str(work)]
        child.run([child.TEXTAPPS, "generate", "train", *arguments])
    return RunDirectory.latest(work, "generate")


def compare(
    run: RunDirectory, summary: dict[str, Any], recipe: dict[str, Any], out: Path
) -> dict[str, Any]:
    """The figures of both sides and of n-grams on the same characters, and the margin."""
    path = evaluation_path(run, summary)
    with np.load(path.with_suffix(".npz")) as ours, np.load(out) as theirs:
        if ours["sha256"].item() != theirs["sha256"].item():
            raise RuntimeError(f"{run.path} was evaluated on other data: measure --again")
        nats = {"textapps": ours["nats"], "recipe": theirs["nats"]}
    metrics = {side: language_metrics(values) for side, values in nats.items()}
    names = ("nats_per_character", "nats_per_character_low", "nats_per_character_high")
    sides = {side: {n: round(found[n], 4) for n in names} for side, found in metrics.items()}
    state = CheckpointStore(run.checkpoints).newest_state()
    baseline = json.loads(
        evaluation_path(run, summary, "-baseline").with_suffix(".json").read_text()
    )
    margin = paired_gain(nats["textapps"], nats["recipe"])._asdict()
    return {
        "characters": summary["examples"],
        "seconds_of_training": round(summary["metrics"]["seconds"], 1),
        "textapps": {
            **sides["textapps"],
            "preset": run.config["preset"],
            "backbone": run.config["backbone"]["kind"],
            "parameters": summary["metrics"]["parameters"],
            "steps": state.step if state else None,
        },
        "recipe": {**recipe, **sides["recipe"]},
        "ngrams": {
            "order": baseline["metrics"]["order"],
            "nats_per_character": round(baseline["metrics"]["nats_per_character"], 4),
        },
        "margin": {key: round(value, 4) for key, value in margin.items()},
        "config": {section: run.config[section] for section in SECTIONS},
    }


if __name__ == "__main__":
    main()
