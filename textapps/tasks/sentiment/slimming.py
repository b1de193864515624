"""A classifier with fewer n-grams, and with tables that take fewer bytes."""

import numpy as np

from textapps.preprocessing.ngrams import NgramIndex
from textapps.tasks.sentiment.featurizer import TextFeaturizer
from textapps.tasks.sentiment.model import SentimentModel
from textapps.tasks.sentiment.predictor import SentimentClassifier


def slimmed(classifier: SentimentClassifier, ngrams: int | None) -> SentimentClassifier:
    """The same classifier with the `ngrams` n-grams that change an answer most, None for all.

    Ratio and weight of the n-gram path become their product and 1. What is added to the logits of
    all classes changes no answer, so the column of the first class is subtracted from all: it is
    zero then, and takes no space in a compressed file.
    """
    path, known = classifier.model.ngram_path, classifier.preprocessor.ngrams
    if path is None or known is None:
        return classifier
    product = np.asarray(path.ratio) * np.asarray(path.weight)
    product -= product[:, :1]
    effect = np.ptp(product[1:], axis=1)
    most = len(effect) if ngrams is None else min(ngrams, len(effect))
    kept = np.sort(np.argsort(-effect, kind="stable")[:most])  # keys stay sorted
    index = NgramIndex(known.orders, known.vocabulary_size, known.keys.numpy()[kept])
    featurizer = TextFeaturizer(classifier.preprocessor.tokenizer, index)
    config, labels = classifier.config, classifier.labels
    model = SentimentModel(config, featurizer.vocabulary_size, len(labels), len(index))
    model.build()
    tables = {id(path.ratio): product[np.append(0, 1 + kept)]}
    tables[id(path.weight)] = np.ones((1 + most, len(labels)), np.float32)
    for new, old in zip(model.variables, classifier.model.variables, strict=True):
        new.assign(tables.get(id(old), old))
    return SentimentClassifier(classifier.run, config, featurizer, model, labels)
