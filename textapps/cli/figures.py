"""The figures of an evaluation on a terminal."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from textapps.cli import console
from textapps.core.counted import counted
from textapps.tasks.about import About

if TYPE_CHECKING:
    from textapps.tasks.task import Evaluation


def print_evaluation(evaluation: "Evaluation[Any]", about: About, *, as_json: bool) -> None:
    """The data, how many examples, and a line for each figure; or all of it as JSON."""
    summary = evaluation.summary
    if as_json:
        click.echo(json.dumps(summary, ensure_ascii=False))
        return
    click.echo(
        f"{summary['data']}, {summary['split']}: {counted(summary['examples'], about.example)}"
    )
    print_figures(summary["metrics"], about.figures, about.decimals)
    for line in evaluation.remarks:
        click.echo(line)


def say_part(evaluation: "Evaluation[Any]", about: About) -> None:
    """On stderr, which part of the data was evaluated."""
    part = evaluation.examples.part.told(about.example)
    console.say(f"{evaluation.summary['data']}: evaluated {part}")


def print_figures(metrics: Mapping[str, float], names: Sequence[str], decimals: int = 4) -> None:
    """A line for each figure that there is, with its interval if it has one.

    One without says that none can be told, if others have theirs.

    >>> print_figures({"a": 0.5, "a_low": 0.25, "a_high": 0.75, "bc": 1.0}, ("a", "bc", "d"), 2)
    a   0.50   95 %: 0.25 to 0.75
    bc  1.00   95 %: cannot be told
    """
    some = any(f"{name}_low" in metrics for name in names)
    width = max(map(len, names)) + 2
    for name in names:
        if name in metrics:
            low, high = (metrics.get(f"{name}_{end}") for end in ("low", "high"))
            interval = "   95 %: cannot be told" if some else ""
            if low is not None and high is not None:
                interval = f"   95 %: {low:.{decimals}f} to {high:.{decimals}f}"
            click.echo(f"{name:<{width}}{metrics[name]:.{decimals}f}{interval}")
