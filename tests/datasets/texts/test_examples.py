import hashlib
import struct

import numpy as np
import pytest

from textapps.datasets.texts.examples import LabelledTexts, plain, sorted_labels


def pets(
    texts: list[str] | None = None,
    labels: tuple[int, ...] = (0, 2, 1),
    names: tuple[str, ...] = ("cat", "dog", "fish"),
    name: str = "pets",
) -> LabelledTexts:
    texts = ["purrs", "swims", "barks"] if texts is None else texts
    return LabelledTexts(texts, np.array(labels, np.int32), names, name)


def test_fingerprint_as_runs_on_disk_hold_it() -> None:
    words = [b"cat", b"dog", b"fish", b"purrs", b"swims", b"barks"]
    data = b"".join(struct.pack("<Q", len(word)) + word for word in words)
    data += struct.pack("<3i", 0, 2, 1)
    assert pets().fingerprint == hashlib.sha256(data).hexdigest()
    assert pets(name="animals").fingerprint == pets().fingerprint


@pytest.mark.parametrize(
    "other",
    [
        pets(texts=["swims", "purrs", "barks"]),
        pets(labels=(0, 2, 2)),
        pets(names=("cat", "fish", "dog")),
        pets(texts=["purrss", "wims", "barks"]),
        pets(texts=["purrs", "swims", "barks", ""], labels=(0, 2, 1, 0)),
    ],
)
def test_fingerprint_tells_data_apart(other: LabelledTexts) -> None:
    assert other.fingerprint != pets().fingerprint


def test_sorted_labels() -> None:
    assert sorted_labels(["10", "-1", "2", "10"]) == ("-1", "2", "10")
    assert sorted_labels(["b", "B", "10", "2", "é"]) == ("10", "2", "B", "b", "é")
    assert sorted_labels(["1", "01"]) == ("01", "1")
    assert sorted_labels([]) == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A fine\tfilm!!", "a  FINE, film"),
        ("Stra\u00dfe", "STRASSE"),
        ("cafe\u0301", "caf\u00e9"),
        ("snake_case", "snake case"),
        ("zero\u200bwidth", "zerowidth"),
        ("\u2764\ufe0f \u2b50", " \u2764  \u2b50\n"),
        (":-)", ":-) "),
    ],
)
def test_plain_is_the_same_in_whatever_case_spacing_and_punctuation(one: str, other: str) -> None:
    assert plain(one) == plain(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\U0001f600", "\U0001f621"),
        ("\u2764\ufe0f", "\u2b50\ufe0f"),
        ("#\ufe0f\u20e3", "*\ufe0f\u20e3"),
        (":-)", ":-("),
        ("\u0915\u0940", "\u0915\u093e"),  # ki and ka in Devanagari
        ("\u0e19\u0e49\u0e33", "\u0e19\u0e33"),  # two words of Thai, apart by a tone mark
        ("fine 1", "fine 2"),
        ("a fine film", "a finefilm"),
    ],
)
def test_plain_tells_texts_apart(one: str, other: str) -> None:
    assert plain(one) != plain(other)
