"""How long commands take from a cold start of their process, with warm disk caches.

    python -m benchmarks.startup [--run RUN] [--rounds 9]

`--help`, and an answer beside a bare `import tensorflow`. The commands run in turn, so that a
busy machine is busy for all of them. Answers come from a classifier of the bundled sample, which
is trained first, and from RUN, if given. Writes docs/results/startup.json.
"""

import argparse
import sys
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import child, results_page
from benchmarks.results import read_result, write_result
from textapps.training.run_directory import RunDirectory

NAME = "startup"
IMPORT = "import tensorflow"
TEXT = "A wonderful film: I laughed, I cried, I went again."


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, help="the directory of another run to answer from")
    parser.add_argument("--rounds", type=int, default=9, help="how often each command runs (9)")
    parser.add_argument("--work", type=Path, default=Path("models/benchmarks/startup"))
    parser.add_argument("--again", action="store_true", help="measure again")
    options = parser.parse_args(arguments)
    if not options.again and read_result(NAME):
        print(f"docs/results/{NAME}.json is there; --again measures again")
        return
    commands = {
        "textapps --help": [child.TEXTAPPS, "--help"],
        "textapps sentiment train --help": [child.TEXTAPPS, "sentiment", "train", "--help"],
        IMPORT: [sys.executable, "-c", "import tensorflow"],
        **answers(sample_run(options.work)),
        **(answers(RunDirectory.open(options.run, "sentiment")) if options.run else {}),
    }
    taken: dict[str, list[child.Child]] = {label: [] for label in commands}
    for number in range(options.rounds + 1):
        for label, command in commands.items():
            done = child.run(command, quiet=True)
            if number:  # the first round fills the caches
                taken[label].append(done)
    print(write_result(NAME, summary(taken)).read_text())
    results_page.write()


def sample_run(work: Path) -> RunDirectory:
    """A finished run of the preset `tiny` on the bundled sample, trained if there is none."""
    if not any(run.finished for run in RunDirectory.all(work, "sentiment")):
        train = [child.TEXTAPPS, "sentiment", "train", "--data", "sample", "--preset", "tiny"]
        child.run([*train, "--models-dir", str(work)])
    return RunDirectory.latest(work, "sentiment")


def answers(run: RunDirectory) -> dict[str, list[str]]:
    """The command that answers one text, labelled by what the run is."""
    kind, preset, source = (
        run.config["backbone"]["kind"],
        run.config["preset"],
        Path(run.config["data"]["source"]).stem,
    )
    label = f"textapps sentiment predict ({kind}, {preset}, {source})"
    return {label: [child.TEXTAPPS, "sentiment", "predict", "--run", str(run.path), TEXT]}


def summary(taken: dict[str, list[child.Child]]) -> dict[str, Any]:
    """Medians and spread of each command, and the answers' share of `import tensorflow`."""
    whole = {label: median(done.seconds for done in runs) for label, runs in taken.items()}
    return {
        "rounds": min(len(runs) for runs in taken.values()),
        "commands": {
            label: {
                "median_seconds": round(whole[label], 3),
                "least_seconds": round(min(done.seconds for done in runs), 3),
                "most_seconds": round(max(done.seconds for done in runs), 3),
                "median_cpu_seconds": round(median(done.cpu_seconds for done in runs), 3),
                "peak_memory_mb": max(done.peak_memory_mb for done in runs),
            }
            for label, runs in taken.items()
        },
        "times_import_tensorflow": {
            label: round(seconds / whole[IMPORT], 3)
            for label, seconds in whole.items()
            if "predict" in label
        },
    }


if __name__ == "__main__":
    main()
