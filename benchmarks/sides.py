"""The sides of a comparison: processes that answer questions, each in its turn.

    python -m benchmarks.sides MODULE:FUNCTION SETTINGS

calls the function with the settings, a JSON object. What it returns is called with each line of
stdin, a JSON value, and its answer is printed as a line of JSON. The first line of stdout says
that the side is ready, or why it is left out.
"""

import contextlib
import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median
from typing import Any, TypeVar

Ask = Callable[[Any], Any]  # question → answer, both JSON values
Case = TypeVar("Case")
Answer = TypeVar("Answer")

NEEDS_PYTORCH = "PyTorch is not installed: pip install torch==2.13.0"


def interleave(
    sides: Mapping[str, Callable[[Case], Answer]], cases: Sequence[Case], rounds: int
) -> list[dict[str, list[Answer]]]:
    """For each case the answers of each side, one a round.

    In a round all sides have their turn at a case before the next case comes, so that whatever
    slows the machine down slows all of them. What has to be traced or compiled for a first answer
    is in round 0, which callers that measure speed leave out.
    """
    answers: list[dict[str, list[Answer]]] = [{side: [] for side in sides} for _ in cases]
    for _ in range(rounds):
        for case, of_case in zip(cases, answers, strict=True):
            for side, ask in sides.items():
                of_case[side].append(ask(case))
    return answers


def spread(values: Sequence[float], name: str, digits: int | None = None) -> dict[str, float]:
    """The median, the least and the most of something, under `median_<name>` and so on."""
    found = {"median": median(values), "least": min(values), "most": max(values)}
    return {f"{which}_{name}": round(value, digits) for which, value in found.items()}


def rates(seconds: Sequence[float], amount: float, digits: int | None = None) -> dict[str, float]:
    """The spread of what `amount` in each of the times is a second."""
    return spread([amount / each for each in seconds], "per_second", digits)


class Side:
    """A process of this module; `left_out` says why it cannot take part, if it cannot."""

    def __init__(self, function: str, settings: Mapping[str, Any]) -> None:
        command = [sys.executable, "-m", __name__, function, json.dumps(settings)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        self.left_out: str | None = self._answer()["left_out"]

    def ask(self, question: Any) -> Any:
        """The answer to a question; CalledProcessError if the process has ended."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.close()
            raise subprocess.CalledProcessError(self._process.wait(), self._process.args)
        return json.loads(line)


@contextlib.contextmanager
def opened(
    functions: Mapping[str, str], **settings: Any
) -> Iterator[tuple[dict[str, Ask], dict[str, str]]]:
    """The sides by their names, and why others are left out; ends their processes.

    They start one after the other: a side may read what an earlier one has written.
    """
    asks: dict[str, Ask] = {}
    left_out: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        for name, function in functions.items():
            side = Side(function, settings)
            stack.callback(side.close)
            if side.left_out:
                print(f"{name} is left out: {side.left_out}", file=sys.stderr)
                left_out[name] = side.left_out
            else:
                asks[name] = side.ask
        yield asks, left_out


def resolved(function: str, settings: Mapping[str, Any]) -> Ask | str:
    """How a side answers, or why it is left out."""
    module, _, name = function.partition(":")
    try:
        ask: Ask = getattr(importlib.import_module(module), name)(**settings)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        return NEEDS_PYTORCH
    return ask


def main(arguments: Sequence[str]) -> None:
    """Answers the questions on stdin; what else is printed goes to stderr."""
    function, settings = arguments
    with contextlib.redirect_stdout(sys.stderr):
        ask = resolved(function, json.loads(settings))
    left_out = ask if isinstance(ask, str) else None
    print(json.dumps({"left_out": left_out}), flush=True)
    if isinstance(ask, str):
        return
    for line in sys.stdin:
        with contextlib.redirect_stdout(sys.stderr):
            answer = ask(json.loads(line))
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
