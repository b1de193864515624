"""The ids that every vocabulary has, for all who make, read or generate ids."""

PADDING, UNKNOWN, FIRST = 0, 1, 2  # FIRST: of the tokens that stand for themselves
