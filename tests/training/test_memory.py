"""Freed memory stays with the process."""

import ctypes
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "mallopt"), reason="only glibc can be told so"
)

CHILD = """
import ctypes, resource
from textapps.training.memory import keep_freed_memory

if {told}:
    keep_freed_memory()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]


def use():
    block = libc.malloc(48 << 20)
    ctypes.memset(block, 1, 48 << 20)
    libc.free(block)


use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(7):
    use()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.parametrize(("told", "low", "high"), [(True, 0, 100), (False, 7 * 20, 10**6)])
def test_the_next_step_finds_its_pages_there(told: bool, low: int, high: int) -> None:
    """Page faults of seven blocks of 48 MB, whose pages are at most 2 MB each."""
    child = subprocess.run(
        [sys.executable, "-c", CHILD.format(told=told)], capture_output=True, text=True, check=True
    )
    assert low <= int(child.stdout) < high
