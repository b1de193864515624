"""`textapps pretrained`: the models that come with the package."""

import json
from typing import TYPE_CHECKING, Any

import click

from textapps.cli import console
from textapps.cli.options import examples, talk_options

if TYPE_CHECKING:
    from textapps.pretrained.model import PretrainedModel

_DECIMALS = 4


@click.group(
    "pretrained",
    invoke_without_command=True,
    epilog=examples(
        "textapps pretrained",
        "textapps pretrained show imdb",
        'textapps sentiment predict --run pretrained:imdb "What a film!"',
        "textapps sentiment train --data reviews.csv --init-from pretrained:imdb",
    ),
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@talk_options
@click.pass_context
def pretrained_group(ctx: click.Context, as_json: bool) -> None:
    """List the models that come with the package.

    `pretrained:NAME` stands for a run in all commands and in Python. A task without a run of its
    own answers with its first model in this list. The figure is that on the test split of the data
    it was trained on.
    """
    if ctx.invoked_subcommand is not None:
        if as_json:
            raise click.UsageError("--json goes with the list, without a command", ctx)
        return
    from textapps.pretrained import store

    rows = [describe(model) for model in store.models()]
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
    elif rows:
        _print_table(rows)
    else:
        console.say(f"no pretrained models: {store.store_dir() or 'the package'} has none")


@pretrained_group.command("show", epilog=examples("textapps pretrained show imdb"))
@click.argument("name")
@talk_options
def show_command(name: str) -> None:
    """Print the card of a model: data, terms, figures, and how it was made."""
    from textapps.pretrained import store

    click.echo(store.find(name).card.rstrip("\n"))


def describe(model: "PretrainedModel") -> dict[str, Any]:
    """What `textapps pretrained --json` says of one model."""
    known = model.description
    return {
        "name": known.name,
        "run": model.origin,
        "task": known.task,
        "title": known.title,
        "languages": list(known.languages),
        "bytes": model.bytes,
        "parameters": known.parameters,
        "backbone": known.backbone,
        "data": known.data,
        "terms": known.terms,
        "split": known.figures.split,
        "examples": known.figures.examples,
        "metrics": known.figures.metrics,
    }


def _print_table(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table

    from textapps.tasks.registry import get_about

    table = Table(box=None, pad_edge=False)
    for name in ("name", "task", "what it answers", "languages"):
        table.add_column(name, no_wrap=name == "name")  # to be copied into --run
    for name in ("MB", "figure"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("terms of the data")
    for row in rows:
        figure = get_about(row["task"]).figures[0]
        value = row["metrics"].get(figure)
        table.add_row(
            row["name"],
            row["task"],
            row["title"],
            ", ".join(row["languages"]),
            f"{row['bytes'] / 1e6:.1f}",
            "" if value is None else f"{figure} {value:.{_DECIMALS}f}",
            row["terms"],
        )
    console.answers().print(table)
