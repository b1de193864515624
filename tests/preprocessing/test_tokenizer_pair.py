import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from textapps.core.errors import DataError, RunError
from textapps.core.tokens import PAD
from textapps.preprocessing.config import SubwordConfig
from textapps.preprocessing.plain_tokens import FILE
from textapps.preprocessing.subwords import MODEL, RECORD
from textapps.preprocessing.tokenizer import Tokenizer
from textapps.preprocessing.tokenizer_pair import TokenizerPair

SOURCES = ("Two dogs run after the red ball.", "The dog is called 'Ball' (7 kg)!", "a green sofa")
TARGETS = ("Zwei Hunde laufen dem roten Ball nach.", "Der Hund heißt «Ball».", "ein Sofa")
KINDS: dict[str, dict[str, Any]] = {
    "subword": {"tokens": "subword"},
    "bpe": {"tokens": "subword", "model": "bpe"},
    "word": {"tokens": "word"},
    "char": {"tokens": "char"},
}


def config(kind: str = "subword", **changes: Any) -> SubwordConfig:
    size = 47 if changes.get("joint", True) else 33  # between all characters and all subwords
    size = {"word": 60, "char": 61}.get(kind, size)
    return SubwordConfig(**{"vocabulary_size": size, **KINDS[kind], **changes})


def make(kind: str = "subword", **changes: Any) -> TokenizerPair:
    return TokenizerPair.learn(SOURCES, TARGETS, config(kind, **changes))[0]


def rows(tokenizer: Tokenizer, *texts: str) -> Any:
    return tokenizer.encode(tf.constant(texts, tf.string))


def there_and_back(tokenizer: Tokenizer, *texts: str) -> list[str]:
    ids = rows(tokenizer, *texts).to_tensor(PAD)
    return [text.decode() for text in tokenizer.decode(ids).numpy()]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("joint", [True, False])
def test_saved_and_loaded_is_the_same(kind: str, joint: bool, tmp_path: Path) -> None:
    pair = make(kind, joint=joint)
    pair.save(tmp_path)
    names = {"joint"} if joint else {"source", "target"}
    assert {path.name for path in tmp_path.iterdir()} == names
    loaded = TokenizerPair.load(tmp_path, config(kind, joint=joint))
    assert pair.joint is loaded.joint is joint
    assert len(loaded.resources) == len(names)
    for one, two in ((pair.source, loaded.source), (pair.target, loaded.target)):
        assert one.vocabulary_size == two.vocabulary_size
        assert rows(one, *SOURCES, *TARGETS).to_list() == rows(two, *SOURCES, *TARGETS).to_list()
    assert there_and_back(loaded.source, *SOURCES) == list(SOURCES)
    assert there_and_back(loaded.target, *TARGETS) == list(TARGETS)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("joint", [True, False])
def test_what_it_learns_from_is_encoded_on_the_way(kind: str, joint: bool) -> None:
    settings = config(kind, joint=joint, max_tokens=7)
    pair, *found = TokenizerPair.learn(SOURCES, TARGETS, settings)
    expected = (pair.source.encode_all(SOURCES), pair.target.encode_all(TARGETS))
    for ours, theirs in zip(found, expected, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(one, other)
            assert one.dtype == other.dtype


@pytest.mark.parametrize("kind", KINDS)
def test_each_language_learns_from_its_own_texts(kind: str) -> None:
    both, apart = make(kind), make(kind, joint=False)
    assert rows(both.source, "Ball").to_list() == rows(both.target, "Ball").to_list()
    # Only the target has ever seen such a letter.
    assert there_and_back(apart.target, "heißt") == ["heißt"]
    assert "\ufffd" in there_and_back(apart.source, "heißt")[0]
    assert "\ufffd" in there_and_back(apart.target, "(7 kg)")[0]


@pytest.mark.parametrize("side", ["source", "target"])
def test_messages_name_the_side(side: str, caplog) -> None:
    def learn(**texts: tuple[str, ...]) -> None:
        texts = {"source": SOURCES, "target": TARGETS, **texts}
        TokenizerPair.learn(texts["source"], texts["target"], config(joint=False))

    learn(**{side: ("a b",)})
    assert caplog.messages[0].startswith(f"the {side} texts support ")
    with pytest.raises(DataError, match=f"the {side} texts are empty"):
        learn(**{side: ("", " ")})


def test_a_pair_of_the_other_kind_is_no_pair(tmp_path: Path) -> None:
    make().save(tmp_path)
    with pytest.raises(RunError, match=r"source.* cannot be read"):
        TokenizerPair.load(tmp_path, config(joint=False))
    with pytest.raises(RunError, match=r"joint.* cannot be read"):
        TokenizerPair.load(tmp_path, config("word"))


def removed(path: Path) -> None:
    path.unlink()


def filled(content: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content) and None


def shortened(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def without_a_line(number: int) -> Callable[[Path], None]:
    def remove(path: Path) -> None:
        lines = path.read_bytes().split(b"\n")
        path.write_bytes(b"\n".join(lines[:number] + lines[number + 1 :]))

    return remove


def with_a_line_twice(path: Path) -> None:
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([*lines[:6], *lines[5:]]))


def of_an_older_version(damage: Callable[[Path], None]) -> Callable[[Path], None]:
    """The same of a file that has no record."""

    def unrecorded(path: Path) -> None:
        path.with_suffix(".json").unlink()
        damage(path)

    return unrecorded


NEWER = json.dumps({"format": 2, "sha256": ""}).encode()
DAMAGES = [
    ("subword", MODEL, removed, r"cannot be read \(FileNotFoundError.*train again or restore it"),
    ("subword", MODEL, shortened, "is not what was written"),
    ("subword", MODEL, filled(b"half"), "is not what was written"),
    ("subword", RECORD, removed, r"cannot be read \(FileNotFoundError.*train again or restore it"),
    ("subword", RECORD, filled(b"{"), r"subwords\.json is damaged"),
    ("subword", RECORD, filled(b"[]"), r"subwords\.json is damaged \(it has no format"),
    ("subword", RECORD, filled(NEWER), "has format 2"),
    ("word", FILE, removed, "cannot be read"),
    ("word", FILE, shortened, "vocabulary.txt is not what was written"),
    ("char", FILE, with_a_line_twice, "vocabulary.txt is not what was written"),
    ("word", FILE, of_an_older_version(shortened), "is truncated"),
    ("word", FILE, of_an_older_version(without_a_line(0)), "begins with '<s>'"),
    (
        "char",
        FILE,
        of_an_older_version(without_a_line(1)),
        "does not begin with <s> and </s>",
    ),
    ("char", FILE, of_an_older_version(with_a_line_twice), "contains a token twice"),
]


@pytest.mark.parametrize(("kind", "name", "damage", "message"), DAMAGES)
@pytest.mark.parametrize("side", ["joint", "source", "target"])
def test_what_is_damaged_is_refused(
    kind: str, name: str, damage: Callable[[Path], None], message: str, side: str, tmp_path: Path
) -> None:
    make(kind, joint=side == "joint").save(tmp_path)
    damage(tmp_path / side / name)
    with pytest.raises(RunError, match=message) as raised:
        TokenizerPair.load(tmp_path, config(kind, joint=side == "joint"))
    assert str(tmp_path / side) in str(raised.value)
    assert "\n" not in str(raised.value)
