import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from textapps.evaluation.ngrams import NgramIndex

WORDS = r"\w+|[^\w\s]"
texts = st.lists(st.text("abc A!\n", max_size=12), min_size=1, max_size=7)


@given(texts, texts, st.integers(1, 3), st.integers(1, 3))
def test_holds_what_scikit_learn_counts(learnt, others, orders, min_texts):
    """The same columns, up to their order, on the learnt texts and on new ones."""
    index = NgramIndex(WORDS, orders=orders, min_texts=min_texts)
    ours, new = index.learn(learnt).toarray(), index.matrix(others).toarray()
    oracle = CountVectorizer(
        binary=True, ngram_range=(1, orders), token_pattern=WORDS, min_df=min_texts
    )
    try:
        theirs = oracle.fit_transform(learnt).toarray()
    except ValueError:  # scikit-learn refuses an empty vocabulary
        assert ours.shape == (len(learnt), 0)
        assert new.shape == (len(others), 0)
        return
    both = np.vstack([ours, new])
    expected = np.vstack([theirs, oracle.transform(others).toarray()])
    assert both.shape == expected.shape
    assert sorted(map(tuple, both.T)) == sorted(map(tuple, expected.T))


def test_no_ngram_crosses_from_one_text_to_the_next():
    index = NgramIndex(WORDS, orders=2, min_texts=1)
    index.learn(["a b", "c d"])
    assert index.matrix(["b c"]).toarray().sum() == 2  # the words, not the pair


def test_learning_again_forgets():
    index = NgramIndex(WORDS, min_texts=1)
    index.learn(["old words here"])
    assert index.learn(["new"]).shape == (1, 1)
    assert index.matrix(["old"]).nnz == 0


@pytest.mark.parametrize("nothing", [[], ["", "  "]])
def test_no_tokens_give_an_empty_matrix(nothing):
    assert NgramIndex(WORDS).learn(nothing).shape == (len(nothing), 0)
