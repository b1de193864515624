"""What a user can choose about an export."""

from typing import Annotated

from pydantic import Field

from textapps.core.config import Section
from textapps.core.keys import Option, Options


class ExportConfig(Section):
    """The SavedModel that `export` writes."""

    name: Annotated[str | None, Option("--name", commands=("export",))] = Field(
        None,
        # The name becomes a directory and a TensorFlow Serving model name: no separators, no dots.
        pattern=r"^[A-Za-z0-9_-]+$",
        description="The model's name in a server and its directory under models/exported: "
        "letters, digits, _ and -; by default the task.",
    )
    verify: Annotated[bool, Option("--verify/--no-verify", commands=("export",))] = Field(
        True,
        description="Load the export in a process without Keras and compare its answers with "
        "those of the run.",
    )
    examples: Annotated[int, Option("--examples", commands=("export",))] = Field(
        3,
        ge=0,
        le=20,
        description="How many examples of each label the export takes from the validation split, "
        "for the web page of a server; 0 for none.",
    )
    explain: Annotated[bool, Option("--explain/--no-explain", commands=("export",))] = Field(
        True,
        description="Add the signature explain, which says what an answer comes from; the web page "
        "of a server shows it.",
    )
    compiled: bool = Field(
        False,
        description="Of a generator or a translator: add signatures that XLA compiles and that "
        "write faster, for servers that have XLA. The others stay as they are.",
    )
    warmup: bool = Field(True, description="Add warm-up requests for TensorFlow Serving.")


# Of the tasks whose exports may have compiled signatures.
COMPILED_OPTION = Options(compiled=Option("--compiled/--no-compiled", commands=("export",)))
