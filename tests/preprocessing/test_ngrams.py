import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textapps.core.errors import ConfigurationError, RunError
from textapps.preprocessing.ngrams import NgramIndex

VOCABULARY = 7


def ragged(texts):
    splits = np.cumsum([0, *map(len, texts)])
    return np.array([i for text in texts for i in text], np.int32), splits.astype(np.int64)


def ngrams(text, orders):
    """The set of n-grams of a list of ids, by definition."""
    return {tuple(text[i : i + n]) for n in range(1, orders + 1) for i in range(len(text) - n + 1)}


def number(gram):
    return sum(token * VOCABULARY**power for power, token in enumerate(reversed(gram)))


texts_of_ids = st.lists(st.lists(st.integers(1, VOCABULARY - 1), max_size=9), max_size=5)


@given(texts_of_ids, st.integers(1, 3), st.integers(1, 2))
@settings(max_examples=12, deadline=None)
def test_the_features_are_the_frequent_ngrams_of_each_text(texts, orders, min_texts):
    ids, splits = ragged(texts)
    index = NgramIndex.learn(
        ids, splits, orders=orders, vocabulary_size=VOCABULARY, min_texts=min_texts
    )
    everywhere = [gram for text in texts for gram in ngrams(text, orders)]
    frequent = sorted(number(g) for g in set(everywhere) if everywhere.count(g) >= min_texts)
    assert index.keys.numpy().tolist() == (frequent or [0])
    features, ends = index.encode(ids, splits)
    for text, start, end in zip(texts, ends, ends[1:], strict=False):
        expected = {
            frequent.index(number(g)) + 1 for g in ngrams(text, orders) if number(g) in frequent
        }
        assert sorted(features[start:end].tolist()) == sorted(expected)


def test_at_most_so_many_ngrams_are_kept_those_of_the_most_texts():
    ids, splits = ragged([[2, 3], [2, 4], [2, 3], [5], [2, 5]])
    for most, kept in ((9, [2, 3, 4, 5]), (4, [2, 3, 4, 5]), (3, [2, 3, 5]), (2, [2]), (1, [2])):
        index = NgramIndex.learn(
            ids, splits, orders=1, vocabulary_size=VOCABULARY, min_texts=1, most=most
        )
        assert index.keys.numpy().tolist() == kept


def test_padding_and_neighbours_change_nothing():
    index = NgramIndex(2, VOCABULARY, [number(g) for g in [(2,), (3,), (2, 3)]])
    together = index(tf.constant([[2, 3, 2, 3], [3, 0, 0, 0], [5, 2, 0, 0]])).numpy()
    assert [sorted(set(row) - {0}) for row in together] == [[1, 2, 3], [2], [1]]
    assert sorted(index(tf.constant([[3]])).numpy()[0]) == [0, 2]


def test_saved_and_loaded_is_the_same(tmp_path):
    NgramIndex(3, VOCABULARY, [1, 5, 300]).save(tmp_path)
    loaded = NgramIndex.load(tmp_path, orders=3, vocabulary_size=VOCABULARY)
    assert loaded.keys.numpy().tolist() == [1, 5, 300]


def test_a_changed_file_is_refused_unless_it_is_of_an_older_version(tmp_path):
    NgramIndex(3, VOCABULARY, [1, 5, 300]).save(tmp_path)
    np.savez(tmp_path / "ngrams.npz", format=1, keys=np.array([2, 9], np.int64))
    with pytest.raises(RunError, match=r"ngrams\.npz is not what was written"):
        NgramIndex.load(tmp_path, orders=3, vocabulary_size=VOCABULARY)
    (tmp_path / "ngrams.json").unlink()
    assert len(NgramIndex.load(tmp_path, orders=3, vocabulary_size=VOCABULARY)) == 2


def test_what_cannot_be_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match=r"smaller model\.ngrams"):
        NgramIndex(4, 10**5, [1])
    with pytest.raises(RunError, match="cannot be read"):
        NgramIndex.load(tmp_path, orders=2, vocabulary_size=VOCABULARY)
    (tmp_path / "ngrams.npz").write_bytes(b"PK broken")
    with pytest.raises(RunError, match="cannot be read"):
        NgramIndex.load(tmp_path, orders=2, vocabulary_size=VOCABULARY)
    np.savez(tmp_path / "ngrams.npz", format=9, keys=np.zeros(1, np.int64))
    with pytest.raises(RunError, match="format 9, not 2"):
        NgramIndex.load(tmp_path, orders=2, vocabulary_size=VOCABULARY)
