"""A batch that is killed with SIGKILL at each thing it does to a file, then started again.

    python -m tests.batch.killed DIR UNDISTURBED FILE...

Answers the files in two folders, undisturbed in the second. Forks before every start, so that a
start costs nothing. A stand-in answers instead of TensorFlow; everything else is as in
`predict --output`. Prints how often it was killed.
"""

import os
import signal
import sys
import traceback
from pathlib import Path

from textapps.batch import local, windows
from textapps.batch.job import Job
from textapps.batch.model import BatchModel
from textapps.batch.run import run_batch

EVENTS = ("open", "os.rename", "os.remove", "os.mkdir")


class Reversed(BatchModel):
    """Answers each text with itself, backwards."""

    def __init__(self, *_) -> None:
        self._batch_size, self._batch_bytes = 3, 1 << 20

    def _ask(self, rows):
        sys.audit("tests.answer")
        return [{"reversed": row.text[::-1]} for row in rows]


def main(folder: str, undisturbed: str, *files: str) -> None:
    windows.ROWS = 4
    local.BatchModel = Reversed
    assert start(undisturbed, files, 0) == 0
    kills = 0
    while start(folder, files, kills % 23 + 1) == signal.SIGKILL:
        kills += 1
        for path in Path(folder).rglob("[!.]*"):  # whatever is there is whole
            there = Path(undisturbed) / path.relative_to(folder)
            assert path.is_dir() or path.read_bytes() == there.read_bytes(), path
    print(kills)


def start(folder: str, files: tuple[str, ...], left: int) -> int:
    """The status of a process that dies before it does the thing number `left`, 0: of none."""
    child = os.fork()
    if not child:
        sys.addaudithook(Killer(left, folder))
        try:
            job = Job(Path("model"), "5a", "text", None, 3, Path(folder))
            run_batch(job, [Path(file) for file in files], lambda *a: local.run_local(*a, int))
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return os.waitpid(child, 0)[1]


class Killer:
    """Counts what is done inside the folder, and answers."""

    def __init__(self, left: int, folder: str) -> None:
        self._left, self._folder = left, folder

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        in_folder = event in EVENTS and str(arguments[0]).startswith(self._folder)
        if in_folder or event == "tests.answer":
            self._left -= 1
            if not self._left:
                os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
