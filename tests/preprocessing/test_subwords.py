from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from textapps.core.errors import ConfigurationError, DataError
from textapps.core.tokens import BOS, EOS, PAD, UNK
from textapps.preprocessing.config import SubwordConfig
from textapps.preprocessing.subwords import SubwordTokenizer
from textapps.preprocessing.tokenizer import Tokenizer, fold_all
from textapps.preprocessing.tokenizer_pair import TokenizerPair

SENTENCES = (
    "A man is sleeping on a green sofa, isn’t he?",
    "Two dogs run after the red ball.",
    "The man's dog is called «Größe» (12.5 kg)!",
    "Zwei Hunde laufen hinter dem roten Ball her.",
    "Ein Mann schläft auf einem grünen Sofa – nicht wahr?",
    "两只狗，在跑！",
)
KINDS = ("subword", "bpe", "word", "char")
SIZES = {"subword": 80, "bpe": 83, "word": 70, "char": 75}


@cache
def make(kind: str, texts: Sequence[str] = SENTENCES, **options: Any) -> Tokenizer:
    model = {"bpe": {"tokens": "subword", "model": "bpe"}}.get(kind, {"tokens": kind})
    values = {"vocabulary_size": SIZES[kind], **model, **options}
    return TokenizerPair.learn(texts, (), SubwordConfig.model_validate(values))[0].source


def rows(tokenizer: Tokenizer, *texts: str | bytes) -> list[list[int]]:
    found: list[list[int]] = tokenizer.encode(tf.constant(texts, tf.string)).to_list()
    return found


def back(tokenizer: Tokenizer, ids: Any) -> list[str]:
    return [text.decode() for text in tokenizer.decode(tf.constant(ids, tf.int32)).numpy()]


def there_and_back(tokenizer: Tokenizer, texts: Sequence[str]) -> list[str]:
    ids = tokenizer.encode(tf.constant(texts, tf.string)).to_tensor(PAD)
    return back(tokenizer, ids)


@pytest.mark.parametrize("kind", KINDS)
def test_ids_are_of_the_kind_and_size_that_was_asked_for(kind: str) -> None:
    tokenizer = make(kind)
    ids = tokenizer.encode(tf.constant(SENTENCES))
    assert ids.dtype == tf.int32
    assert ids.shape.as_list() == [len(SENTENCES), None]
    assert UNK not in ids.flat_values or kind == "word"
    assert not {PAD, BOS, EOS} & set(ids.flat_values.numpy().tolist())
    assert EOS < int(tf.reduce_max(ids)) < tokenizer.vocabulary_size <= SIZES[kind]
    if "b" in kind:
        assert tokenizer.vocabulary_size == SIZES[kind]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("word", "a (b)!", ["a", "(￭", "b", "￭)￭", "￭!"]),
        ("word", "it's 1.5", ["it", "￭'￭", "s", "1", "￭.￭", "5"]),
        ("word", '- "x"', ["-", '"￭', "x", '￭"']),
        ("char", "a 两", ["a", " ", "两"]),
    ],
)
def test_words_and_characters_by_hand(kind: str, text: str, expected: list[str]) -> None:
    tokenizer = make(kind, (text,))
    tokens: Any = tokenizer.vocabulary.tokens  # type: ignore[attr-defined]
    assert tokens[:2] == ("<s>", "</s>")
    assert [tokens[i - 2] for i in rows(tokenizer, text)[0]] == expected
    assert there_and_back(tokenizer, [text]) == [text]


known = [*sorted(set("".join(SENTENCES)) - set("▅")), "\t", "\u2028", "\xa0", "▁", "￭", "\x00"]


@pytest.mark.parametrize("kind", ["subword", "bpe", "char"])
@given(texts=st.lists(st.text(known, max_size=25), min_size=1, max_size=4))
def test_what_has_known_characters_comes_back_but_for_white_space(
    kind: str, texts: list[str]
) -> None:
    assert there_and_back(make(kind), texts) == fold_all(texts, SubwordConfig())


pieces = st.sampled_from(
    ["word", "Größe", "’", "'", '"', "(", ")", "-", " ", "\t ", "12", "…", "😀"]
)


