"""Sentences translated a second by beam search, beside loops in PyTorch, at several lengths.

    python -m benchmarks.search [--rounds 5]

A transformer of 4 and 4 layers, 128 wide, with 8,000 tokens and five beams. Its weights are drawn
so that every answer goes on to the length asked for, and all sides have the same: how many of
their answers are the same is told, and fewer than seven in ten are an error. PyTorch has a cache of
keys and values, or none, as in Joey NMT and in tutorials. Every side is a process of its own that
is asked in turn, so that a busy machine is busy for all; the first answers, with what has to be
traced for them, are not counted. Writes docs/results/search.json.
"""

import argparse
import json
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks import child, results_page
from benchmarks.results import read_result, write_result
from benchmarks.search_side import BEAMS, SIDES, SOURCE

NAME = "search"
ENOUGH = 0.7  # of the answers are the same on both sides, or it is not the same that is timed
CLOSE = 1e-4  # scores of equal answers, as a share of them
LENGTHS = (20, 40, 80)


class Case(NamedTuple):
    """How many sentences at once, and how many tokens an answer has."""

    batch: int
    length: int


class Side:
    """A process of benchmarks.search_side."""

    def __init__(self, side: str, weights: Path, sizes: list[str]) -> None:
        command = [sys.executable, "-m", "benchmarks.search_side", side, f"--weights={weights}"]
        self._process = child.Companion([*command, *sizes])

    def ask(self, case: Case) -> dict[str, Any]:
        """{"seconds", "ids", "scores"}; CalledProcessError if the process has ended."""
        answer: dict[str, Any] = json.loads(self._process.ask(f"{case.batch} {case.length}"))
        return answer

    def close(self) -> None:
        """Ends the process."""
        self._process.close()


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="how often each side is asked (5)")
    parser.add_argument("--batch", type=int, default=64, help="sentences at once (64)")
    parser.add_argument("--length", type=int, nargs="+", default=LENGTHS, help="(20 40 80)")
    parser.add_argument("--again", action="store_true", help="measure again")
    parser.add_argument("sizes", nargs="*", help="after --: sizes, as benchmarks.search_side has")
    options = parser.parse_args(arguments)
    if not options.again and read_result(NAME):
        print(f"docs/results/{NAME}.json is there; --again measures again")
        return
    cases = [Case(options.batch, length) for length in options.length]
    cases.append(Case(1, options.length[0]))
    with tempfile.TemporaryDirectory(prefix="textapps-search-") as scratch:
        answers = measure(cases, options.rounds, Path(scratch) / "weights.npz", options.sizes)
    result = {
        "beams": BEAMS,
        "source_tokens": SOURCE,
        "sizes": options.sizes,
        "rounds": options.rounds,
        **summary(answers),
    }
    print(write_result(NAME, result).read_text())
    results_page.write()


def measure(
    cases: list[Case], rounds: int, weights: Path, sizes: list[str]
) -> dict[Case, dict[str, list[Any]]]:
    """Every answer of each side to each case, the first included."""
    answers: dict[Case, dict[str, list[Any]]] = {
        case: {side: [] for side in SIDES} for case in cases
    }
    sides: dict[str, Side] = {}
    try:
        for _ in range(1 + rounds):
            for case in cases:
                for name in SIDES:
                    if name not in sides:  # one by one: the first writes the weights of the second
                        sides[name] = Side(name, weights, sizes)
                    answers[case][name].append(sides[name].ask(case))
    finally:
        for side in sides.values():
            side.close()
    return answers


def summary(answers: dict[Case, dict[str, list[Any]]]) -> dict[str, Any]:
    """Sentences a second of each side, how many times the others' ours are, and what doubling the
    length costs.

    Raises:
        RuntimeError: the sides do not give the same answers.
    """
    cases = []
    seconds: dict[Case, dict[str, float]] = {}
    for case, sides in answers.items():
        taken = {side: [each["seconds"] for each in found[1:]] for side, found in sides.items()}
        seconds[case] = {side: median(each) for side, each in taken.items()}
        cases.append(
            {
                **case._asdict(),
                "sides": {
                    side: {
                        "median_per_second": round(case.batch / seconds[case][side], 2),
                        "least_per_second": round(case.batch / max(each), 2),
                        "most_per_second": round(case.batch / min(each), 2),
                        "first_seconds": round(sides[side][0]["seconds"], 2),
                    }
                    for side, each in taken.items()
                },
                "times": {
                    side: round(taken / seconds[case]["textapps"], 2)
                    for side, taken in seconds[case].items()
                    if side != "textapps"
                },
                **agreement(sides["textapps"][0], sides["pytorch"][0]),
            }
        )
    longer = [
        (short, long)
        for short, long in pairwise(seconds)
        if short.batch == long.batch and long.length == 2 * short.length
    ]
    doubled = {
        f"{short.length} to {long.length}": {
            side: round(seconds[long][side] / taken, 2) for side, taken in seconds[short].items()
        }
        for short, long in longer
    }
    return {"cases": cases, "doubled": doubled}


def agreement(ours: dict[str, Any], other: dict[str, Any]) -> dict[str, float]:
    """The share of equal answers, and by which share the scores of equal ones differ.

    They are not all equal: sums in another order may tell two beams apart that are nearly as
    good, and ours keeps the greedy sequence. A network that was never trained does not come back
    to where it was before, so long answers differ more often.
    """
    scores = zip(ours["scores"], other["scores"], strict=True)
    same = [one == two for one, two in zip(ours["ids"], other["ids"], strict=True)]
    apart = [abs(one / two - 1) for equal, (one, two) in zip(same, scores, strict=True) if equal]
    share, furthest = sum(same) / len(same), max(apart, default=0.0)
    if share < ENOUGH or furthest > CLOSE:
        raise RuntimeError(
            f"not the same search: {share:.0%} of the answers are equal, scores of those differ "
            f"by up to {furthest:.1e} of them"
        )
    return {"same_answers": round(share, 4), "score_difference": float(f"{furthest:.2g}")}


if __name__ == "__main__":
    main()
