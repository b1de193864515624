"""data.json of a run: a record of its data, to refuse resuming on other data."""

from collections.abc import Sequence
from typing import Any, Protocol

from textapps.core.errors import RunError
from textapps.core.part import Part
from textapps.core.records import FormatError, RecordError, dump_record, read_record
from textapps.training.run_directory import RunDirectory

DATA = "data.json"
SPLITS = ("train", "validation")


class Examples(Protocol):
    """One split of a data set."""

    @property
    def name(self) -> str:
        """What reports and file names call the set."""

    @property
    def part(self) -> Part:
        """Which part of the set they are."""

    @property
    def fingerprint(self) -> str:
        """The sha256 of all examples in their order."""

    def __len__(self) -> int:
        """How many there are."""


def describe(
    train: Examples, validation: Examples, labels: Sequence[str] = (), stamp: str = ""
) -> dict[str, Any]:
    """The fields of the record: the name of the set, its classes if it has any, its splits.

    `stamp` is that of the files from which they were read (`textapps.datasets.stamp`), if any.
    """
    record: dict[str, Any] = {"name": train.name}
    if stamp:
        record["stamp"] = stamp
    if labels:
        record["labels"] = list(labels)
    for split, examples in zip(SPLITS, (train, validation), strict=True):
        record[split] = {"examples": len(examples), "sha256": examples.fingerprint}
    return record


def write_data_record(run: RunDirectory, record: dict[str, Any]) -> None:
    """Writes what `describe` gave.

    Call it after everything else that is written before training: a run without this file is
    incomplete and cannot be resumed.
    """
    run.write_text(DATA, dump_record(record, indent=2))


def read_data_record(run: RunDirectory, *, labelled: bool = False) -> dict[str, Any]:
    """The splits, the stamp and, of a `labelled` task, the labels that `write_data_record` wrote.

    The stamp is "" in a run of an earlier version.

    Raises:
        RunError: it is missing, damaged or of a newer format.
    """
    keys = (*SPLITS, "labels") if labelled else SPLITS
    try:
        known = read_record(run.path / DATA)
        return {"stamp": known.get("stamp", ""), **{key: known[key] for key in keys}}
    except FormatError as error:
        raise RunError(f"{error}; install a newer textapps") from None
    except (OSError, RecordError, KeyError) as error:
        raise RunError(f"{run.path} is incomplete or damaged: no {DATA} ({error})") from None


def check_same_data(run: RunDirectory, known: dict[str, Any], found: dict[str, Any]) -> None:
    """RunError if the splits of `found` are not those of `known`."""
    if change := changed(run, known, found):
        raise RunError(f"{change}; restore the data or train a new run")


def changed(run: RunDirectory, known: dict[str, Any], found: dict[str, Any]) -> str:
    """How the first split of `found` that is not that of `known` differs; "" if all are equal."""
    for split in SPLITS:
        if found[split] != known[split]:
            return (
                f"{run.path} was trained on other data: its {split} split had "
                f"{known[split]['examples']:,} examples, now it has "
                f"{found[split]['examples']:,} or different ones"
            )
    return ""
