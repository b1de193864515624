"""What a user can choose about an export."""

from pydantic import Field

from textapps.core.config import Section


class ExportConfig(Section):
    """The [export] section of config.toml."""

    name: str | None = Field(
        None,
        # The name becomes a directory and a TensorFlow Serving model name: no separators, no dots.
        pattern=r"^[A-Za-z0-9_-]+$",
        description="the export's directory under models/exported; by default the task",
    )
    verify: bool = Field(
        True, description="load the export in a process without Keras and compare its answers"
    )
    warmup: bool = Field(True, description="add warm-up requests for TensorFlow Serving")
