"""The ids of the special tokens that every vocabulary has."""

PAD, UNK, FIRST = 0, 1, 2  # FIRST: the id of the first ordinary token
BOS, EOS = 2, 3  # in vocabularies of translation, followed by the ordinary tokens