@given(parts=st.lists(pieces, max_size=12))
def test_known_words_come_back_but_for_white_space(parts: list[str]) -> None:
    text = "".join(parts)
    tokenizer = make("word", (text, "x"))
    assert there_and_back(tokenizer, [text]) == fold_all([text], SubwordConfig())


@pytest.mark.parametrize("kind", KINDS)
@given(texts=st.lists(st.text(max_size=12), min_size=1, max_size=3))
def test_any_text_has_an_answer_of_its_own(kind: str, texts: list[str]) -> None:
    """Batches change nothing, and what is unknown is marked as such."""
    tokenizer = make(kind)
    together = rows(tokenizer, *texts)
    assert together == [rows(tokenizer, text)[0] for text in texts]
    for ids, text in zip(together, there_and_back(tokenizer, texts), strict=True):
        assert (UNK in ids) == ("\ufffd" in text)


@pytest.mark.parametrize("kind", KINDS)
def test_awkward_texts(kind: str) -> None:
    tokenizer = make(kind)
    assert rows(tokenizer, "", " \n", "\x00") == [[], [], []]
    assert tokenizer.encode(tf.constant([], tf.string)).shape[0] == 0
    emoji, devanagari, broken = rows(tokenizer, "Two 😀😀 dogs", "नमस्ते", b"Two \xff\xfe dogs")
    assert UNK in emoji
    assert UNK in devanagari
    assert UNK in broken
    assert there_and_back(tokenizer, ["😀"])[0].strip("\ufffd") == ""
    assert len(rows(tokenizer, "dog " * 10_000)[0]) == tokenizer.config.max_tokens == 256


