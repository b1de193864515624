"""`textapps speech add-word`."""

import json
from pathlib import Path
from typing import Any

import click

from textapps.cli import console
from textapps.cli.loading import load_run
from textapps.cli.options import examples, json_option, run_options, share, talk_options
from textapps.core.names import TaskName


def command(task: TaskName) -> click.Command:
    """Adds a word to a run of the task."""

    @click.command(
        "add-word",
        epilog=examples(
            "textapps speech add-word lamp lamp-1.wav lamp-2.wav lamp-3.wav lamp-4.wav lamp-5.wav",
            "textapps speech add-word lamp lamp/ --run pretrained:commands --data clips/",
            "textapps speech add-word lamp lamp/ --train",
        ),
    )
    @click.argument("word", metavar="NAME")
    @click.argument("recordings", metavar="FILE|FOLDER...", nargs=-1, required=True)
    @click.option(
        "--false-accepts",
        metavar="SHARE",
        callback=share,
        default="2%",
        show_default=True,
        help="The share of clips of other words, of the training and the validation split, that "
        "may be taken for this one, at most.",
    )
    @click.option(
        "--data",
        metavar="SOURCE",
        help="Where clips of other words are.  [default: the data of the run]",
    )
    @click.option(
        "--train",
        "refine",
        is_flag=True,
        help="Also train the whole model from these weights, on the run's data and the recordings.",
    )
    @click.option("--epochs", type=click.IntRange(1), help="With --train, passes over the data.")
    @json_option
    @run_options
    @talk_options
    def add_word(
        word: str,
        recordings: tuple[str, ...],
        false_accepts: float,
        data: str | None,
        refine: bool,
        epochs: int | None,
        as_json: bool,
        run: str | None,
        models_dir: Path,
    ) -> None:
        """Teach a run a new word from five to ten recordings; prints the new run directory.

        The other words are recognised as before: only the last layer changes.
        """
        if epochs and not refine:
            raise click.UsageError("--epochs goes with --train")
        recognizer = load_run(task, models_dir, run)
        from textapps.tasks.speech import vocabulary
        from textapps.tasks.speech.recordings import files_in

        files = [file for each in recordings for file in files_in(Path(each))]
        added = vocabulary.add_word(
            recognizer, word, files, models_dir, false_accepts=false_accepts, data=data
        )
        console.say(added.told)
        fields: dict[str, Any] = added.fields
        if refine:
            from textapps.tasks.speech.refine import refined

            progress = console.TrainingProgress("clips")
            fields["run"] = str(refined(added, models_dir, epochs, progress))
        click.echo(json.dumps(fields, ensure_ascii=False) if as_json else fields["run"])

    return add_word
