"""Answered windows that wait on disk until all windows of their file are answered."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from textapps.batch.model import Answered
from textapps.core.files import write_file

_NUMBER = re.compile(r"\d{8}")


class Parts:
    """The answered windows of one file; several processes may add to them at a time.

        parts/NAME/KEY/00000017     an answered window: a line of JSON, then its two packed texts
        parts/NAME/KEY/windows      how many there are, once the file has been read to its end

    KEY is `Job.key`, so what was made from a changed file or by another model is never used. A
    window always has the same answer, so it does not matter if two processes write it.
    """

    def __init__(self, folder: Path) -> None:
        """Open the folder, or create it."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def add(self, answered: Answered) -> None:
        """Write a window; it is there as a whole or not at all."""
        *_, good, bad, broken, long_rows = answered
        head = {
            "rows": answered.rows,
            "bad_rows": answered.bad_rows,
            "good_bytes": len(good),
            "broken": broken,
            "long_rows": long_rows,
        }
        line = json.dumps(head).encode() + b"\n"
        write_file(self._path(answered.number), line + good + bad)

    def numbers(self) -> set[int]:
        """The numbers of the windows that are there."""
        names = (path.name for path in self._folder.iterdir())
        return {int(name) for name in names if _NUMBER.fullmatch(name)}

    def end(self, windows: int) -> None:
        """Note that the file has so many windows."""
        write_file(self._folder / "windows", str(windows))

    def complete(self) -> bool:
        """Whether the file was read to its end and all its windows are there."""
        end = self._folder / "windows"
        return end.exists() and len(self.numbers()) == int(end.read_bytes())

    def __iter__(self) -> Iterator[Answered]:
        for number in range(int((self._folder / "windows").read_bytes())):
            with self._path(number).open("rb") as file:
                head = json.loads(file.readline())
                good = file.read(head.pop("good_bytes"))
                yield Answered(number=number, good=good, bad=file.read(), **head)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:08}"