@pytest.mark.parametrize("kind", KINDS)
def test_decoding_stops_at_the_end(kind: str) -> None:
    tokenizer = make(kind)
    [dog] = rows(tokenizer, "dogs")
    width = len(dog) + 3
    ids = [
        [*dog, EOS, *dog, PAD, EOS][:width],
        [*dog, PAD, *dog, PAD, PAD][:width],
        [BOS, *dog, EOS, EOS],
        [EOS, *dog, EOS, EOS],
        [PAD] * width,
    ]
    expected = (
        fold_all(["dogs"], SubwordConfig())[0] if kind != "word" else back(tokenizer, [dog])[0]
    )
    assert back(tokenizer, ids) == [expected] * 3 + ["", ""]
    assert back(tokenizer, np.zeros((2, 0), np.int32)) == ["", ""]
    assert back(tokenizer, np.zeros((0, 5), np.int32)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_lower_case_on_request(kind: str) -> None:
    tokenizer = make(kind, lowercase=True, vocabulary_size=64)
    assert rows(tokenizer, "TWO DOGS, ÄÖÜ") == rows(tokenizer, "two dogs, äöü")
    assert there_and_back(tokenizer, ["Two Dogs"])[0].islower()
    assert rows(make(kind), "Two") != rows(make(kind), "two")


@pytest.mark.parametrize("kind", KINDS)
def test_many_texts_at_once(kind: str) -> None:
    tokenizer = make(kind)
    texts = ["", *SENTENCES, "x"] * 40  # more than one batch
    values, splits = tokenizer.encode_all(texts)
    assert (values.dtype, splits.dtype) == (np.int32, np.int64)
    found = [values[a:b].tolist() for a, b in pairwise(splits)]
    assert found == rows(tokenizer, *texts)


@pytest.mark.parametrize("kind", ["subword", "bpe"])
def test_same_texts_same_bytes(kind: str) -> None:
    config = make(kind).config
    again, _ = SubwordTokenizer.learn([SENTENCES], config)
    other, _ = SubwordTokenizer.learn([[*SENTENCES, "Another sofa."]], config)
    assert again.model == make(kind).model != other.model  # type: ignore[attr-defined]
    assert b".tsv" not in again.model


@pytest.mark.parametrize("kind", ["subword", "bpe"])
def test_a_vocabulary_is_as_large_as_the_texts_support(kind: str, caplog) -> None:
    def told() -> list[str]:
        """TensorFlow may also warn, of functions that it traces for each tokenizer."""
        return [one.getMessage() for one in caplog.records if one.name == "textapps"]

    largest = make(kind, vocabulary_size=9_000)
    [message] = told()
    most = largest.vocabulary_size
    assert SIZES[kind] < most < 9_000
    assert message == (
        f"the training texts support {most:,} subwords, fewer than preprocessor.vocabulary_size "
        "9,000"
    )
    caplog.clear()
    assert make(kind, vocabulary_size=most).vocabulary_size == most
    assert not told()
    assert make(kind, vocabulary_size=most + 1).vocabulary_size == most
    assert len(told()) == 1


def test_a_vocabulary_too_small_names_the_smallest() -> None:
    with pytest.raises(ConfigurationError, match=r"vocabulary_size 9 is too small.* at least \d+"):
        make("subword", vocabulary_size=9)


@pytest.mark.parametrize(("kind", "texts"), list(product(KINDS, [(), ("", " \n")])))
def test_nothing_to_learn_from(kind: str, texts: tuple[str, ...]) -> None:
    with pytest.raises(
        DataError, match=r"the training texts are empty: there are no \w+s to learn"
    ):
        make(kind, texts)


@pytest.mark.parametrize("options", [{}, {"sampling_size": 7}, {"model": "bpe"}])
def test_sampled_cuts_follow_from_their_seed(options: dict[str, Any]) -> None:
    kind = "bpe" if options else "subword"
    tokenizer = make(
        "subword", vocabulary_size=SIZES[kind], sampling_alpha=0.3, max_tokens=30, **options
    )
    sample = tokenizer.sampler(SENTENCES)
    assert sample is not None
    places = np.array([3, 1, 0])
    drawn = {seed: [ids.tolist() for ids in sample(places, seed)] for seed in range(9)}
    assert all(drawn[seed] == [ids.tolist() for ids in sample(places, seed)] for seed in drawn)
    assert len({str(cuts) for cuts in drawn.values()}) > 3
    for cuts in drawn.values():
        for place, ids in zip(places, cuts, strict=True):
            assert len(ids) <= 30
            assert SENTENCES[place].startswith(back(tokenizer, [ids])[0])
    assert rows(tokenizer, *SENTENCES) == rows(tokenizer, *SENTENCES)  # no sampling in the graph


def test_sampled_cuts_are_the_same_in_every_thread() -> None:
    """TensorFlow asks for batches from whichever of its threads is free."""
    sample = make("subword", sampling_alpha=0.3).sampler(SENTENCES)
    assert sample is not None
    places = np.arange(len(SENTENCES))

    def draw(seed: int) -> list[list[int]]:
        return [ids.tolist() for ids in sample(places, seed)]

    expected = {seed: draw(seed) for seed in (5, 7)}
    with ThreadPoolExecutor(3) as threads:
        for seed, drawn in zip([5, 7] * 20, threads.map(draw, [5, 7] * 20), strict=True):
            assert drawn == expected[seed]


@pytest.mark.parametrize("kind", KINDS)
def test_no_sampling_unless_asked_for(kind: str) -> None:
    assert make(kind).sampler(SENTENCES) is None


@pytest.mark.parametrize(
    "values",
    [
        {"tokens": "words"},
        {"vocabulary_size": 7},
        {"sampling_alpha": 1.5},
        {"sampling_alpha": 0.1, "tokens": "word"},
        {"sampling_size": 5},
        {"sampling_size": 5, "sampling_alpha": 0.1, "model": "bpe"},
        {"max_tokens": 0},
    ],
)
def test_refuses_what_cannot_be(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SubwordConfig.model_validate(values)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_goes_into_a_saved_model(kind: str, tmp_path: Path) -> None:
    from textapps.exporting.archive import Endpoint, write_saved_model

    tokenizer = make(kind)

    def echo(text: Any) -> dict[str, Any]:
        ids = tokenizer.encode(text).to_tensor(PAD)
        return {"text": tokenizer.decode(ids), "ids": ids}

    endpoint = Endpoint(echo, [tf.TensorSpec([None], tf.string, "text")])
    write_saved_model(tmp_path / "m", {"serving_default": endpoint}, tokenizer.resources)
    loaded = tf.saved_model.load(str(tmp_path / "m")).signatures["serving_default"]
    texts = tf.constant(["", "Two dogs, \tBall 😀", *SENTENCES])
    answer, expected = loaded(text=texts), echo(texts)
    assert answer["text"].numpy().tolist() == expected["text"].numpy().tolist()
    assert answer["ids"].numpy().tolist() == expected["ids"].numpy().tolist()
