"""`textapps generate`: train, evaluate, predict, export, score."""

import json
import secrets
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textapps.cli import console
from textapps.cli.batch import batch_options
from textapps.cli.options import (
    Command,
    collect_flags,
    config_options,
    examples,
    keyed,
    models_dir_option,
    run_options,
    source_options,
    split_options,
    talk_options,
    training_options,
)
from textapps.cli.shared import (
    evaluate_options,
    evaluate_run,
    export_options,
    export_run,
    lines,
    load_run,
    resume_option,
    train_or_resume,
)

if TYPE_CHECKING:
    from textapps.tasks.generate.evaluate import GenerateEvaluation
    from textapps.tasks.generate.predictor import TextGenerator

CHUNK = 64  # texts that are generated at a time
FIGURES = ("nats_per_character", "bits_per_character", "perplexity")


class PredictByDefault(click.Group):
    """`generate --seed …` is short for `generate predict --seed …`."""

    default = "predict"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Puts the default command before options that are none of the group's."""
        if args and args[0].startswith("-") and args[0] not in ctx.help_option_names:
            args = [self.default, *args]
        return super().parse_args(ctx, args)


@click.group(
    "generate",
    cls=PredictByDefault,
    epilog=examples(
        "textapps generate train --data sample --preset tiny",
        'textapps generate --seed "ROMEO:"',
    ),
)
def generate_group() -> None:
    """Continue a text, character by character.

    Options of predict may stand straight behind generate.
    """


@generate_group.command(
    "train",
    epilog=examples(
        "textapps generate train --data sample --preset tiny",
        "textapps generate train --backbone lstm --split 0.9",
        "textapps generate train --data books/ --preset base",
        "textapps generate train --resume models/generate/20260102-030405-gru",
    ),
)
@source_options
@keyed(
    "--split",
    key="data.split",
    type=float,
    metavar="SHARE",
    help="Train on this share of the text, from its beginning; validate and test on the rest.",
)
@split_options
@training_options
@config_options()
@models_dir_option
@resume_option
@talk_options
def train_command(config_file: Path | None, models_dir: Path, resume: str | None) -> None:
    """Train on a text; prints the run directory."""
    train_or_resume("generate", config_file, models_dir, resume)


@generate_group.command(
    "evaluate",
    epilog=examples(
        "textapps generate evaluate",
        "textapps generate evaluate --data other.txt --split train --json",
    ),
)
@source_options
@evaluate_options
def evaluate_command(split: str, as_json: bool, run: str | None, models_dir: Path) -> None:
    """Evaluate a run beside n-grams; writes metrics.json and report.html."""
    evaluation, report = evaluate_run(load_run("generate", models_dir, run), split)
    _print_evaluation(evaluation, as_json)
    console.say(f"report: {report}")


def decoding_options(command: Command) -> Command:
    """How a text is continued."""
    options: tuple[tuple[str, str, Any, str, str], ...] = (
        ("--length", "length", int, "N", "Characters to generate, at most 100,000."),
        ("--temperature", "temperature", float, "T", "0 takes the likeliest character always."),
        ("--top-k", "top_k", int, "K", "Choose among the K likeliest characters, 0 for all."),
        ("--top-p", "top_p", float, "P", "Choose among the likeliest that have probability P."),
        ("--repetition-penalty", "repetition_penalty", float, "X", "Weaken what occurred; 1: no."),
        ("--stop", "stop", str, "TEXT", "End before this text."),
    )
    for name, key, kind, metavar, text in reversed(options):
        text += "" if key == "stop" else "  [default: the run's]"
        command = keyed(name, key=key, type=kind, metavar=metavar, help=text)(command)
    return command


