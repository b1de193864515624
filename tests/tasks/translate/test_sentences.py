"""A text of several sentences is translated sentence by sentence, on every path."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.tasks.translate.test_contract import Make
from textapps.decoding.hypotheses import IMPOSSIBLE
from textapps.savedmodel.loading import load_saved_model
from textapps.tasks import lifecycle
from textapps.tasks.registry import get_task
from textapps.tasks.translate import search

PARTS = ("Bab dek.", "Gin kos nep?", "Nep dek bab gin.")
KIND = "gru"


def test_joined_and_in_their_lines(trained: Make) -> None:
    translator = trained("translate", KIND)
    one, two, three = translator.predict(PARTS)
    assert len({one.translation, two.translation, three.translation, ""}) == 4
    text = f"{PARTS[0]} {PARTS[1]}\r\n \n{PARTS[2]}"
    joined, blank = translator.predict([text, "\n"])
    expected = f"{one.translation} {two.translation}\n\n{three.translation}"
    assert joined.translation == expected
    assert joined.score == pytest.approx((one.score + two.score + three.score) / 3, rel=1e-4)
    assert blank.translation == ""
    (whole,) = translator.predict([text], split_sentences=False)
    assert whole.translation != expected
    assert "\n" not in whole.translation


def test_the_best_ones(trained: Make) -> None:
    translator = trained("translate", KIND)
    several = [translator.n_best([part], n_best=3) for part in PARTS[:2]]
    (joined,) = translator.n_best([" ".join(PARTS[:2])], n_best=3)
    for rank, found in enumerate(joined):
        parts = [each[0][rank] for each in several]
        assert found.translation == " ".join(part.translation for part in parts)
        assert found.score == pytest.approx(sum(part.score for part in parts) / 2, rel=1e-4)
    assert len(translator.n_best([" \n "], n_best=3)[0]) == 1


def test_a_sentence_with_fewer_gives_its_last_again() -> None:
    translations = tf.constant([["a", "b", "c"], ["d", "", ""], ["e", "", ""]])
    scores = tf.constant(
        [[-1.0, -2, -3], [-4, IMPOSSIBLE, IMPOSSIBLE], [-5, IMPOSSIBLE, IMPOSSIBLE]]
    )
    texts, numbers = search._filled(translations, scores, tf.constant([0, 0, 1]), 2)
    assert texts.numpy().tolist() == [[b"a", b"b", b"c"], [b"d"] * 3, [b"e", b"", b""]]
    assert numbers.numpy().tolist() == [[-1, -2, -3], [-4] * 3, [-5, IMPOSSIBLE, IMPOSSIBLE]]


def test_many_sentences_a_few_at_a_time(trained: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    translator = trained("translate", KIND)
    expected = [one.translation for one in translator.predict(PARTS)]
    monkeypatch.setattr(search, "AT_ONCE", 4)
    again = lifecycle.load(get_task("translate"), translator.run)
    found = again.predict([" ".join(PARTS * 5), *PARTS, ""])
    assert [one.translation for one in found] == [" ".join(expected * 5), *expected, ""]


def test_drawn_answers_of_a_text(trained: Make) -> None:
    translator = trained("translate", KIND)
    text = " ".join([PARTS[0]] * 3)
    (one,) = translator.predict([text], 7, temperature=3.0)
    _, again = translator.predict(["gin.", text], 6, temperature=3.0)
    assert again.translation == one.translation
    (alone,) = translator.predict([PARTS[0]], 7, temperature=3.0)
    assert one.translation.startswith(alone.translation)
    assert one.translation != " ".join([alone.translation] * 3)


def test_the_export_answers_as_the_run_does(untrained: Make, exported: Callable[..., Path]) -> None:
    texts = [" ".join(PARTS), f"{PARTS[0]}\n\n{PARTS[1]}", "", "gin"]
    saved = load_saved_model(exported("translate", KIND))
    outputs = saved.signatures["serving_default"](source=tf.constant(texts))
    for text, found, score in zip(
        texts, *(outputs[name].numpy() for name in ("translation", "score")), strict=True
    ):
        (expected,) = untrained("translate", KIND).predict([text])
        assert found.decode() == expected.translation
        assert score == pytest.approx(expected.score, abs=1e-4)


def test_a_run_of_an_earlier_version_keeps_texts_whole(
    untrained: Make, copied: Callable[[Any], Any]
) -> None:
    run = copied(untrained("translate", KIND)).run
    config = (run.path / "config.toml").read_text(encoding="utf-8")
    assert "split_sentences = true\n" in config
    run.write_text("config.toml", config.replace("split_sentences = true\n", ""))
    assert not lifecycle.load_config(get_task("translate"), run).decoding.split_sentences


def test_many_are_translated_at_a_time_as_each_is_alone(untrained: Callable[..., Any]) -> None:
    """In batches of several threads."""
    translator = untrained("translate", "gru")
    texts = [f"{'bab dek ' * (number % 5)}kos {number}." for number in range(45)]
    found = translator.predict(texts)
    alone = [translator.predict([text])[0] for text in texts]
    assert [each.translation for each in found] == [each.translation for each in alone]
    np.testing.assert_allclose(
        [each.score for each in found], [each.score for each in alone], atol=1e-4
    )
