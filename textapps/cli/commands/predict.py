"""`textapps TASK predict`."""

import json
import secrets
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from textapps.cli import console
from textapps.cli.batch_options import batch_options
from textapps.cli.field_options import checked_options, field_options
from textapps.cli.loading import load_run
from textapps.cli.options import (
    Decorator,
    examples,
    json_lines_option,
    run_options,
    talk_options,
    together,
)
from textapps.core.names import TaskName
from textapps.tasks.about import Inputs
from textapps.tasks.registry import get_about


def _random_seed(default: int | None, text: str) -> Decorator:
    return click.option(
        "--random-seed",
        type=click.IntRange(0, 2**62),
        default=default,
        show_default=default is not None,
        help=text,
    )


# Options of a single call, which no configuration holds.
_OF_THE_CALL: dict[str, tuple[Decorator, ...]] = {
    "generate": (
        click.option(
            "--seed", "seeds", metavar="TEXT", multiple=True, help="A text to continue; repeatable."
        ),
        click.option(
            "--count",
            type=click.IntRange(1, 10_000),
            default=1,
            show_default=True,
            help="Texts for each seed.",
        ),
        _random_seed(
            None,
            "The same seed gives the same text; text i takes the seed + i.  "
            "[default: drawn, and printed on stderr]",
        ),
    ),
    "translate": (_random_seed(0, "With a temperature, the same seed gives the same answers."),),
    "speech": (
        click.option(
            "--skip-bad", is_flag=True, help="Leave out what cannot be read, and name some of it."
        ),
    ),
}


def command(task: TaskName) -> click.Command:
    """Answers texts or recordings by a run of the task."""
    described = get_about(task)
    help, inputs = described.predict, described.inputs

    @click.command("predict", help=help.text, epilog=examples(*help.examples))
    @click.argument("given", nargs=-1, metavar=inputs.metavar)
    @batch_options(task, inputs.one, inputs.column, inputs.batch_size)
    @field_options(task, "predict")
    @together(*_OF_THE_CALL.get(task, ()))
    @json_lines_option
    @run_options
    @talk_options
    def predict(
        given: tuple[str, ...],
        input_file: Any,
        as_json: bool,
        run: str | None,
        models_dir: Path,
        seeds: tuple[str, ...] = (),
        **call: Any,
    ) -> None:
        given += seeds
        texts = _texts(inputs, given, input_file)
        options = checked_options(task, "decoding")
        if call.get("random_seed", 0) is None:
            call["random_seed"] = secrets.randbelow(2**31)
            console.say(f"random seed {call['random_seed']}")
        predictor = load_run(task, models_dir, run)
        alone = input_file is None and len(given) < 2 and given != ("-",) and not as_json
        if task == "generate" and alone and call["count"] == 1:
            _print_as_made(predictor, "".join(given), call["random_seed"], options)
            return
        from textapps.tasks.registry import get_task

        for row in get_task(task).rows(predictor, texts, options, **call):
            click.echo(json.dumps(row.fields, ensure_ascii=False) if as_json else row.text)

    return predict


def _texts(inputs: Inputs, given: tuple[str, ...], input_file: Any) -> Iterable[str]:
    """The inputs: what was given as arguments, or the lines of a file.

    Raises click.UsageError for both, and for neither where there must be some.
    """
    if inputs.optional and given and input_file is not None:
        raise click.UsageError(f"give {inputs.noun} or --input FILE, not both")
    if not inputs.optional and bool(given) == (input_file is not None):
        raise click.UsageError(f"give {inputs.noun}, or --input FILE, or '-' for standard input")
    if inputs.paths:
        paths = given if input_file is None else tuple(filter(None, lines(input_file)))
        if paths.count("-") > 1:
            raise click.UsageError("'-' is one recording on standard input, and given twice")
        return paths
    if given == ("-",):
        input_file = sys.stdin.buffer
    return lines(input_file) if input_file is not None else given or ("",)


def _print_as_made(generator: Any, seed: str, random_seed: int, options: dict[str, object]) -> None:
    pieces = generator.stream([seed], random_seed, **options)
    click.echo(seed, nl=False)
    for (piece,) in pieces:
        click.echo(piece, nl=False)
        sys.stdout.flush()
    click.echo()


def lines(file: Any) -> Iterator[str]:
    """Lines end at LF or CRLF only: a text may hold U+0085 and other line separators."""
    for number, line in enumerate(file):
        text = line.rstrip(b"\n").removesuffix(b"\r").decode("utf-8", "surrogateescape")
        yield text.removeprefix("\ufeff") if number == 0 else text
