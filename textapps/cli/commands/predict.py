"""`textapps TASK predict`."""

import secrets
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from textapps.cli import console
from textapps.cli.batch_options import batch_options
from textapps.cli.field_options import checked_options, field_options
from textapps.cli.loading import load_run
from textapps.cli.options import (
    Choice,
    Decorator,
    examples,
    json_lines_option,
    run_options,
    talk_options,
    together,
)
from textapps.cli.row_output import OutputFormat, print_rows, without_surrogates
from textapps.core.errors import DataError
from textapps.core.names import TaskName
from textapps.datasets.formats.rows import Reading
from textapps.tasks.about import Inputs
from textapps.tasks.registry import get_about

if TYPE_CHECKING:
    from textapps.tasks.rows import Asked


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
_output_format = click.option(
    "--output-format",
    type=Choice("output format", get_args(OutputFormat)),
    default="text",
    show_default=True,
    help="CSV with a header, or JSON lines; both repeat the other columns of a table. --json is "
    "short for jsonl.",
)

# Options of a single call, which no configuration holds.
_OF_THE_CALL: dict[str, tuple[Decorator, ...]] = {
    "sentiment": (_TOP_K,),
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
        _TOP_K,
        click.option(
            "--skip-bad", is_flag=True, help="Leave out what cannot be read, and name some of it."
        ),
    ),
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
    @_output_format
    @json_lines_option
    @run_options
    @talk_options
    def predict(
        given: tuple[str, ...],
        input_file: str | None,
        column: str | None,
        reading: Reading,
        output_format: OutputFormat,
        as_json: bool,
        run: str | None,
        models_dir: Path,
        seeds: tuple[str, ...] = (),
        **call: Any,
    ) -> None:
        given += seeds
        if as_json and output_format == "csv":
            raise click.UsageError("give --json or --output-format csv, not both")
        form: OutputFormat = "jsonl" if as_json else output_format
        if form == "text" and call.get("top_k") is not None:
            raise click.UsageError("--top-k needs --json or --output-format")
        asked = _asked(inputs, given, input_file, column, reading)
        options = checked_options(task, "decoding")
        if call.get("random_seed", 0) is None:
            call["random_seed"] = secrets.randbelow(2**31)
            console.say(f"random seed {call['random_seed']}")
        predictor = load_run(task, models_dir, run)
        alone = input_file is None and len(given) < 2 and given != ("-",) and form == "text"
        if task == "generate" and alone and call["count"] == 1:
            _print_as_made(predictor, "".join(given), call["random_seed"], options)
            return
        from textapps.tasks.registry import get_task

        print_rows(get_task(task).rows(predictor, asked, options, **call), form)

    return predict


def _asked(
    inputs: Inputs,
    given: tuple[str, ...],
    input_file: str | None,
    column: str | None,
    reading: Reading,
) -> "Iterable[Asked]":
    """The inputs: the arguments, the rows of a table, or the lines of a file.

    Raises click.UsageError for arguments and a file, and for neither where there must be some.
    DataError, while they are read, names the first row that cannot be read.
    """
    if inputs.optional and given and input_file is not None:
        raise click.UsageError(f"give {inputs.noun} or --input FILE, not both")
    if not inputs.optional and bool(given) == (input_file is not None):
        raise click.UsageError(f"give {inputs.noun}, or --input FILE, or '-' for standard input")
    if given == ("-",) and not inputs.paths:
        input_file = "-"
    from textapps.datasets.formats.registry import is_table
    from textapps.tasks.rows import Asked

    for option, value in ((f"{inputs.column}-column", column), ("delimiter", reading.delimiter)):
        if value is not None and (input_file is None or not is_table(Path(input_file))):
            raise click.UsageError(f"--{option} needs --input with a table")
    if reading.encoding and input_file is None:
        raise click.UsageError("--encoding needs --input, or '-'")
    if input_file is None:
        asked = [Asked(text) for text in given or ("",)]
    elif is_table(Path(input_file)):
        return _rows(Path(input_file), inputs.column, column, reading)
    elif not inputs.paths:
        return map(Asked, lines(input_file, reading.encoding))
    else:
        asked = [Asked(path) for path in lines(input_file, reading.encoding) if path]
    if inputs.paths and [one.text for one in asked].count("-") > 1:
        raise click.UsageError("'-' is one recording on standard input, and given twice")
    return asked


def _rows(path: Path, kind: str, column: str | None, reading: Reading) -> "Iterator[Asked]":
    """The rows of a table."""
    from textapps.datasets.formats.registry import format_of
    from textapps.datasets.inputs import read_inputs
    from textapps.tasks.rows import Asked

    for row in read_inputs(path, format_of(path), kind, column, reading):
        if row.defect:
            raise DataError(str(row.defect))
        yield Asked(row.text, row.others)


def _print_as_made(generator: Any, seed: str, random_seed: int, options: dict[str, object]) -> None:
    pieces = generator.stream([seed], random_seed, **options)
    click.echo(without_surrogates(seed), nl=False)
    for (piece,) in pieces:
        click.echo(piece, nl=False)
        sys.stdout.flush()
    click.echo()


def lines(name: str, encoding: str | None = None) -> Iterator[str]:
    """The lines of a text file, plain or gzipped, or of standard input for "-", as they come.

    A line that is not text is an error in a file. On standard input, where a stream may go on for
    days, it causes a warning, and U+FFFD replaces the bytes.

    Raises:
        DataError: the file cannot be read, or a line is not text.
    """
    from textapps.datasets.formats.lines import lines_of, read_lines
    from textapps.datasets.source import Defect, stop

    if name != "-":
        yield from (line for _, line in read_lines(Path(name), stop, encoding))
        return
    defects: list[Defect] = []
    for _, line in lines_of(sys.stdin.buffer, "standard input", defects.append, encoding):
        if len(defects) == 1:
            console.LOGGER.warning("%s; U+FFFD stands for what is not text", defects[0])
            defects.append(defects[0])  # so that the next line does not warn of it again
        yield line
    if (more := len(defects) - 2) > 0:
        console.LOGGER.warning("standard input: %d more such line%s", more, "s" * (more > 1))
