"""`textapps TASK predict`."""

import secrets
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import click

from textapps.cli import console
from textapps.cli.batch_options import batch_options
from textapps.cli.field_options import checked_options, field_options
from textapps.cli.loading import load_run
from textapps.cli.options import (
    Choice,
    Decorator,
    FiniteRange,
    examples,
    json_lines_option,
    run_options,
    talk_options,
    together,
)
from textapps.cli.predict_inputs import asked_for
from textapps.cli.row_output import OutputFormat, print_rows, without_surrogates
from textapps.cli.tensorflow_start import BATCHES_IN_THREADS, compute_in_one_thread
from textapps.core.names import TaskName
from textapps.datasets.formats.rows import Reading
from textapps.tasks.registry import get_about

if TYPE_CHECKING:
    from textapps.tasks.rows import Row

FEW = 8  # inputs that one thread answers sooner than several


def _random_seed(default: int | None, text: str) -> Decorator:
    return click.option(
        "--random-seed",
        type=click.IntRange(0, 2**62),
        default=default,
        show_default=default is not None,
        help=text,
    )


_TOP_K = click.option(
    "--top-k",
    type=click.IntRange(1),
    metavar="N",
    help="With --json or --output-format: only the N largest probabilities, largest first.",
)
_skip_bad = click.option(
    "--skip-bad", is_flag=True, help="Leave out what cannot be read, and name some of it."
)
_output_format = click.option(
    "--output-format",
    type=Choice("output format", (*get_args(OutputFormat), "parquet")),
    default="text",
    show_default=True,
    help="CSV with a header, or JSON lines; both repeat the other columns of a table. --json is "
    "short for jsonl. With --output: jsonl, its default, or parquet.",
)

# Options of a single call, which no configuration holds.
_OF_THE_CALL: dict[str, tuple[Decorator, ...]] = {
    "sentiment": (
        _TOP_K,
        click.option(
            "--abstain-below",
            type=FiniteRange(0, 1),
            metavar="P",
            help="Give no label to a text whose label has a probability below P: '-' as text, "
            "null with --json, an empty cell in CSV.",
        ),
    ),
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
    "speech": (_TOP_K,),
}


def command(task: TaskName) -> click.Command:
    """Predict for texts or recordings with a run of the task."""
    described = get_about(task)
    help, inputs = described.predict, described.inputs

    @click.command("predict", help=help.text, epilog=examples(*help.examples))
    @click.argument("given", nargs=-1, metavar=inputs.metavar)
    @batch_options(task, inputs.one, inputs.column, inputs.batch_size)
    @field_options(task, "predict")
    @together(*_OF_THE_CALL.get(task, ()))
    @_skip_bad
    @_output_format
    @json_lines_option
    @run_options
    @talk_options
    def predict(
        given: tuple[str, ...],
        input_file: str | None,
        column: str | None,
        reading: Reading,
        output_format: OutputFormat | Literal["parquet"],
        as_json: bool,
        skip_bad: bool,
        run: str | None,
        models_dir: Path,
        seeds: tuple[str, ...] = (),
        **call: Any,
    ) -> None:
        given += seeds
        if output_format == "parquet":
            raise click.UsageError("--output-format parquet needs --output")
        if as_json and output_format == "csv":
            raise click.UsageError("give --json or --output-format csv, not both")
        form: OutputFormat = "jsonl" if as_json else output_format
        if form == "text" and call.get("top_k") is not None:
            raise click.UsageError("--top-k needs --json or --output-format")
        reading = reading._replace(skip_bad=skip_bad)
        asked = asked_for(
            inputs,
            given,
            input_file,
            column,
            reading,
            lambda: predictor.config.data.input_column,  # of the run that is loaded below
        )
        options = checked_options(task, "decoding")
        if call.get("random_seed", 0) is None:
            call["random_seed"] = secrets.randbelow(2**31)
            console.say(f"random seed {call['random_seed']}")
        few = input_file is None and len(given) <= FEW
        if few or task in BATCHES_IN_THREADS:
            compute_in_one_thread()
        predictor = load_run(task, models_dir, run)
        unnamed = run is None and form == "text" and not predictor.run.pretrained
        told = f"{predictor.run.name} answers; --run names another one" if unnamed else ""
        alone = input_file is None and len(given) < 2 and given != ("-",) and form == "text"
        if task == "generate" and alone and call["count"] == 1:
            if told:
                console.say(told)
            _print_as_made(predictor, "".join(given), call["random_seed"], options)
            return
        from textapps.tasks.registry import get_task

        rows = get_task(task).rows(predictor, asked, options, skip_bad=skip_bad, **call)
        print_rows(_announced(rows, told), form)

    return predict


def _announced(rows: "Iterable[Row]", told: str) -> "Iterator[Row]":
    """The rows. Once the first is there, a line on stderr, so that an error stands alone."""
    for number, row in enumerate(rows):
        if told and not number:
            console.say(told)
        yield row


def _print_as_made(generator: Any, seed: str, random_seed: int, options: dict[str, object]) -> None:
    pieces = generator.stream([seed], random_seed, **options)
    click.echo(without_surrogates(seed), nl=False)
    for (piece,) in pieces:
        click.echo(piece, nl=False)
        sys.stdout.flush()
    click.echo()
