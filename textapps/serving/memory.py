"""What the C library keeps of the memory that calls of models have used."""

import ctypes

# mallopt(3), of glibc
_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
_LARGE_BYTES = 4 << 20
_ARENAS = 2


def return_freed_memory() -> None:
    """Lets large tensors go back to the system when they are freed, and few heaps be kept.

    Left to itself glibc raises the size above which it does so, up to 32 MB, to that of the largest
    tensor freed, and gives every thread a heap: a server under mixed load then keeps growing into
    the holes it has made. Does nothing where there is no glibc.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
        mallopt(_ARENA_MAX, _ARENAS)
