import re

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from textapps.preprocessing.sentences import join_sentences, split_sentences

_SPLIT = tf.function(
    split_sentences, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False
)


def split(text: str) -> list[list[str]]:
    """The sentences of each line."""
    (lines,) = _SPLIT(tf.constant([text])).to_list()
    return [[sentence.decode() for sentence in line] for line in lines]


@pytest.mark.parametrize(
    "marked",  # | stands between sentences
    [
        "A man is sleeping.|A woman is running.|Two dogs play in the snow.",
        "Stop!|Who is it?|It is me…|I know.|¿Quién es?|¡Soy yo!|Élise est là.",
        "Really?!|Yes.|(It is.)|He left.|[A note.]|3 men came.",
        # abbreviations, initials, numbers
        "Dr. Smith met Mrs. J. R. R. Jones vs. Prof. Lee.|They left.",
        "She lives in the U.S. Army base.|At 10 a.m. He woke.",
        "Das ist z.B. Herr Hr. Müller, d.h. Nr. 5 von uns.|Er geht.",
        "Am 3. Oktober ist es z. B. kalt.|Im Jahr 2010.|Es war warm.",
        "See Fig. 3 and No. 7, p. 12 and vol. 2 of it.|No.|It is not.",
        "It costs 1,234.56 or 3.5 at 10:45.|Good.",
        "It is version 2.0.1 of example.com.|New.",
        "We saw apples, pears etc. and left.|We saw pears etc.|Then we left.",
        "She is taller than I.|He is not.|I. M. Pei built it.",
        "El Sr. García y la Sra. López.|Vd. lo sabe.",
        "M. Dupont est là.|Mme. Curie aussi.",
        # quotations
        '"Why?" Tom asked.|He said "no."|"Go!"|"Why?" Then he went.',
        "Il dit : « Bonjour. »|Elle part.|« Oui ! » Il rit.",
        "„Halt!“ rief er.|„Nein.“|„Doch.“",
        "Well...|I do not know... really.",
        # no space between sentences, and no case
        "他来了。|她走了！|为什么？|好。",
        "「行く。」と言った。|「いいえ。」|「はい。」",
        "वह सो रहा है।|वह जाग रही है।|अच्छा।",
        "هل أنت هنا؟|نعم.|هو هنا.",
        "כלב רץ.|ילדה קופצת.",
        "그는 잔다.|네.|좋아요.",
        # one sentence
        "",
        "...",
        "Zwxqvj Obama met people",
        "e.g. this one",
        "What is it? he asked. and so on.",
    ],
)
def test_sentences(marked: str) -> None:
    text = re.sub(r"(?<![。！？」])\|", " ", marked).replace("|", "")
    assert split(text) == [marked.split("|")]


def test_lines_are_kept() -> None:
    assert split("One. Two.\n\nThree.\r\n Four \u2028\x0b\x85 five\r") == [
        ["One.", "Two."],
        [""],
        ["Three."],
        [" Four \u2028\x0b\x85 five"],
        [""],
    ]


@given(st.text(st.sampled_from("AaI1 .。!?…\"”»('\n\r\x00\x01\x02é中-"), max_size=20))
def test_nothing_but_white_space_is_lost(text: str) -> None:
    found = "".join(sentence for line in split(text) for sentence in line)
    blanks = r"[\s\x00-\x02]+"
    assert re.sub(blanks, "", found) == re.sub(blanks, "", text)
    assert len(split(text)) == len(re.sub("\r\n?", "\n", text).split("\n"))


def test_joined_as_they_were_split() -> None:
    texts = ["One. Two.\n\nThree.", "", "他来了。她走了！", "Four", "\n\n\nFive.\n"]
    sentences = _SPLIT(tf.constant(texts))
    flat = sentences.flat_values
    joined = join_sentences(sentences, tf.stack([flat, flat + "!"], axis=1)).numpy()
    assert [text.decode() for text in joined[:, 0]] == texts
    assert joined[0, 1].decode() == "One.! Two.!\n!\nThree.!"
    blank = _SPLIT(tf.constant(["\n \n"]))
    assert join_sentences(blank, blank.flat_values[:, None]).numpy().tolist() == [[b""]]
    nothing = _SPLIT(tf.constant([], tf.string))
    assert join_sentences(nothing, tf.zeros([0, 2], tf.string)).shape == (0, 2)
