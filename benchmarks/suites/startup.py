"""How long commands take from a cold start of their process, with warm disk caches.

`--help`, and answers beside a bare `import tensorflow`: that of a classifier of the bundled sample,
which is trained first, and those of the models of the package that take texts.
"""

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median

from pydantic import Field

from benchmarks import processes
from benchmarks.benchmark import Benchmark, Context
from benchmarks.processes import TEXTAPPS, Finished
from benchmarks.results import Figures
from benchmarks.sides import interleave, spread
from benchmarks.trainings import sample
from textapps.core.names import TASKS
from textapps.pretrained import store

IMPORT = "import tensorflow"
TEXT = "A wonderful film: I laughed, I cried, I went again."


class Startup(Benchmark):
    rounds: int = Field(description="how often each command runs")

    def measure(self, context: Context) -> Figures:
        run = sample("sentiment", "gru", context.work, "tiny")
        kind, source = run.config["backbone"]["kind"], Path(run.config["data"]["source"]).stem
        answer = f"textapps sentiment predict ({kind}, {run.config['preset']}, {source})"
        commands = {
            "textapps --help": [TEXTAPPS, "--help"],
            "textapps sentiment train --help": [TEXTAPPS, "sentiment", "train", "--help"],
            IMPORT: [sys.executable, "-c", IMPORT],
            answer: [TEXTAPPS, "sentiment", "predict", "--run", str(run.path), TEXT],
        }
        for model in store.models():
            task, inputs = model.description.task, model.description.inputs
            if task in TASKS and inputs:
                text = next(iter(inputs[0].values()))
                words = ["predict", "--run", model.origin, text]
                commands[f"textapps {task} predict ({model.origin})"] = [TEXTAPPS, task, *words]

        def finished(command: Sequence[str], _: None) -> Finished:
            return processes.run(command, quiet=True)

        sides = {label: partial(finished, command) for label, command in commands.items()}
        (taken,) = interleave(sides, [None], 1 + self.rounds)
        return summary({label: found[1:] for label, found in taken.items()})  # 0 fills caches


def summary(taken: Mapping[str, Sequence[Finished]]) -> Figures:
    """Medians and spread of each command, and the answers' share of `import tensorflow`."""
    whole = {label: median(done.seconds for done in runs) for label, runs in taken.items()}
    return {
        "rounds": min(len(runs) for runs in taken.values()),
        "commands": {
            label: {
                **spread([done.seconds for done in runs], "seconds", 3),
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
