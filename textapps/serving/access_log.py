"""One line of JSON for each request."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import TextIO


class AccessLog:
    """Writes to a text stream; None for nowhere."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    def write(self, **fields: str | int | float | None) -> None:
        """Write a line: `time` (UTC), then the fields that have a value."""
        if self._stream is None:
            return
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        given = {name: value for name, value in fields.items() if value is not None}
        with suppress(OSError, ValueError):  # a full disk costs the line, not the answer
            self._stream.write(json.dumps({"time": time, **given}) + "\n")
            self._stream.flush()