@generate_group.command(
    "predict",
    epilog=examples(
        'textapps generate predict "ROMEO:" --length 300 --temperature 0.5',
        'textapps generate --seed "ROMEO:" --count 3 --random-seed 7',
        "textapps generate predict --input seeds.txt --json",
        "textapps generate predict --input 'seeds-*.txt.gz' --output answers/",
    ),
)
@click.argument("seeds", nargs=-1)
@click.option(
    "--seed", "more_seeds", metavar="TEXT", multiple=True, help="A text to continue; repeatable."
)
@batch_options("generate", "a text to continue", "text", 64)
@decoding_options
@click.option(
    "--count",
    type=click.IntRange(1, 10_000),
    default=1,
    show_default=True,
    help="Texts for each seed.",
)
@click.option(
    "--random-seed",
    type=click.IntRange(0, 2**62),
    help="The same seed, the same text; text i takes the seed + i.  [default: drawn, and told]",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@run_options
@talk_options
def predict_command(
    seeds: tuple[str, ...],
    more_seeds: tuple[str, ...],
    input_file: Any,
    count: int,
    random_seed: int | None,
    as_json: bool,
    run: str | None,
    models_dir: Path,
) -> None:
    """Continue texts; one text alone is printed as it is made.

    Without a text to continue, one is begun.
    """
    from textapps.core.config import resolve
    from textapps.decoding.config import DecodingConfig

    given = seeds + more_seeds
    if given and input_file is not None:
        raise click.UsageError("give texts or --input FILE, not both")
    if given == ("-",):
        input_file = sys.stdin.buffer
    flags = collect_flags()
    resolve(DecodingConfig, flags=flags)  # before seconds go by
    texts: Iterable[str] = given or ("",)
    if input_file is not None:
        texts = lines(input_file)
    if random_seed is None:
        random_seed = secrets.randbelow(2**31)
        console.say(f"random seed {random_seed}")
    generator: TextGenerator = load_run("generate", models_dir, run)
    own = generator.config.decoding.model_dump()
    options = resolve(DecodingConfig, preset=own, flags=flags).model_dump()
    if len(given) < 2 and input_file is None and count == 1 and not as_json:
        _print_as_made(generator, given[0] if given else "", random_seed, options)
        return
    numbered = _numbered(texts, count, random_seed)
    while chunk := list(islice(numbered, CHUNK)):
        made = generator.generate(
            [row["input"] for row in chunk], chunk[0]["random_seed"], **options
        )
        for row, text in zip(chunk, made, strict=True):
            if as_json:
                click.echo(json.dumps({**row, "text": text}, ensure_ascii=False))
            else:
                click.echo(f"--- {row['index'] + 1}.{row['sample'] + 1}\n{row['input']}{text}")


@generate_group.command(
    "score",
    epilog=examples(
        "textapps generate score chapter.txt",
        "textapps generate score chapter.txt --show | less -R",
        "textapps generate score - --json < chapter.txt",
    ),
)
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--show", is_flag=True, help="Print the text, each character coloured by its nats.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@run_options
@talk_options
def score_command(file: Path, show: bool, as_json: bool, run: str | None, models_dir: Path) -> None:
    """Print how surprising a text is, in nats per character."""
    from textapps.datasets.corpus.files import decode_text, read_text

    text = (
        decode_text(sys.stdin.buffer.read(), "standard input")
        if str(file) == "-"
        else read_text(file)
    )
    generator: TextGenerator = load_run("generate", models_dir, run)
    from textapps.evaluation.metrics.language import language_metrics

    nats = generator.nats(text)
    if show:
        from textapps.evaluation.reports.surprise import to_terminal

        click.echo(to_terminal(text, nats, colours=_colours()))
    figures = {
        "characters": len(text),
        "unknown_characters": int((generator.preprocessor.encode(text) == 1).sum()),
        **language_metrics(nats),
    }
    if as_json:
        click.echo(json.dumps(figures))
        return
    click.echo(f"{figures['characters']:,} characters, {figures['unknown_characters']:,} unknown")
    _print_figures(figures)


@generate_group.command(
    "export",
    epilog=examples("textapps generate export", "textapps generate export --name shakespeare"),
)
@export_options("generate")
@run_options
@talk_options
def export_command(verify: bool, run: str | None, models_dir: Path) -> None:
    """Write a SavedModel that continues texts; prints its directory."""
    click.echo(export_run(load_run("generate", models_dir, run), models_dir, verify))


def _print_as_made(
    generator: "TextGenerator", seed: str, random_seed: int, options: dict[str, Any]
) -> None:
    pieces = generator.stream([seed], random_seed, **options)
    click.echo(seed, nl=False)
    for (piece,) in pieces:
        click.echo(piece, nl=False)
        sys.stdout.flush()
    click.echo()


def _numbered(texts: Iterable[str], count: int, random_seed: int) -> Iterator[dict[str, Any]]:
    for index, text in enumerate(texts):
        for sample in range(count):
            yield {
                "index": index,
                "input": text,
                "sample": sample,
                "random_seed": random_seed + index * count + sample,
            }


def _print_evaluation(evaluation: "GenerateEvaluation", as_json: bool) -> None:
    summary = evaluation.summary
    if as_json:
        click.echo(json.dumps(summary, ensure_ascii=False))
        return
    click.echo(f"{summary['data']}, {summary['split']}: {summary['examples']:,} characters")
    _print_figures(summary["metrics"])
    baseline = evaluation.baseline
    click.echo(
        f"n-grams up to {baseline.order:<7}"
        f"{baseline.summary['metrics']['nats_per_character']:.4f}   the model is better by "
        f"{summary['metrics']['gain_over_ngrams']:.4f}"
    )


def _print_figures(metrics: dict[str, Any]) -> None:
    for name in FIGURES:
        interval = ""
        if f"{name}_low" in metrics:
            interval = f"   95 %: {metrics[f'{name}_low']:.4f} to {metrics[f'{name}_high']:.4f}"
        click.echo(f"{name:<20} {metrics[name]:.4f}{interval}")


def _colours() -> bool:
    """Whether the reader shows colours; click takes them out again where he does not."""
    ctx = click.get_current_context()
    return ctx.color is not False and (ctx.color or sys.stdout.isatty())
