"""The lengths of texts, and groups of similar length."""

import re
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

HAN = r"\u2e80-\u2fdf\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
KANA = r"\u3040-\u30ff\uff66-\uff9d"
_WORD = re.compile(rf"[{HAN}{KANA}]|[^\s{HAN}{KANA}]+")


def words(text: str) -> list[str]:
    """The words between white space; Chinese and Japanese characters are words of their own.

    >>> words("Two dogs. 两只狗")
    ['Two', 'dogs.', '两', '只', '狗']
    """
    return _WORD.findall(text)


def span(shortest: int, longest: int, to: str) -> str:
    """The range of lengths of a group, as text.

    >>> span(4, 8, " to "), span(9, 9, " to ")
    ('4 to 8', '9')
    """
    return f"{shortest}{to}{longest}" if shortest < longest else f"{shortest}"


def length_groups(
    lengths: npt.ArrayLike, groups: int = 8
) -> Iterator[tuple[int, int, npt.NDArray[np.bool_]]]:
    """At most `groups` groups of about equally many examples, the shortest first.

    Examples of the same length stay together.

    Args:
        lengths: int[n], in any unit.

    Yields:
        The shortest and the longest length of a group, and its members, bool[n].

    >>> [(low, high, members.tolist()) for low, high, members in length_groups([5, 1, 3], 2)]
    [(1, 3, [False, True, True]), (5, 5, [True, False, False])]
    """
    sizes = np.asarray(lengths)
    if not len(sizes):
        return
    edges = np.quantile(sizes, np.arange(1, groups) / groups, method="inverted_cdf")
    group = np.searchsorted(np.unique(edges), sizes, side="left")
    for g in np.unique(group):
        members = group == g
        yield int(sizes[members].min()), int(sizes[members].max()), members
