"""pretrained.json: the record of a pretrained model."""

from pathlib import Path
from typing import Literal, Self

from pydantic import ValidationError

from textapps.core.config import Section
from textapps.core.errors import RunError
from textapps.core.files import write_file
from textapps.core.records import FormatError, RecordError, dump_record, read_record
from textapps.pretrained.facts import Facts

DESCRIPTION = "pretrained.json"


class Figures(Section):
    """The figures on one split, and those of the same weights in full precision."""

    data: str
    split: str
    examples: int
    metrics: dict[str, int | float]
    full_precision: dict[str, int | float]


class Description(Facts):
    """Format 1 of the record.

    commands: what trains the model again, in this order.
    weights: how they are stored, "float16" or "int8".
    sha256: of every other file, by its path in the directory.
    """

    format: Literal[1] = 1
    name: str
    backbone: str
    preset: str
    made: str
    commands: tuple[str, ...]
    weights: str
    parameters: int
    figures: Figures
    sha256: dict[str, str]

    def write(self, directory: Path) -> None:
        """Writes the record; OSError if it cannot be written."""
        fields = self.model_dump(mode="json", exclude={"format"})
        write_file(directory / DESCRIPTION, dump_record(fields, indent=2))

    @classmethod
    def read(cls, directory: Path) -> Self:
        """The record of a directory.

        Raises:
            RunError: it is missing, damaged or of a newer format.
        """
        path = directory / DESCRIPTION
        try:
            return cls.model_validate(read_record(path))
        except FormatError as error:
            raise RunError(f"{error}: install a newer textapps") from None
        except OSError as error:
            raise RunError(
                f"the pretrained model {directory} is incomplete: {DESCRIPTION} cannot be read "
                f"({error.strerror}); install textapps again or copy the whole directory"
            ) from None
        except RecordError as error:
            raise RunError(f"{error}; install textapps again") from None
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"]))
            raise RunError(
                f"{path} is damaged ({key}: {first['msg']}); install textapps again"
            ) from None
