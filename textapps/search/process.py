"""Which process works on a trial, and whether it still does."""

import os
import socket
from pathlib import Path
from typing import NamedTuple, Self


class Process(NamedTuple):
    """A process: its machine, its number there, and when it began, "" where that is not known."""

    host: str
    pid: int
    began: str

    @classmethod
    def of(cls, pid: int | None = None) -> Self:
        """One of this machine, by default this one."""
        pid = os.getpid() if pid is None else pid
        return cls(socket.gethostname(), pid, _began(pid))

    @property
    def is_here(self) -> bool:
        """Whether it is, or was, on this machine."""
        return self.host == socket.gethostname()

    @property
    def is_another(self) -> bool:
        """Whether it is not this process and, as far as is known, has not ended."""
        return self != Process.of() and not self.is_gone

    @property
    def is_gone(self) -> bool:
        """Whether it was on this machine and has ended; of other machines that is not known."""
        if not self.is_here:
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        return bool(self.began) and _began(self.pid) != self.began  # another one has its number now


def _began(pid: int) -> str:
    """The start time of a process in the clock ticks of Linux."""
    try:
        # The name of the program stands before, in brackets, and may have blanks.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
