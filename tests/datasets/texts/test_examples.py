import hashlib
import struct

import numpy as np
import pytest

from textapps.datasets.texts.examples import LabelledTexts, sorted_labels


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
