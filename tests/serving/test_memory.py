"""Freed memory goes back to the system."""

import ctypes
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "mallopt"), reason="only glibc can be told so"
)

# A large block is freed first: from then on glibc cuts smaller ones out of the heap, where a block
# that is still used behind them keeps what they leave.
CHILD = """
import ctypes
from textapps.serving.memory import return_freed_memory

if {told}:
    return_freed_memory()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]


def resident_mb():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 2**20


libc.free(libc.malloc(24 << 20))
before = resident_mb()
block = libc.malloc(16 << 20)
ctypes.memset(block, 1, 16 << 20)
behind = libc.malloc(100_000)
ctypes.memset(behind, 1, 100_000)
libc.free(block)
print(resident_mb() - before)
"""


@pytest.mark.parametrize(("told", "low", "high"), [(True, -2, 4), (False, 12, 20)])
def test_large_blocks_that_are_freed_are_given_back(told: bool, low: float, high: float) -> None:
    child = subprocess.run(
        [sys.executable, "-c", CHILD.format(told=told)], capture_output=True, text=True, check=True
    )
    assert low < float(child.stdout) < high
