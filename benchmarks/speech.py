"""Trains recognisers of spoken commands and evaluates them on speakers kept apart.

    python -m benchmarks.speech --data DIR [--set closed|open] [--preset tiny]
                                [--backbone gru lstm] [--streaming]

DIR holds the recordings of Speech Commands, one folder a word. The commands are eight words; of the
`closed` set nothing else is heard, in the `open` one a tenth of the clips are other words and a
tenth is silence. Accuracy on the test split, in noise, by speaker and in a long stream, and what
the files of LiteRT lose. Writes docs/results/speech-<set>-<preset>-<backbone>[-streaming].json for
each backbone: by default all four of the preset `small` for the closed set, else the preset's own.
A figure that is there is not measured again without --again; a training that was interrupted goes
on where it stopped.
"""

import argparse
import json
import shutil
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks import results_page
from benchmarks.results import read_result, write_result
from benchmarks.training import MORE_SECTIONS, SECTIONS, WORK, facts, train
from textapps.backbones.config import BACKBONES
from textapps.tasks.speech.config import PRESETS

COMMANDS = ("yes", "no", "left", "right", "happy", "cat", "bed", "down")
SETS = {"closed": {"data.unknown": "0", "data.silence": "0"}, "open": {}}
STREAMING = {"model.streaming": "true"}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder of the recordings")
    parser.add_argument("--set", choices=SETS, default="closed")
    parser.add_argument("--preset", choices=list(PRESETS), default="small")
    parser.add_argument("--backbone", nargs="+", choices=BACKBONES, help="one or more")
    parser.add_argument("--streaming", action="store_true", help="causal models")
    parser.add_argument("--work", type=Path, default=WORK, help=f"where runs go ({WORK})")
    parser.add_argument("--again", action="store_true", help="train and measure again")
    options = parser.parse_args(arguments)
    for word in COMMANDS:
        if not (options.data / word).is_dir():
            parser.error(f"{options.data} has no folder {word}")
    own = PRESETS.resolve(flags={"preset": options.preset}).backbone.kind
    all_kinds = (options.set, options.preset, options.streaming) == ("closed", "small", False)
    source = ["--data", str(options.data), "--commands", ",".join(COMMANDS)]
    changes = {**SETS[options.set], **(STREAMING if options.streaming else {})}
    for kind in options.backbone or (BACKBONES if all_kinds else [own]):
        way = ["streaming"] if options.streaming else []
        name = "-".join(["speech", options.set, options.preset, kind, *way])
        if not options.again and read_result(name):
            print(f"docs/results/{name}.json is there; --again measures again")
            continue
        if options.again:
            shutil.rmtree(options.work / name, ignore_errors=True)
        figures = measure(options.work / name, options.preset, kind, source, changes)
        print(write_result(name, figures).read_text())
        results_page.write()


def measure(
    work: Path, preset: str, backbone: str, source: list[str], changes: dict[str, str]
) -> dict[str, Any]:
    """Trains, or finds the finished run of an earlier call, and evaluates it."""
    run, cost = train("speech", work, preset, backbone, source, changes)
    # In a process of its own, whose memory is free again when the next training begins.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        evaluated = pool.submit(evaluate, run.path, work).result()
    data = json.loads((run.path / "data.json").read_text())
    return {
        **{key: evaluated.pop(key) for key in ("data", "test_examples")},
        **facts(run),
        "streaming": run.config["model"]["streaming"],
        "labels": data["labels"],
        "training_examples": data["train"]["examples"],
        "validation_examples": data["validation"]["examples"],
        **{"parameters": evaluated.pop("parameters")},
        **cost,
        **evaluated,
        "config": {
            section: run.config[section] for section in (*SECTIONS, *MORE_SECTIONS, "detection")
        },
    }


def evaluate(path: Path, models_dir: Path) -> dict[str, Any]:
    """The figures of a run on its test split, and those of its files of LiteRT."""
    from textapps.tasks import lifecycle
    from textapps.tasks.speech.task import TASK
    from textapps.training.run_directory import RunDirectory

    recognizer = lifecycle.load(TASK, RunDirectory.open(path, "speech"))
    evaluation = lifecycle.evaluate(TASK, recognizer)
    lifecycle.write_report(TASK, recognizer, evaluation)
    summary = evaluation.summary
    metrics = dict(summary["metrics"])
    metrics.pop("seconds")
    lite = json.loads(
        (recognizer.export(models_dir, format="tflite") / "textapps.json").read_text()
    )
    return {
        "data": f"{summary['data']}, {summary['split']} split",
        "test_examples": summary["examples"],
        "parameters": metrics.pop("parameters"),
        "metrics": {key: round(value, 4) for key, value in metrics.items()},
        "lite": {
            "bytes": {kind: file["bytes"] for kind, file in lite["files"].items()},
            "accuracy": {kind: round(share, 4) for kind, share in lite["accuracy"].items()},
            "int8_against_float": lite["int8_against_float"],
        },
    }


if __name__ == "__main__":
    main()
