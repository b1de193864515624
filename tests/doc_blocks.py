"""The fenced blocks of commands in a page, and how they are run."""

import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests import processes

BLOCK = re.compile(
    r"(?P<mark><!-- not run: [^\n]*-->\n+)?"
    r"^```(?P<language>bash|console|python)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


class Block(NamedTuple):
    """A fenced block of commands; `<!-- not run: why -->` before it keeps it from running."""

    line: int
    is_run: bool
    language: str
    commands: list[str]


def blocks(page: str) -> Iterator[Block]:
    """The blocks of a page, in order."""
    for match in BLOCK.finditer(page):
        text = match["text"].replace("\\\n", " ")
        if match["language"] == "python":
            commands = [text]
        elif match["language"] == "console":  # commands after "$ ", the rest is what they print
            commands = [line[2:] for line in text.splitlines() if line.startswith("$ ")]
        else:
            commands = [line for line in text.splitlines() if line.strip()]
        line = page.count("\n", 0, match.start("text"))
        yield Block(line, match["mark"] is None, match["language"], commands)


def run_blocks(found: Iterable[Block], folder: Path, page: str, **environ: str) -> None:
    """Runs blocks in a folder, in their order, with some environment variables.

    What trainings come to is a matter of tests/acceptance and how exports verify one of
    tests/exporting; here both are cut short.
    """
    # Wherever pytest was started from: this installation's textapps, no one's configuration.
    environ = {
        "PATH": os.pathsep.join([str(processes.server().programs), os.environ["PATH"]]),
        "TEXTAPPS_TRAINING__MAX_SECONDS": "0.1",
        "TEXTAPPS_EXPORT__VERIFY": "false",
        **environ,
    }
    for block in found:
        shell = ["bash", "-euo", "pipefail", "-c"]
        program = ["python", "-c"] if block.language == "python" else shell
        result = subprocess.run(
            [*program, "\n".join(block.commands)],
            cwd=folder,
            env={**os.environ, **environ},
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
        assert result.returncode == 0, f"{page}:{block.line}: {result.stdout}{result.stderr}"
