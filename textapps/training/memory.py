"""What the C library does with the memory that the tensors of a step have used."""

import ctypes

# mallopt(3), of glibc
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX, _ARENA_MAX = -1, -2, -4, -8
_GROW_BYTES = 64 << 20


def keep_freed_memory() -> None:
    """Lets the next step, or call of a model, use the memory of the last one, not the system's.

    Left to itself glibc gives large blocks back as soon as they are freed, and the system clears
    each page of them anew: of logits of 2,000 tokens over 5,000 subwords 40 MB, several times in a
    step, which took half of its time. To be called before TensorFlow starts its threads. Does
    nothing where there is no glibc.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_MAX, 0)
        mallopt(_ARENA_MAX, 1)  # other heaps are given back when they are empty
        mallopt(_TRIM_THRESHOLD, -1)  # never
        mallopt(_TOP_PAD, _GROW_BYTES)
