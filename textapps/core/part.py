"""Which part of a data set was used."""

from typing import NamedTuple

from textapps.core.counted import counted

ALL = "all"
"""In place of a split: all examples of the main source."""


class Part(NamedTuple):
    """Which part of a data set examples are.

    split: train, validation, test or all
    size: the number of its examples; for running text, of characters
    total: the same for the whole data set; None if counting them would take more reading
    beside: what was made beside them and counts as examples too, in words
    """

    split: str = ALL
    size: int = 0
    total: int | None = None
    beside: str = ""

    def told(self, unit: str) -> str:
        """The part in words; `unit` is what is counted.

        >>> Part("test", 84, 700).told("row"), Part("all", 700, 700).told("row")
        ('84 of 700 rows (test)', 'all 700 rows')
        >>> Part("test", 1).told("row"), Part("all", 1, 1).told("row")
        ('1 row (test)', 'the only row')
        >>> Part("test", 2, 20, beside="3 that were made").told("row")
        '2 of 20 rows (test) and 3 that were made'
        """
        beside = f" and {self.beside}" if self.beside else ""
        return f"{self._taken(unit)}{beside}"

    def _taken(self, unit: str) -> str:
        if self.size == self.total:
            return f"the only {unit}" if self.size == 1 else f"all {counted(self.size, unit)}"
        if self.total is None:
            return f"{counted(self.size, unit)} ({self.split})"
        return f"{self.size:,} of {counted(self.total, unit)} ({self.split})"


WHOLE = Part()
"""The part of examples that come from no data set, such as those of tests."""
