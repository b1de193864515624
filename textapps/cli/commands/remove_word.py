"""`textapps speech remove-word`."""

from pathlib import Path

import click

from textapps.cli.loading import load_run
from textapps.cli.options import examples, run_options, talk_options
from textapps.core.names import TaskName


def command(task: TaskName) -> click.Command:
    """Takes a word away from a run of the task."""

    @click.command("remove-word", epilog=examples("textapps speech remove-word lamp"))
    @click.argument("word", metavar="NAME")
    @run_options
    @talk_options
    def remove_word(word: str, run: str | None, models_dir: Path) -> None:
        """Make a run that does not know a word any more; prints the new run directory.

        The other words are recognised as before: only the last layer changes.
        """
        recognizer = load_run(task, models_dir, run)
        from textapps.tasks.speech import vocabulary

        click.echo(vocabulary.remove_word(recognizer, word, models_dir).run.path)

    return remove_word
