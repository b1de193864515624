"""`textapps TASK`: the commands of one task, each built when it is asked for."""

import importlib

import click

from textapps.cli.options import examples
from textapps.core.names import TaskName
from textapps.tasks.registry import get_about

SHARED = ("train", "search", "evaluate", "predict", "export", "inspect")
# What one task alone has, with the line that stands for it in the group's --help.
OWN: dict[TaskName, dict[str, str]] = {
    "sentiment": {
        "pretrain": "Learn from texts without labels, to start classifiers from.",
        "baseline": "Fit NB-SVM on a run's training data and compare.",
    },
    "generate": {"score": "Print how surprising a text is, in nats per character."},
    "speech": {
        "listen": "Print the commands in a long recording as they are heard.",
        "add-word": "Teach a run a new word from five to ten recordings.",
        "remove-word": "Make a run that does not know a word any more.",
    },
}


class TaskGroup(click.Group):
    """A task of the command line; --help lists its commands without building them."""

    def __init__(self, task: TaskName) -> None:
        self.task = task
        self.about = get_about(task)
        help = self.about.group
        super().__init__(task, help=help.text, epilog=examples(*help.examples))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands of all tasks, then those that this task alone has."""
        return [*SHARED, *OWN.get(self.task, {})]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Builds one command; None if there is none of this name."""
        if name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"textapps.cli.commands.{name.replace('-', '_')}")
        command: click.Command = module.command(self.task)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The listing of --help: the first sentence of each."""
        lines = {name: getattr(self.about, name).text for name in SHARED}
        lines |= OWN.get(self.task, {})
        rows = [(name, text.partition("\n")[0]) for name, text in lines.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Puts the command that is meant where none is named before options that follow directly.

        So `generate --seed …` is short for `generate predict --seed …`.
        """
        straight = self.about.straight
        if straight and args and args[0].startswith("-") and args[0] not in ctx.help_option_names:
            args = [straight, *args]
        return super().parse_args(ctx, args)
