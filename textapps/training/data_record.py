"""data.json of a run: a record of its data, to refuse resuming on other data."""

from collections.abc import Sequence
from typing import Any

from textapps.core.errors import RunError
from textapps.core.records import FormatError, RecordError, dump_record, read_record
from textapps.training.run_directory import RunDirectory

DATA = "data.json"
SPLITS = ("train", "validation")


def write_data_record(run: RunDirectory, fields: dict[str, Any]) -> None:
    """Writes `fields`; "train" and "validation" identify these splits.

    Call it after everything else that is written before training: a run without this file is
    incomplete and cannot be resumed.
    """
    run.write_text(DATA, dump_record(fields, indent=2))


def read_data_record(run: RunDirectory, keys: Sequence[str] = SPLITS) -> dict[str, Any]:
    """Reads the fields `keys` that `write_data_record` wrote.

    Raises:
        RunError: it is missing, damaged or of a newer format.
    """
    try:
        known = read_record(run.path / DATA)
        return {key: known[key] for key in keys}
    except FormatError as error:
        raise RunError(f"{error}; install a newer textapps") from None
    except (OSError, RecordError, KeyError) as error:
        raise RunError(f"{run.path} is incomplete or damaged: no {DATA} ({error})") from None


def check_same_data(run: RunDirectory, known: dict[str, Any], found: dict[str, Any]) -> None:
    """RunError if the splits of `found` are not those of `known`."""
    for split in SPLITS:
        if found[split] != known[split]:
            raise RunError(
                f"{run.path} was trained on other data: its {split} split had "
                f"{known[split]['examples']:,} examples, now it has "
                f"{found[split]['examples']:,} or different ones; restore the data or train a new "
                "run"
            )
