"""Evaluating a generator on a split, and n-grams beside it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textapps.core.errors import DataError
from textapps.datasets.corpus.examples import Corpus
from textapps.decoding.config import DecodingConfig
from textapps.evaluation.baselines.ngram_model import NgramModel
from textapps.evaluation.metrics.language import language_metrics, paired_gain
from textapps.evaluation.metrics.text_metrics import Samples, text_metrics
from textapps.preprocessing.characters import CharacterPreprocessor
from textapps.tasks.evaluation import costs, summarize
from textapps.tasks.generate.config import GenerateConfig
from textapps.tasks.generate.data import COUNTED, encode_from_start, load
from textapps.tasks.generate.predictor import TextGenerator
from textapps.tasks.task import Evaluation
from textapps.training.evaluations import Summary, write_evaluation

TEMPERATURES = (0.5, 0.8, 1.0)
SAMPLES = 4  # of each temperature
LENGTH = 500  # characters of a sample


class Baseline(NamedTuple):
    """The surprise of n-gram models on the same text, float32[orders, characters].

    `order` is the best one on the validation text; `summary` has its figures.
    """

    nats: NDArray[np.float32]
    order: int
    summary: Summary


@dataclass(frozen=True, kw_only=True)
class GenerateEvaluation(Evaluation[Corpus]):
    """A text, the surprise at each character of it, float32[characters], and the figures.

    `samples` are texts by the generator, `real` pieces of the evaluated text.
    """

    nats: NDArray[np.float32]
    baseline: Baseline
    samples: tuple[Samples, ...]
    real: Samples

    @property
    def remarks(self) -> tuple[str, ...]:
        """How the n-grams do on the same text."""
        nats = self.baseline.summary["metrics"]["nats_per_character"]
        gain = self.summary["metrics"]["gain_over_ngrams"]
        told = "worse" if gain < 0 else "better"
        order = f"n-grams up to {self.baseline.order}"
        return (f"{order:<20}{nats:.4f}   the model is {told} by {abs(gain):.4f}",)


def evaluate(generator: TextGenerator, corpus: Corpus, split: str) -> GenerateEvaluation:
    """Evaluates a generator on the text of a split, and n-grams beside it.

    Raises:
        DataError: the training data of the run are missing.
    """
    try:
        training, validation = load(generator.config, ("train", "validation"))
    except DataError as error:
        raise DataError(
            f"the n-grams to compare with are counted in the text that {generator.run.name} was "
            f"trained on: {error}; `textapps generate score` gives the nats of any text without it"
        ) from None
    nats = generator.nats(corpus.text)
    baseline = _fit_baseline(generator, training, validation, corpus, split)
    best = baseline.nats[baseline.order - 1]
    gain = paired_gain(nats, best)
    metrics = {
        **language_metrics(nats),
        "gain_over_ngrams": gain.difference,
        "gain_over_ngrams_low": gain.low,
        "gain_over_ngrams_high": gain.high,
        **costs(generator),
    }
    samples = tuple(_samples(generator, each, training.text) for each in TEMPERATURES)
    pieces = _pieces(corpus.text)
    real = Samples("the text evaluated", pieces, text_metrics(pieces, training.text))
    fingerprint = np.array(corpus.fingerprint)
    write_evaluation(generator.run, baseline.summary, "-baseline", nats=best, sha256=fingerprint)
    return GenerateEvaluation(
        examples=corpus,
        summary=summarize(generator.run, corpus, split, metrics),
        arrays={"nats": nats},
        details={
            "-samples": [
                {"name": each.name, **each.figures._asdict(), "texts": each.texts}
                for each in (*samples, real)
            ]
        },
        nats=nats,
        baseline=baseline,
        samples=samples,
        real=real,
    )


def classical(config: GenerateConfig, train: Corpus, corpus: Corpus) -> Mapping[str, float]:
    """The figures of the best n-gram model on a text, fitted to another one."""
    preprocessor = CharacterPreprocessor.from_text(train.text, config.preprocessor, None)
    ids = preprocessor.encode(train.text[:COUNTED])
    model = NgramModel().fit(ids, len(preprocessor.vocabulary))
    nats = model.by_order(encode_from_start(preprocessor, corpus.text))[:, 1:]
    return language_metrics(nats[int(nats.mean(axis=1).argmin())])


def _fit_baseline(
    generator: TextGenerator, training: Corpus, validation: Corpus, corpus: Corpus, split: str
) -> Baseline:
    began_at = time.perf_counter()
    preprocessor = generator.preprocessor
    ids = preprocessor.encode(training.text[:COUNTED])
    model = NgramModel().fit(ids, len(preprocessor.vocabulary))

    def by_order(text: str) -> NDArray[np.float32]:
        return model.by_order(encode_from_start(preprocessor, text))[:, 1:]

    order = int(by_order(validation.text).mean(axis=1).argmin()) + 1
    nats = by_order(corpus.text)
    seconds = time.perf_counter() - began_at
    metrics = {**language_metrics(nats[order - 1]), "order": order, "seconds": seconds}
    summary = summarize(generator.run, corpus, split, metrics)
    summary["orders"] = {n: float(row.mean(dtype=np.float64)) for n, row in enumerate(nats, 1)}
    return Baseline(nats, order, summary)


def _samples(generator: TextGenerator, temperature: float, training: str) -> Samples:
    options = DecodingConfig(length=LENGTH, temperature=temperature).model_dump()
    texts = generator.generate([""] * SAMPLES, **options)
    return Samples(f"temperature {temperature}", texts, text_metrics(texts, training))


def _pieces(text: str) -> list[str]:
    """Pieces of the text, as many and as long as the samples; they overlap in a short text."""
    last = max(0, len(text) - LENGTH)
    return [text[start : start + LENGTH] for start in np.linspace(0, last, SAMPLES, dtype=int)]
