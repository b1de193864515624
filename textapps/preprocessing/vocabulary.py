"""The vocabulary: tokens and their ids, stored as a readable text file."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from textapps.core.errors import RunError
from textapps.core.records import RecordError, read_described, write_described
from textapps.core.tokens import FIRST

HEADER = "textapps vocabulary "
FORMAT = 1
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
_ORIGINALS = {escape: original for original, escape in _ESCAPES.items()}


class Vocabulary:
    """Tokens in the order of their ids: 0 is PAD, 1 is UNK, 2 is the first of `tokens`.

    >>> vocabulary = Vocabulary(["the", "film"])
    >>> len(vocabulary), vocabulary.tokens[3 - FIRST]
    (4, 'film')
    """

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens = tuple(tokens)

    def __len__(self) -> int:
        """The number of ids, including PAD and UNK."""
        return len(self.tokens) + FIRST

    @classmethod
    def from_counts(
        cls, counts: Iterable[tuple[str, int]], size: int, min_count: int = 1
    ) -> "Vocabulary":
        """The most frequent tokens, `size` ids in total; ties are in code point order.

        >>> Vocabulary.from_counts([("b", 2), ("a", 2), ("c", 9), ("d", 1)], size=5).tokens
        ('c', 'a', 'b')
        """
        kept = [(-count, token) for token, count in counts if count >= min_count]
        return cls([token for _, token in sorted(kept)[: size - FIRST]])

    def extended(self, other: "Vocabulary") -> "Vocabulary":
        """The same ids, followed by the tokens of `other` that are missing here, in its order.

        >>> Vocabulary(["a", "b"]).extended(Vocabulary(["c", "b"])).tokens
        ('a', 'b', 'c')
        """
        return Vocabulary(tuple(dict.fromkeys((*self.tokens, *other.tokens))))

    def save(self, path: Path) -> None:
        """Writes the format and one token per line; the sha256 goes to a second file."""
        lines = ["".join(_ESCAPES.get(char, char) for char in token) for token in self.tokens]
        write_described(path, "\n".join([f"{HEADER}{FORMAT}", *lines, ""]))

    @classmethod
    def load(cls, path: Path) -> "Vocabulary":
        """Reads what `save` wrote.

        Raises:
            RunError: the file is missing, of another format or damaged.
        """
        try:
            header, *lines = read_described(path).decode("utf-8").split("\n")
        except RecordError as error:
            raise RunError(f"{error}; train again or restore it") from None
        except (OSError, UnicodeDecodeError) as error:
            raise RunError(f"{path} cannot be read ({error}); train again or restore it") from None
        if header != f"{HEADER}{FORMAT}":
            raise RunError(
                f"{path} begins with {header[:40]!r}, not '{HEADER}{FORMAT}': the file is damaged "
                "or was written by another version of textapps"
            )
        if lines.pop() != "":
            raise RunError(f"{path} is truncated; train again or restore it")
        return cls([_unescape(line) if "\\" in line else line for line in lines])


def _unescape(line: str) -> str:
    parts = line.split("\\\\")
    for escape in ("\\n", "\\r"):
        parts = [part.replace(escape, _ORIGINALS[escape]) for part in parts]
    return "\\".join(parts)
