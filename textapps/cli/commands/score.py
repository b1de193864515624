"""`textapps generate score`."""

import json
import sys
from pathlib import Path

import click

from textapps.cli import console
from textapps.cli.figures import print_figures
from textapps.cli.loading import load_run
from textapps.cli.options import encoding_option, examples, json_option, run_options, talk_options
from textapps.core.counted import counted
from textapps.core.names import TaskName
from textapps.tasks.registry import get_about


def command(task: TaskName) -> click.Command:
    """Scores a text by a run of the task."""

    @click.command(
        "score",
        epilog=examples(
            "textapps generate score chapter.txt",
            "textapps generate score chapter.txt --show | less -R",
            "textapps generate score chapter.txt --adapt",
            "textapps generate score - --json < chapter.txt",
        ),
    )
    @click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
    @click.option(
        "--show", is_flag=True, help="Print the text, each character coloured by its nats."
    )
    @click.option(
        "--adapt",
        is_flag=True,
        help="Let the model learn from the text while it reads it (Krause et al. 2018). The run "
        "stays as it is.",
    )
    @encoding_option
    @json_option
    @run_options
    @talk_options
    def score(
        file: Path,
        show: bool,
        adapt: bool,
        encoding: str | None,
        as_json: bool,
        run: str | None,
        models_dir: Path,
    ) -> None:
        """Print how surprising a text is, in nats per character."""
        if show and as_json:
            raise click.UsageError("--show prints a text to read: leave it or --json out")
        from textapps.datasets.corpus.sources import decode_document, read_document

        text = (
            decode_document(sys.stdin.buffer.read(), "standard input", encoding)
            if str(file) == "-"
            else read_document(file, encoding)
        )
        generator = load_run(task, models_dir, run)
        if run is None and not as_json and not generator.run.pretrained:
            console.say(f"{generator.run.name} scores; --run names another one")
        from textapps.core.tokens import UNK
        from textapps.evaluation.metrics.language import language_metrics
        from textapps.preprocessing.characters import normal_text
        from textapps.savedmodel.tensors import shortest
        from textapps.tasks.generate.adaptation import Adaptation

        text = normal_text(text, generator.preprocessor.form)
        adaptation = Adaptation() if adapt else None
        nats = generator.nats(text, adaptation)
        if show:
            from textapps.evaluation.reports.surprise import to_terminal

            click.echo(to_terminal(text, nats, colours=_colours()))
        figures = {
            "characters": len(text),
            "adapted": adapt,
            "unknown_characters": int((generator.preprocessor.encode(text) == UNK).sum()),
            **language_metrics(nats),
        }
        if as_json:
            each = {"text": text, "surprise": shortest(nats).tolist()}
            click.echo(json.dumps({**figures, **each}, ensure_ascii=False))
            return
        click.echo(f"{counted(len(text), 'character')}, {figures['unknown_characters']:,} unknown")
        if adaptation is not None:
            first = adaptation.begins_after
            click.echo(
                f"with adaptation: from character {first + 1:,} on, the model has learned from "
                "what it had scored"
                if len(text) > first
                else f"with adaptation, which the text is too short for: it begins after {first:,} "
                "characters"
            )
        print_figures(figures, get_about(task).figures)

    return score


def _colours() -> bool:
    """Whether the reader shows colours; click takes them out again where he does not."""
    ctx = click.get_current_context()
    return ctx.color is not False and (ctx.color or sys.stdout.isatty())
