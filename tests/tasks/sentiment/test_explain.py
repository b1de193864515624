"""Integrated gradients by word: against finite differences, sums by hand, and occlusion."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.quick import quick
from tests.tasks.tiny import LABELS, each_kind
from textapps.core.errors import ConfigurationError
from textapps.core.tokens import UNK
from textapps.interpret.integrated_gradients import log_odds
from textapps.tasks.sentiment import explain as module
from textapps.tasks.sentiment.explain import WordShares

Make = Callable[[str, str], Any]
TEXT = "The f\u00adilm was gre\u00adat, great<br/>fun: a great night of it"


def read(classifier: Any, embedded: Any, mask: Any, label: int) -> Any:
    """The log-odds of a label, on the path of the backbone alone."""
    logits = classifier.model.read(embedded, mask, training=False)
    return log_odds(logits, np.full(len(embedded), label, np.int32)).numpy()


@pytest.mark.slow
@pytest.mark.parametrize("kind", quick(["simple_rnn", "gru"], "gru"))
def test_shares_are_slopes_on_the_way_from_unknown_words(untrained: Make, kind: str) -> None:
    """Without n-grams: the path is followed by finite differences, word by word."""
    classifier = untrained("sentiment", kind)
    steps, width, small = 48, classifier.config.model.embedding_units, 1e-3
    ids = classifier.preprocessor(tf.constant([TEXT]))["ids"]
    embedded = classifier.model.embedding(ids).numpy()
    baseline = classifier.model.embedding(tf.fill(ids.shape, UNK)).numpy()
    share = ((np.arange(steps) + 0.5) / steps)[:, None, None].astype(np.float32)
    path = baseline + share * (embedded - baseline)
    mask = np.ones(path.shape[:2], bool)
    expected = np.zeros(ids.shape[1])
    for place in range(ids.shape[1]):
        way = np.zeros((1, ids.shape[1], width), np.float32)
        way[0, place] = (embedded - baseline)[0, place]
        ends = [read(classifier, path + sign * small * way, mask, 1) for sign in (1, -1)]
        expected[place] = np.mean((ends[0] - ends[1]) / (2 * small))
    (found,) = classifier.explain([TEXT], label=LABELS[1])
    # Not exact where the largest of some numbers changes within a difference.
    np.testing.assert_allclose([w.share for w in found.words], expected, rtol=2e-2, atol=8e-3)


@each_kind
def test_shares_sum_to_the_difference_of_log_odds(untrained: Make, kind: str) -> None:
    classifier = untrained("sentiment", kind)
    answer = classifier.predict([TEXT])[0]
    (found,) = classifier.explain([TEXT])
    assert found.label == answer.label
    total = sum(word.share for word in found.words)
    size = sum(abs(word.share) for word in found.words)
    assert found.completeness_error == pytest.approx(abs(total - found.difference), abs=1e-5)
    assert found.completeness_error <= 0.02 * size
    shown = [TEXT[word.begin : word.end].replace("\u00ad", "").lower() for word in found.words]
    assert shown == [word.token for word in found.words]
    # The difference is that of the answers' own probabilities, less those of unknown words.
    odds = np.log(answer.probability / (1 - answer.probability))
    if classifier.model.ngram_path is None:
        unknown = " ".join(["xyzzy"] * len(found.words))
        (p,) = classifier.scores([unknown])[:, LABELS.index(answer.label)]
        assert found.difference == pytest.approx(odds - np.log(p / (1 - p)), abs=1e-3)


def test_an_ngram_belongs_to_its_words_in_equal_parts(untrained: Make) -> None:
    """The path through the n-grams alone, in Python."""
    classifier = untrained("sentiment", "lstm")
    ngrams, path = classifier.preprocessor.ngrams, classifier.model.ngram_path
    ids = classifier.preprocessor(tf.constant([TEXT]))["ids"].numpy()[0]
    gradient = np.array([[0.3, -1.2, 0.9]], np.float32)
    terms = (path.ratio * path.weight).numpy() @ gradient[0]
    known = {key: place for place, key in enumerate(ngrams.keys.numpy().tolist(), 1)}
    size = ngrams.vocabulary_size
    spans = [(place,) for place in range(len(ids))]
    spans += [(place - 1, place) for place in range(1, len(ids))]
    keys = {span: sum(int(ids[p]) * size ** (span[-1] - p) for p in span) for span in spans}
    times = Counter(keys.values())
    expected = np.zeros(len(ids))
    for span, key in keys.items():
        for place in span:
            expected[place] += terms[known.get(key, 0)] / times[key] / len(span)
    found = module._of_ngrams(ids[None], gradient, ngrams, path)
    np.testing.assert_allclose(found[0], expected, atol=1e-5)
    # all that the n-grams add to the answer, each once
    logits = path(ngrams(ids[None])) - path.bias
    assert np.sum(found) == pytest.approx(float(np.sum(logits * gradient)), abs=1e-5)


def test_rows_padding_and_labels(untrained: Make) -> None:
    classifier = untrained("sentiment", "transformer")
    shares = WordShares(classifier.model, classifier.preprocessor, classifier.labels)
    texts, labels = [TEXT, "", "great"], [LABELS[2], "", LABELS[0]]
    together = shares(tf.constant(texts), tf.constant(labels))
    assert together["label"].numpy()[0].decode() == LABELS[2]
    lengths = [13, 0, 1]
    assert (together["tokens"] != b"").numpy().sum(axis=1).tolist() == lengths
    assert np.abs(together["difference"][1]) == together["completeness_error"][1] == 0
    for row, length in enumerate(lengths):
        assert not together["attributions"].numpy()[row, length:].any()
        alone = shares(tf.constant(texts[row : row + 1]), tf.constant(labels[row : row + 1]))
        np.testing.assert_allclose(
            together["attributions"][row, :length], alone["attributions"][0, :length], atol=2e-5
        )


def test_a_label_that_does_not_exist(untrained: Make) -> None:
    classifier = untrained("sentiment", "simple_rnn")
    with pytest.raises(ConfigurationError, match="unknown label 'fyne'"):
        classifier.explain([TEXT], label="fyne")
    with pytest.raises(tf.errors.InvalidArgumentError, match="label must be one of"):
        classifier.word_shares(tf.constant([TEXT]), tf.constant(["fyne"]))
    with pytest.raises(TypeError, match="write explain"):
        classifier.explain(TEXT)
