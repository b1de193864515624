"""Freed memory stays with the process, or goes back to the system, as it is told."""

import ctypes
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "mallopt"), reason="only glibc can be told so"
)

KEEPING = """
import ctypes, resource
from textapps.core.memory import keep_freed_memory

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
        [sys.executable, "-c", KEEPING.format(told=told)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert low <= int(child.stdout) < high


# A large block is freed first: from then on glibc cuts smaller ones out of the heap, where a block
# that is still used behind them keeps what they leave.
RETURNING = """
import ctypes
from textapps.core.memory import return_freed_memory

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
        [sys.executable, "-c", RETURNING.format(told=told)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert low < float(child.stdout) < high
