"""The [data] section of recordings of spoken words."""

from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from textapps.core.keys import Option
from textapps.datasets.config import SourceConfig, as_several

UNKNOWN, SILENCE = "unknown", "silence"  # the classes of other words, and of no word at all
ADDED_WORDS = "recordings/words.csv"  # of a run to which words were added: a comma, UTF-8

_BOTH = ("train", "evaluate")


class ClipsConfig(SourceConfig):
    """Where recordings of single spoken words come from, and which of them are commands."""

    source: Annotated[str, Option("--data", metavar="SOURCE", commands=_BOTH)] = Field(
        "speech_commands",
        min_length=1,
        description="Recordings: 'sample' (made on the spot), a path of a folder of class folders "
        "(WAV, FLAC, MP3, …) or of a table of paths and labels, or the name of a TensorFlow "
        "Datasets set.",
    )
    commands: Annotated[tuple[str, ...], Option("--commands", metavar="WORD,WORD,…")] = Field(
        (),
        description="The words to tell apart, in this order; every other one is 'unknown'. By "
        "default all words.",
    )
    unknown: float = Field(
        0.1,
        ge=0,
        le=0.5,
        description="With commands, the share of clips of other words; 0 for no class 'unknown'.",
    )
    silence: float = Field(
        0.1,
        ge=0,
        le=0.4,
        description="With commands, the share of clips cut from _background_noise_; 0 for no class "
        "'silence'.",
    )
    redraw: bool = Field(
        True, description="Take other clips of unknown words in each pass of training."
    )
    repeat: Annotated[int, Option("--oversample", metavar="N")] = Field(
        4,
        ge=1,
        le=1_000,
        description="How often at most a pass uses a clip of a command that has fewer clips than "
        "others, varied each time.",
    )
    repeat_unknown: int = Field(
        2,
        ge=1,
        le=1_000,
        description="The same for clips of unknown words: the set holds few of the many other "
        "words that people say.",
    )
    nonwords: Annotated[float, Option("--nonwords", metavar="SHARE")] = Field(
        0.0,
        ge=0,
        le=1,
        description="Train on words that nobody says as 'unknown', made anew in each pass from "
        "clips of commands (halves spliced or swapped, words reversed): how many, by the number of "
        "clips of commands; 0 for none.",
    )
    added_source: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...],
        Option("--added-data", metavar="SOURCE", multiple=True),
    ] = Field(
        (),
        description=f"More recordings to train on, such as {ADDED_WORDS} of a run to which words "
        "were added; none of them is validated or tested on; repeatable.",
    )
    skip_bad: Annotated[bool, Option("--skip-bad", commands=_BOTH)] = Field(
        False, description="Leave out files that cannot be read, and name some of them."
    )
    memory_mb: int = Field(
        2_000, ge=0, description="Decode clips again for each batch if they take more memory."
    )

    of_the_model: ClassVar[tuple[str, ...]] = ("commands", "unknown", "silence")

    _are_several = field_validator("added_source", mode="before")(as_several)

    @field_validator("commands", mode="before")
    @classmethod
    def _take_apart(cls, commands: object) -> object:
        """`yes,no`, as an option and the environment have it; a list, as a file has it."""
        if isinstance(commands, str):
            return tuple(commands.split(","))
        return tuple(commands) if isinstance(commands, list) else commands

    @field_validator("commands")
    @classmethod
    def _are_words(cls, commands: tuple[str, ...]) -> tuple[str, ...]:
        words = tuple(command.strip() for command in commands)
        if "" in words:
            raise ValueError("a command is empty")
        if twice := next((word for word in words if words.count(word) > 1), None):
            raise ValueError(f"'{twice}' is named twice")
        if made := next((word for word in words if word in (UNKNOWN, SILENCE)), None):
            raise ValueError(f"'{made}' is not a command: data.{made} sets its share")
        return words
