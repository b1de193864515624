"""How good a generator is on a split, beside n-grams, as files of its run.

evaluations/<data>-<split>.json holds the figures, .npz beside it the surprise at each character;
the baseline's end in -baseline, and -samples.json holds texts of the generator and their figures.
"""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textapps.datasets.config import CorpusConfig
from textapps.datasets.corpus.corpus import Corpus, load_corpora, load_corpus
from textapps.decoding.config import DecodingConfig
from textapps.evaluation.baselines.ngram_model import NgramModel
from textapps.evaluation.metrics.language import language_metrics, paired_gain
from textapps.evaluation.metrics.text_metrics import text_metrics
from textapps.evaluation.reports.language import Samples
from textapps.tasks.generate.data import begun
from textapps.training.checkpoint import CheckpointStore
from textapps.training.evaluations import evaluation_path, write_evaluation
from textapps.training.run_directory import RunDirectory

if TYPE_CHECKING:
    from textapps.tasks.generate.task import TextGenerator

METRICS = "metrics.json"
TEMPERATURES = (0.5, 0.8, 1.0)
SAMPLES = 4  # of each temperature
LENGTH = 500  # characters of a sample
BASELINE_CHARACTERS = 10_000_000  # of the training text: more would take minutes and gigabytes


class Baseline(NamedTuple):
    """N-grams of each order on the same text, float32[orders, characters].

    `order` is the best on the validation text, which `summary`, as an evaluation's, is of.
    """

    nats: NDArray[np.float32]
    order: int
    summary: dict[str, Any]


@dataclass(frozen=True)
class Evaluation:
    """A text, the surprise at each character of it, float32[characters], and the figures.

    `summary` is what `--json` prints: task, run, data, split, examples, metrics. `samples` are
    texts of the generator, `real` pieces of the evaluated text. `default` says that this is the
    test split of the run's own data, which metrics.json and report.html are of.
    """

    corpus: Corpus
    nats: NDArray[np.float32]
    summary: dict[str, Any]
    baseline: Baseline
    samples: tuple[Samples, ...]
    real: Samples
    default: bool = False


def evaluate(
    generator: "TextGenerator", data: CorpusConfig | None = None, split: str = "test"
) -> Evaluation:
    """Evaluates a generator, beside n-grams, on a split of `data`, by default that of its training.

    The figures of the default test split also become metrics.json.

    Raises:
        DataError: data that are missing or wrong, those that the run was trained on among them.
    """
    run = generator.run
    corpus = load_corpus(data or generator.config.data, split)
    training, validation = load_corpora(generator.config.data, ("train", "validation"))
    nats = generator.nats(corpus.text)
    baseline = _fit_baseline(generator, training, validation, corpus, split)
    gain = paired_gain(nats, baseline.nats[baseline.order - 1])
    state = CheckpointStore(run.checkpoints).newest_state()
    summary = _summary(run, corpus, split, nats)
    summary["metrics"] |= {
        "gain_over_ngrams": gain.difference,
        "gain_over_ngrams_low": gain.low,
        "gain_over_ngrams_high": gain.high,
        "seconds": state.seconds if state else 0.0,
        "parameters": generator.model.count_params(),
    }
    samples = tuple(_samples(generator, each, training.text) for each in TEMPERATURES)
    pieces = _pieces(corpus.text)
    real = Samples("the text evaluated", pieces, text_metrics(pieces, training.text))
    evaluation = Evaluation(
        corpus,
        nats,
        summary,
        baseline,
        samples,
        real,
        default=data is None and split == "test",
    )
    _store(evaluation, run)
    return evaluation


def _fit_baseline(
    generator: "TextGenerator", training: Corpus, validation: Corpus, corpus: Corpus, split: str
) -> Baseline:
    began_at = time.perf_counter()
    encode, size = generator.preprocessor.encode, len(generator.preprocessor.vocabulary)
    model = NgramModel().fit(encode(training.text[:BASELINE_CHARACTERS]), size)

    def by_order(text: str) -> NDArray[np.float32]:
        return model.by_order(begun(encode(text), generator.preprocessor))[:, 1:]

    order = int(by_order(validation.text).mean(axis=1).argmin()) + 1
    nats = by_order(corpus.text)
    seconds = time.perf_counter() - began_at
    summary = _summary(generator.run, corpus, split, nats[order - 1])
    summary["metrics"] |= {"order": order, "seconds": seconds}
    summary["orders"] = {n: float(row.mean(dtype=np.float64)) for n, row in enumerate(nats, 1)}
    return Baseline(nats, order, summary)


def _samples(generator: "TextGenerator", temperature: float, training: str) -> Samples:
    options = DecodingConfig(length=LENGTH, temperature=temperature).model_dump()
    texts = generator.generate([""] * SAMPLES, **options)
    return Samples(f"temperature {temperature}", texts, text_metrics(texts, training))


def _pieces(text: str) -> list[str]:
    """As many and as long as the samples, spread over the text; they overlap in a short one."""
    last = max(0, len(text) - LENGTH)
    return [text[start : start + LENGTH] for start in np.linspace(0, last, SAMPLES, dtype=int)]


def _summary(
    run: RunDirectory, corpus: Corpus, split: str, nats: NDArray[np.float32]
) -> dict[str, Any]:
    return {
        "task": run.task,
        "run": run.name,
        "data": corpus.name,
        "split": split,
        "examples": len(corpus.text),
        "metrics": language_metrics(nats),
    }


def _store(evaluation: Evaluation, run: RunDirectory) -> None:
    summary, baseline = evaluation.summary, evaluation.baseline
    sha256 = np.array(evaluation.corpus.fingerprint)
    write_evaluation(run, summary, nats=evaluation.nats, sha256=sha256)
    best = baseline.nats[baseline.order - 1]
    write_evaluation(run, baseline.summary, "-baseline", nats=best, sha256=sha256)
    path = evaluation_path(run, summary, "-samples").with_suffix(".json")
    samples = [
        {"name": each.name, **each.figures._asdict(), "texts": each.texts}
        for each in (*evaluation.samples, evaluation.real)
    ]
    run.write_json(str(path.relative_to(run.path)), samples)
    if evaluation.default:
        run.write_json(METRICS, summary)
