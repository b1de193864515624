"""Which examples of a split stand for it: short ones in an export, some to read the language by."""

import hashlib
from collections.abc import Iterable, Sequence

_FEWEST, _MOST = 20, 160  # characters that are easy to read and still tell something
_LONGEST = 2_000  # of the texts of a manifest
_SOME = 1_000  # texts, of which a vocabulary knows as much as of all


def short_ones(texts: Sequence[str], among: Iterable[int], count: int) -> list[int]:
    """Indices of up to `count` different texts among some: short ones, in an order by their hash.

    Texts of 20 to 160 characters come first, then those nearest to that; none is empty or longer
    than 2,000 characters.

    >>> short_ones(["hm", "x" * 170, "a" * 30, "", "b" * 40, "b" * 40], range(6), 3)
    [2, 4, 1]
    """

    def rank(index: int) -> tuple[int, str]:
        length = len(texts[index].strip())
        beyond = max(_FEWEST - length, length - _MOST, 0)
        return beyond, hashlib.sha256(texts[index].encode()).hexdigest()

    found: dict[str, int] = {}
    fit = (index for index in among if 0 < len(texts[index].strip()) <= _LONGEST)
    for index in sorted(fit, key=rank):
        found.setdefault(texts[index], index)
        if len(found) == count:
            break
    return list(found.values())


def some(texts: Sequence[str]) -> Sequence[str]:
    """At most 1,000 of the texts, taken evenly.

    >>> len(some("a" * 999)), len(some("a" * 1_001))
    (999, 501)
    """
    return texts[:: -(-len(texts) // _SOME) or 1]
