"""The pieces of source and translation, and the attention between them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.tasks.tiny import each_kind
from tests.tasks.toy_language import sentences
from textapps.core.tokens import BOS, EOS
from textapps.preprocessing.tokenizer import END
from textapps.tasks.translate.why import source_gradients

Make = Callable[[str, str], Any]


def explained(translator: Any, sources: list[str], translations: list[str]) -> list[Any]:
    """Source pieces, target pieces and attention of each pair, without padding."""
    found = translator.alignment(tf.constant(sources), tf.constant(translations))
    rows = zip(*(found[name].numpy() for name in found), strict=True)
    cut = []
    for source, target, attention in rows:
        names = [[piece.decode() for piece in row if piece] for row in (source, target)]
        shape = len(names[1]), len(names[0])
        assert not attention[shape[0] :].any()
        assert not attention[:, shape[1] :].any()
        cut.append((*names, attention[: shape[0], : shape[1]]))
    return cut


def text_of(pieces: list[str]) -> str:
    return "".join(piece for piece in pieces if piece != END).strip()


@each_kind
def test_pieces_are_the_texts_and_attention_is_that_of_the_decoder(
    untrained: Make, kind: str
) -> None:
    translator = untrained("translate", kind)
    long, short = sorted(sentences(6, seed=5), key=len)[::-5]
    best = [answer.translation for answer in translator.predict([short, long])]
    found = explained(translator, [short, long, ""], ["", best[0], ""])
    assert [text_of(source) for source, *_ in found[:2]] == [short, long]
    assert [text_of(target) for _, target, _ in found[:2]] == [best[0], best[0]]
    assert found[2][:2] == ([], [])
    for source, target, attention in found[:2]:
        assert source[-1] == target[-1] == END
        np.testing.assert_allclose(attention.sum(axis=1), 1, atol=1e-5)
    # Each pair alone and without padding, as the report draws it.
    tokenizers = translator.preprocessor
    ids, _ = translator.search.encoded(tf.constant([long]))
    target, _ = tokenizers.encode_target(tf.constant([best[0]]))
    alone = translator.model.attention_weights(ids, target.to_tensor())
    np.testing.assert_allclose(found[1][2], alone[0], atol=1e-5)


def test_a_sentence_attends_to_its_own_source(untrained: Make) -> None:
    translator = untrained("translate", "transformer")
    assert translator.config.decoding.split_sentences
    first, second = "Bab dek.", "Gin kos bab."
    both, other = f"{first} {second}", "Xa bo. Xe."
    alone = explained(translator, [first, second], ["Xa bo.", "Xe."])
    apart, whole = explained(translator, [both, both], [other, "Xa bo Xe"])
    source, target, attention = apart
    assert source == alone[0][0] + alone[1][0]
    assert target == alone[0][1] + alone[1][1]
    rows, columns = alone[0][2].shape
    np.testing.assert_allclose(attention[:rows, :columns], alone[0][2], atol=1e-5)
    np.testing.assert_allclose(attention[rows:, columns:], alone[1][2], atol=1e-5)
    assert not attention[:rows, columns:].any()
    assert not attention[rows:, :columns].any()
    # With another number of sentences both are one.
    assert [each.count(END) for each in whole[:2]] == [1, 1]


def test_numbers_stand_in_place_of_their_placeholders(untrained: Make) -> None:
    translator = untrained("translate", "lstm")
    assert translator.config.preprocessor.copy_numbers
    (found,) = explained(translator, ["At 10:30 b4 bab 7."], ["7 dek 8"])
    assert text_of(found[0]).count("10:30") == text_of(found[0]).count("b4") == 1
    assert [piece.strip() for piece in found[1] if piece.strip().isdigit()] == ["7", "8"]


@pytest.mark.parametrize("kind", ["gru", "transformer"])
def test_source_gradients_against_finite_differences(untrained: Make, kind: str) -> None:
    model = untrained("translate", kind).model
    source, target = np.array([[7, 9, 5, 8, EOS]], np.int32), np.array([6, 9, EOS], np.int32)
    found = source_gradients(model, source, target)
    assert found.shape == (3, 5)
    embedded = model.embed_source(source).numpy()
    step, units = 1e-2, embedded.shape[2]
    moves = step * np.eye(5 * units, dtype=np.float32).reshape(-1, 5, units)

    def known(x):
        """float32[moves, 5, units] → the logarithms of the probabilities, float32[moves, 3]."""
        rows = 3 * len(x)  # each position of the translation is a row
        memory = model.encode_embedded(np.repeat(x, 3, axis=0), np.ones((rows, 5), bool))
        given = np.tile([[BOS, 6, 9]], (rows, 1)).astype(np.int32)
        logits = model.logits_at(given, memory, np.tile(np.arange(3, dtype=np.int32), len(x)))
        wanted = tf.gather(tf.nn.log_softmax(logits), np.tile(target, len(x)), batch_dims=1)
        return wanted.numpy().reshape(-1, 3)

    slopes = (known(embedded + moves) - known(embedded - moves)) / (2 * step)
    expected = np.linalg.norm(slopes.reshape(5, units, 3), axis=1)
    np.testing.assert_allclose(found, expected.T, rtol=1e-2, atol=1e-3)
