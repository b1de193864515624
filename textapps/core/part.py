"""Which part of a data set was used."""

from typing import NamedTuple

ALL = "all"
"""In place of a split: all examples of the main source."""


class Part(NamedTuple):
    """Which part of a data set examples are.

    split: train, validation, test or all
    size: the number of its examples; for running text, of characters
    total: the same for the whole data set; None if counting them would take more reading
    """

    split: str = ALL
    size: int = 0
    total: int | None = None

    def told(self, unit: str) -> str:
        """The part in words; `unit` is the plural of what is counted.

        >>> Part("test", 84, 700).told("rows"), Part("all", 700, 700).told("rows")
        ('84 of 700 rows (test)', 'all 700 rows')
        """
        if self.size == self.total:
            return f"all {self.size:,} {unit}"
        total = "" if self.total is None else f"of {self.total:,} "
        return f"{self.size:,} {total}{unit} ({self.split})"


WHOLE = Part()
"""The part of examples that come from no data set, such as those of tests."""
