"""The rule that puts an example into a split, the same on every machine and in every run."""

import hashlib
from collections.abc import Container

from textapps.datasets.source import Row

# The rule of the Speech Commands set (Warden 2018, arXiv:1804.03209, section 7): 27 bits of sha1,
# the first tenth of their range for validation, the second for test.
_BUCKETS = 2**27
_VALIDATION_END = _BUCKETS // 10
_TEST_END = _BUCKETS // 5


def split_of(key: str) -> str:
    """`train` (80 %), `validation` (10 %) or `test` (10 %) for a group key.

    sha1 of the key in UTF-8, as a number modulo 2^27 = 134,217,728: below 13,421,772 validation,
    from there below 26,843,545 test, else train.

    >>> [split_of(key) for key in ("one", "two", "a fine film")]
    ['train', 'test', 'validation']
    """
    bucket = int.from_bytes(hashlib.sha1(key.encode()).digest(), "big") % _BUCKETS
    if bucket < _VALIDATION_END:
        return "validation"
    return "test" if bucket < _TEST_END else "train"


def carve(rows: list[Row], missing: Container[str]) -> dict[str, list[Row]]:
    """Rows by split: those that the rule puts into a split of `missing` go there, others to train.

    The key is the row's group, or its text where it has none, so that equal texts stay together.
    """
    parts: dict[str, list[Row]] = {"train": [], "validation": [], "test": []}
    for row in rows:
        split = split_of(row.group or row.text)
        parts[split if split in missing else "train"].append(row)
    return parts
