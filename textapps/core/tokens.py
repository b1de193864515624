"""The ids that every vocabulary has, for all who make, read or generate ids."""

PAD, UNK, FIRST = 0, 1, 2  # FIRST: of the tokens that stand for themselves
BOS, EOS = 2, 3  # of translation's vocabularies, whose other tokens follow them
