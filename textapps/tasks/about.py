"""What the command line says of a task, in light modules: no --help waits for TensorFlow."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Help:
    """What --help says of a command: a text and examples."""

    text: str
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inputs:
    """What `predict` answers.

    noun: several of them, in messages
    one: what a line of an input file holds
    column: the kind of column that holds them in a table
    batch_size: how many an exported model answers at a time, by default
    metavar: stands for them in --help
    optional: whether there is an answer to none
    paths: whether they are paths, so that '-' is one of them on standard input
    """

    noun: str
    one: str
    column: str
    batch_size: int
    metavar: str
    optional: bool = False
    paths: bool = False


@dataclass(frozen=True, kw_only=True)
class About:
    """The texts of a task's commands, and how its figures are printed.

    straight: the command that is meant where none is named
    example: what an evaluation counts
    figures: those that `evaluate` prints, where there are such
    decimals: of these
    compared: the metrics in which `compare` tests differences, the one that decides first
    monitor: the validation metric that selects the best weights, unless training.monitor names it
    formats: what `export` can write
    """

    group: Help
    train: Help
    search: Help
    evaluate: Help
    predict: Help
    export: Help
    inspect: Help
    inputs: Inputs
    straight: str | None = None
    example: str
    figures: tuple[str, ...]
    decimals: int = 4
    compared: tuple[str, ...] = ()
    monitor: str
    formats: tuple[str, ...] = ("saved_model",)
