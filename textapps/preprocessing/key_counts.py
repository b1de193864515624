"""Counting numbers of which there are too many for memory."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BLOCK = 1 << 22  # numbers that are counted in memory before they are written
_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 divided by the golden ratio: Knuth 1998, section 6.4
_DTYPE = np.dtype([("key", "<i8"), ("count", "<i4")])


class KeyCounts:
    """Counts equal numbers, by way of files, and keeps the most frequent.

    The numbers are divided by a hash over files, each of which is counted by itself.

    Args:
        folder: where files are written, up to 12 bytes for each number; they are removed.
        least: what occurs less often is left out.
        most: how many may be kept; if there are more, those that occur less often than all of the
            `most + 1` most frequent ones are left out too.
        parts: the number of files.
    """

    def __init__(self, folder: Path, least: int, most: int, parts: int = 128) -> None:
        self._paths = [folder / f"part-{part}" for part in range(parts)]
        self._least = least
        self._most = most

    def __call__(
        self, numbers: Iterable[NDArray[np.int64]]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """int64[different numbers], sorted, and how often each occurs, int64 too.

        Raises:
            OSError: the disk is full.
        """
        waiting: list[NDArray[np.int64]] = []
        size = 0
        for some in numbers:
            waiting.append(some)
            size += len(some)
            if size >= _BLOCK:
                self._write(np.concatenate(waiting))
                waiting, size = [], 0
        self._write(np.concatenate([np.zeros(0, np.int64), *waiting]))
        keys, counts = np.zeros(0, np.int64), np.zeros(0, np.int64)
        for path in self._paths:
            own, often = _summed(path)
            kept = often >= self._least
            keys, counts = np.append(keys, own[kept]), np.append(counts, often[kept])
            if len(counts) > self._most:
                # All that are as frequent as the last of them stay: more of them may follow.
                kept = counts >= np.partition(counts, -self._most - 1)[-self._most - 1]
                keys, counts = keys[kept], counts[kept]
        order = np.argsort(keys)
        return keys[order], counts[order]

    def _write(self, numbers: NDArray[np.int64]) -> None:
        keys, counts = np.unique(numbers, return_counts=True)
        mixed = keys.astype(np.uint64) * _MIX >> np.uint64(32)
        parts = (mixed % np.uint64(len(self._paths))).astype(np.int64)
        rows = np.empty(len(keys), _DTYPE)
        rows["key"], rows["count"] = keys, counts
        rows = rows[np.argsort(parts, kind="stable")]
        ends = np.cumsum(np.bincount(parts, minlength=len(self._paths)))
        for path, own in zip(self._paths, np.split(rows, ends[:-1]), strict=True):
            with path.open("ab") as file:
                own.tofile(file)


def _summed(path: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    """The different numbers in a file, which is removed, and their counts."""
    rows = np.fromfile(path, _DTYPE)
    path.unlink()
    keys, places = np.unique(rows["key"], return_inverse=True)
    return keys, np.bincount(places, rows["count"], len(keys)).astype(np.int64)
