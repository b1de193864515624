"""What is read of a split."""

from collections.abc import Iterator

from textapps.core.part import WHOLE
from textapps.datasets.corpus.examples import HeldCorpus, beginning
from textapps.datasets.corpus.kept import KeptCorpus


def test_no_more_pieces_are_read_than_its_beginning_needs() -> None:
    read: list[str] = []

    def pieces() -> Iterator[str]:
        for piece in ("abc", "", "defg", "hij"):
            read.append(piece)
            yield piece

    kept = KeptCorpus("large.txt", WHOLE, {"documents": 1}, pieces)
    assert beginning(kept, 5) == "abcde"
    assert read == ["abc", "", "defg"]
    assert beginning(kept, 99) == "abcdefghij"
    assert beginning(HeldCorpus("held", "größer"), 3) == "grö"
