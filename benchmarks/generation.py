"""Characters generated a second: compiled, by the exported graph, and by a loop in PyTorch.

    python -m benchmarks.generation [--rounds 5]

A GRU of 512 units, one text and 32 at once, and a transformer (4 layers, 128 wide, context 256),
one text, which in PyTorch keeps no cache. Every side is a process of its own that is asked in
turn, so that a busy machine is busy for all; the first answers, with what has to be traced and
compiled for them, are not counted but told. Writes docs/results/generation.json.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks import child, results_page
from benchmarks.generation_side import SIDES
from benchmarks.results import read_result, write_result

NAME = "generation"
OURS = [side for side in SIDES if side != "pytorch"]


class Case(NamedTuple):
    """A model, and how many texts it generates at once."""

    sizes: tuple[str, ...]
    batch: int


CASES = {
    "GRU, 512 units, 1 text": Case(("--backbone=gru", "--units=512"), 1),
    "GRU, 512 units, 32 texts": Case(("--backbone=gru", "--units=512"), 32),
    "Transformer, 4 layers, 128 wide, context 256, 1 text": Case(
        ("--backbone=transformer", "--units=128", "--layers=4", "--context=256"), 1
    ),
}


class Side:
    """A process of benchmarks.generation_side."""

    def __init__(self, side: str, case: Case, characters: int, scratch: Path) -> None:
        export = scratch / "-".join(word.strip("-") for word in case.sizes)
        self.batch = case.batch
        self.characters = characters
        words = [side, *case.sizes, f"--export={export}", f"--characters={characters}"]
        self._process = child.Companion(
            [sys.executable, "-m", "benchmarks.generation_side", *words]
        )

    def ask(self) -> float:
        """The seconds of one generation; CalledProcessError if the process has ended."""
        return float(self._process.ask(f"{self.batch} {self.characters}"))

    def close(self) -> None:
        """Ends the process."""
        self._process.close()


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="how often each side is asked (5)")
    parser.add_argument("--characters", type=int, default=1000, help="of each text (1000)")
    parser.add_argument("--again", action="store_true", help="measure again")
    options = parser.parse_args(arguments)
    if not options.again and read_result(NAME):
        print(f"docs/results/{NAME}.json is there; --again measures again")
        return
    with tempfile.TemporaryDirectory(prefix="textapps-generation-") as scratch:
        figures = {
            label: summary(measure(case, options, Path(scratch)), case.batch * options.characters)
            for label, case in CASES.items()
        }
    result = {"characters": options.characters, "rounds": options.rounds, "cases": figures}
    print(write_result(NAME, result).read_text())
    results_page.write()


def measure(case: Case, options: Any, scratch: Path) -> dict[str, list[float]]:
    """Seconds of every answer of each side, the first included."""
    sides: dict[str, Side] = {}
    try:
        for side in SIDES:
            sides[side] = Side(side, case, options.characters, scratch)
        taken: dict[str, list[float]] = {side: [] for side in sides}
        for _ in range(1 + options.rounds):
            for name, side in sides.items():
                taken[name].append(side.ask())
    finally:
        for side in sides.values():
            side.close()
    return taken


def summary(taken: dict[str, list[float]], characters: int) -> dict[str, Any]:
    """Characters a second of each side, and how many times as many as in PyTorch."""
    rates = {side: [characters / each for each in seconds[1:]] for side, seconds in taken.items()}
    middle = {side: median(each) for side, each in rates.items()}
    return {
        "sides": {
            side: {
                "median_per_second": round(middle[side]),
                "least_per_second": round(min(each)),
                "most_per_second": round(max(each)),
                "first_seconds": round(taken[side][0], 2),
            }
            for side, each in rates.items()
        },
        "times_pytorch": {side: round(middle[side] / middle["pytorch"], 2) for side in OURS},
    }


if __name__ == "__main__":
    main()
