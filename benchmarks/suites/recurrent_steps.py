"""What a training step of a recurrent layer takes, beside the layers of Keras and PyTorch."""

from collections.abc import Mapping, Sequence
from statistics import geometric_mean, median
from typing import Any

from pydantic import Field

from benchmarks.benchmark import Comparison, Context, Table
from benchmarks.results import Figures
from benchmarks.sides import spread
from benchmarks.suites.recurrent_sides import Layer

SAME = 1e-3  # how far the norms of gradients may be apart, as a share of them
OWN = "textapps"

Answers = Mapping[str, Sequence[dict[str, Any]]]  # of each side, one a round


class Size(Table):
    """What layers of some kinds read; `label` says where."""

    label: str
    kinds: tuple[str, ...] = ("gru", "lstm")
    batch: int
    time: int
    inputs: int
    units: int
    both_ways: bool = False

    def layers(self) -> list[Layer]:
        """One of each kind."""
        sizes = self.model_dump(exclude={"label", "kinds"})
        return [Layer(kind, **sizes) for kind in self.kinds]


class RecurrentSteps(Comparison):
    """Milliseconds of a step, forward and backward, of layers with the same weights.

    All sides keep the memory that they have freed, as trainings do. Their gradients must be the
    same.
    """

    sizes: Mapping[str, tuple[Size, ...]]  # of each group, which has a geometric mean
    group: tuple[str, ...] = Field((), description="the groups to measure; all by default")

    def measure(self, context: Context) -> Figures:
        sizes = [
            (group, size)
            for group, each in self.sizes.items()
            if group in (self.group or self.sizes)
            for size in each
        ]
        cases = [(group, size, layer) for group, size in sizes for layer in size.layers()]
        answers, left_out = self.asked([layer._asdict() for *_, layer in cases])
        found = [
            {"group": group, "label": size.label, **layer._asdict(), **step_times(answer)}
            for (group, size, layer), answer in zip(cases, answers, strict=True)
        ]
        return {
            "rounds": self.rounds,
            "left_out": left_out,
            "groups": {
                group: summary(found, group) for group in dict.fromkeys(g for g, _ in sizes)
            },
            "cases": found,
        }


def step_times(answers: Answers) -> Figures:
    """Milliseconds of each side, and how many times as long as ours the others take.

    Raises:
        RuntimeError: the gradients of two sides differ.
    """
    own = answers[OWN][0]["norms"]
    for side, found in answers.items():
        for one, other in zip(own, found[0]["norms"], strict=True):
            if abs(one - other) > SAME * max(one, other):
                raise RuntimeError(f"not the same step: a gradient of {side} is {other}, not {one}")
    taken = {side: [1_000 * each["seconds"] for each in all_[1:]] for side, all_ in answers.items()}
    middle = {side: median(each) for side, each in taken.items()}
    return {
        "sides": {side: spread(each, "ms", 2) for side, each in taken.items()},
        "times": {s: round(each / middle[OWN], 2) for s, each in middle.items() if s != OWN},
    }


def summary(cases: Sequence[Figures], group: str) -> Figures:
    """Of the ratios in a group the geometric mean and the least, for each other side."""
    ratios: dict[str, list[float]] = {}
    for case in cases:
        for side, ratio in case["times"].items() if case["group"] == group else ():
            ratios.setdefault(side, []).append(ratio)
    return {
        side: {"geometric_mean": round(geometric_mean(each), 2), "least": min(each)}
        for side, each in ratios.items()
    }
