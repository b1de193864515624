from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from textapps.core.errors import ConfigurationError, RunError
from textapps.core.tokens import FIRST, PAD, UNK
from textapps.preprocessing.characters import CharacterPreprocessor, normal_text
from textapps.preprocessing.config import CharacterConfig
from textapps.preprocessing.vocabulary import Vocabulary

TEXT = "Größe\r\n詩 \\n\u2028\x85\ufeff😀 eee"


@pytest.fixture(scope="module")
def preprocessor() -> CharacterPreprocessor:
    return CharacterPreprocessor.from_text(TEXT, CharacterConfig(unicode="raw"))


def in_graph(preprocessor: CharacterPreprocessor, texts: list[Any]) -> tuple[Any, Any]:
    ids, lengths = _traced(preprocessor)[0](tf.constant(texts))
    return ids.numpy(), lengths.numpy()


@cache
def _traced(preprocessor: CharacterPreprocessor) -> tuple[Any, Any]:
    """Both ways as graphs, for any number of texts."""
    ids = [tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)]
    texts = [tf.TensorSpec([None], tf.string)]
    return (
        tf.function(preprocessor.ids, input_signature=texts, autograph=False),
        tf.function(preprocessor.text, input_signature=ids, autograph=False),
    )


def test_worked_by_hand() -> None:
    preprocessor = CharacterPreprocessor.from_text("abcabbb", CharacterConfig())
    assert preprocessor.vocabulary.tokens == ("b", "a", "c")
    assert preprocessor.encode("cab!A").tolist() == [4, 3, 2, 1, 1]
    ids, lengths = in_graph(preprocessor, ["cab!", "", "b"])
    assert ids.tolist() == [[4, 3, 2, 1], [0, 0, 0, 0], [2, 0, 0, 0]]
    assert lengths.tolist() == [4, 0, 1]
    assert ids.dtype == lengths.dtype == preprocessor.encode("c").dtype == np.int32


def test_every_code_point_is_itself(preprocessor: CharacterPreprocessor) -> None:
    """Line ends, byte order marks, pairs of surrogates and case are left as they are."""
    ids = preprocessor.encode(TEXT)
    assert len(ids) == len(TEXT)
    assert ids.min() == FIRST
    assert preprocessor.decode(ids) == TEXT
    assert len(set(preprocessor.encode("Eeéê").tolist())) == 2


def test_a_small_vocabulary_keeps_the_most_frequent() -> None:
    kept = CharacterPreprocessor.from_text("aabbbc", CharacterConfig(vocabulary_size=4))
    assert kept.vocabulary.tokens == ("b", "a")
    frequent = CharacterPreprocessor.from_text("aabbbc", CharacterConfig(min_count=3))
    assert frequent.vocabulary.tokens == ("b",)
    with pytest.raises(ConfigurationError, match=r"min_count 4 leaves no .* occurs 3 times"):
        CharacterPreprocessor.from_text("aabbbc", CharacterConfig(min_count=4))


def test_unknown_characters_are_named_once_and_in_order(
    preprocessor: CharacterPreprocessor,
) -> None:
    assert preprocessor.unknown("zGyz\u0301y") == ["z", "y", "\u0301"]
    assert preprocessor.unknown(TEXT) == []


@given(
    st.lists(
        st.text(st.sampled_from("e\u0301\u0323é\n\u200b\u200dก 😀\xad"), max_size=9), min_size=1
    )
)
def test_form_c_is_the_same_in_graph_and_numpy(texts: list[str]) -> None:
    preprocessor = _composing()
    ids, lengths = in_graph(preprocessor, texts)
    for text, row, length in zip(texts, ids, lengths, strict=True):
        assert row[:length].tolist() == preprocessor.encode(text).tolist()
        plain = normal_text(text, "nfc")
        assert preprocessor.encode(plain).tolist() == preprocessor.encode(text).tolist()
        assert len(plain) == length


def test_form_c_is_learned_and_read() -> None:
    preprocessor = _composing()
    assert preprocessor.vocabulary.tokens == ("\n", "é", "e")
    assert preprocessor.encode("e\u0301\xade").tolist() == [3, 4]
    assert preprocessor.unknown("e\u0301z\u0301\u200b") == ["ź"]
    assert preprocessor.encode("é\ud83de").tolist() == [3, UNK, 4]


@cache
def _composing() -> CharacterPreprocessor:
    return CharacterPreprocessor.from_text("e\u0301\u200be\n\u2060\né", CharacterConfig())


@given(texts=st.lists(st.text(max_size=12), min_size=1, max_size=4))
def test_graph_and_numpy_agree(preprocessor: CharacterPreprocessor, texts: list[str]) -> None:
    ids, lengths = in_graph(preprocessor, texts)
    assert ids.shape == (len(texts), max(map(len, texts)))
    for text, row, length in zip(texts, ids, lengths, strict=True):
        assert length == len(text)
        assert row[:length].tolist() == preprocessor.encode(text).tolist()
        assert (row[length:] == PAD).all()


@given(texts=st.lists(st.text(alphabet=sorted(set(TEXT)), max_size=12), min_size=1, max_size=4))
def test_there_and_back(preprocessor: CharacterPreprocessor, texts: list[str]) -> None:
    there, back = _traced(preprocessor)
    assert [text.decode() for text in back(*there(tf.constant(texts))).numpy()] == texts
    assert [preprocessor.decode(preprocessor.encode(text)) for text in texts] == texts


def test_bytes_that_are_no_text_are_unknown(preprocessor: CharacterPreprocessor) -> None:
    ids, lengths = in_graph(preprocessor, [b"e\xffe", b"\xf0\x9f\x98", b"\xed\xb3\xbfe"])
    e = preprocessor.encode("e")[0]
    assert ids[0].tolist()[:3] == [e, UNK, e]
    assert set(ids[1].tolist()) <= {UNK, PAD}
    assert ids[2, lengths[2] - 1] == e
    # what a command line makes of such bytes
    assert preprocessor.encode("e\udcffe").tolist() == [e, UNK, e]


def test_the_replacement_character_can_be_learned() -> None:
    preprocessor = CharacterPreprocessor(Vocabulary(["a", "\ufffd"]))
    assert in_graph(preprocessor, [b"a\xff"])[0].tolist() == [[2, 3]]
    assert preprocessor.decode(np.array([PAD, UNK, 2, 3])) == "\ufffd\ufffda\ufffd"


def test_saved_and_loaded(preprocessor: CharacterPreprocessor, tmp_path: Path) -> None:
    preprocessor.save(tmp_path)
    again = CharacterPreprocessor.load(tmp_path, "raw")
    assert again.vocabulary.tokens == preprocessor.vocabulary.tokens
    assert again.encode(TEXT).tolist() == preprocessor.encode(TEXT).tolist()
    with pytest.raises(RunError, match="cannot be read"):
        CharacterPreprocessor.load(tmp_path / "nowhere")


def test_goes_into_a_saved_model(preprocessor: CharacterPreprocessor, tmp_path: Path) -> None:
    class Echo(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.preprocessor = preprocessor

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def echo(self, texts: Any) -> Any:
            return self.preprocessor.text(*self.preprocessor.ids(texts))

    tf.saved_model.save(Echo(), str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    texts = [TEXT.encode(), b"", b"z"]
    assert loaded.echo(tf.constant(texts)).numpy().tolist() == [*texts[:2], "\ufffd".encode()]
