"""How the C library handles the memory that tensors have used, and how much there is.

The functions that change it do nothing without glibc. They must be called before TensorFlow starts
its threads, and a process calls one of them.
"""

import ctypes
import os
from pathlib import Path

# mallopt(3), of glibc
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -2, -3, -4, -8


def keep_freed_memory() -> None:
    """Lets the next training step use the memory of the last one: for training and evaluation.

    By default glibc returns large blocks to the system as soon as they are freed, and the system
    clears each page before it hands it out again. The logits of 2,000 tokens over 5,000 subwords
    are 40 MB, several times in a step; clearing their pages took half of the step's time.
    """
    _set(_MMAP_MAX, 0)
    _set(_ARENA_MAX, 1)  # glibc returns other heaps when they are empty
    _set(_TRIM_THRESHOLD, -1)  # never
    _set(_TOP_PAD, 64 << 20)


def return_freed_memory() -> None:
    """Returns large tensors to the system when they are freed, and keeps few heaps: for serving.

    By default glibc raises the size from which it does so, up to 32 MB, to that of the largest
    tensor freed, and gives every thread its own heap. A server under mixed load then keeps growing
    into the holes that this leaves.
    """
    _set(_MMAP_THRESHOLD, 4 << 20)
    _set(_ARENA_MAX, 2)


def resident_bytes() -> int:
    """The memory that this process has now; 0 where the system does not tell, as macOS."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _set(option: int, value: int) -> None:
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(option, value)
