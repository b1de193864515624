"""`textapps TASK pretrain`."""

import click

from textapps.cli.commands import train
from textapps.core.names import PRETRAINING, TaskName


def command(task: TaskName) -> click.Command:
    """Trains a run that others of the task start from: the same command as `train`."""
    return train.command(PRETRAINING[task], "pretrain")
