"""Trains language models on tinyshakespeare, n-grams beside them: nats per character.

    python -m benchmarks.generate [--data FILE] [--preset base] [--backbone gru lstm]

The first 90 % of the text are for training, the rest is evaluated, in a full pass, as published
figures have it. Writes docs/results/generate-<preset>-<backbone>.json for each backbone: by
default all four of the preset `small`, the preset's own of others. A figure that is there is not
measured again without --again; a training that was interrupted goes on where it stopped.
"""

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

from benchmarks import child, results_page
from benchmarks.results import read_result, write_result
from benchmarks.training import SECTIONS, WORK, facts, train
from textapps.backbones.config import BACKBONES
from textapps.tasks.generate.config import PRESETS

DATA = "tiny_shakespeare"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=DATA, help=f"the text ({DATA})")
    parser.add_argument("--data-dir", help="where tensorflow_datasets has prepared it")
    parser.add_argument("--preset", choices=list(PRESETS), default="small")
    parser.add_argument("--backbone", nargs="+", choices=BACKBONES, help="one or more")
    parser.add_argument("--work", type=Path, default=WORK, help=f"where runs go ({WORK})")
    parser.add_argument("--again", action="store_true", help="train and measure again")
    options = parser.parse_args(arguments)
    own = PRESETS.resolve(flags={"preset": options.preset}).backbone.kind
    for backbone in options.backbone or (BACKBONES if options.preset == "small" else [own]):
        name = f"generate-{options.preset}-{backbone}"
        if not options.again and read_result(name):
            print(f"docs/results/{name}.json is there; --again measures again")
            continue
        if options.again:
            shutil.rmtree(options.work / name, ignore_errors=True)
        source = ["--data", options.data, "--split", "0.9"]
        if options.data_dir:
            source += ["--data-dir", options.data_dir]
        figures = measure(options.work / name, options.preset, backbone, source)
        print(write_result(name, figures).read_text())
        results_page.write()


def measure(work: Path, preset: str, backbone: str, source: list[str]) -> dict[str, Any]:
    """Trains, or finds the finished run of an earlier call, and evaluates it."""
    run, cost = train("generate", work, preset, backbone, source)
    evaluate = [child.TEXTAPPS, "generate", "evaluate", "--run", str(run.path), "--json", "--quiet"]
    summary = json.loads(child.run(evaluate).stdout)
    metrics = summary["metrics"]
    metrics.pop("seconds")
    return {
        "data": f"{summary['data']}, the last tenth",
        **facts(run),
        "test_characters": summary["examples"],
        "parameters": metrics.pop("parameters"),
        **cost,
        "metrics": {
            key: round(value, 5) if isinstance(value, float) else value
            for key, value in metrics.items()
        },
        "config": {section: run.config[section] for section in SECTIONS},
    }


if __name__ == "__main__":
    main()
