"""How good a translator is on a split, as files of its run.

evaluations/<data>-<split>.json holds the figures and -answers.json beside it source, reference and
answer of every sentence.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from textapps.datasets.config import PairsConfig
from textapps.datasets.pairs.pairs import Pairs, load_pairs
from textapps.evaluation.metrics.translation import (
    ScoredTranslations,
    bleu_tokenizer,
    translation_metrics,
)
from textapps.evaluation.reports.translation import AttentionMap, SearchResult
from textapps.training.checkpoint import CheckpointStore
from textapps.training.evaluations import evaluation_path, write_evaluation

if TYPE_CHECKING:
    from textapps.tasks.translate.task import Translator

METRICS = "metrics.json"
MAPS = 4  # sentences whose attention is shown,
MAPPED_WORDS = range(6, 13)  # of so many words


@dataclass(frozen=True)
class Evaluation:
    """Sentences, their answers beside the references, and the figures.

    `summary` is what `--json` prints: task, run, data, split, examples, metrics. `searches` are
    ways of decoding, the one that was asked for first. `default` says that this is the test split
    of the run's own data as the run translates, which metrics.json and report.html are of.
    """

    pairs: Pairs
    scored: ScoredTranslations
    summary: dict[str, Any]
    searches: tuple[SearchResult, ...]
    maps: tuple[AttentionMap, ...]
    default: bool = False


def evaluate(
    translator: "Translator",
    data: PairsConfig | None = None,
    split: str = "test",
    **search: Any,
) -> Evaluation:
    """Evaluates a translator on a split of `data`, by default that of its training.

    Args:
        search: options of the [decoding] section, by default as in the run's configuration.

    Raises:
        DataError: data that are missing or wrong.
    """
    run = translator.run
    (pairs,) = load_pairs(data or translator.config.data, (split,))
    asked = _search(translator, pairs, search)
    searches = [asked]
    if asked.name != "greedy":
        searches.append(_search(translator, pairs, {"beam": 1, "temperature": 0.0}))
    state = CheckpointStore(run.checkpoints).newest_state()
    metrics: dict[str, float] = {
        **translation_metrics(asked.scored),
        "seconds": state.seconds if state else 0.0,
        "parameters": translator.model.count_params(),
    }
    summary = {
        "task": run.task,
        "run": run.name,
        "data": pairs.name,
        "split": split,
        "examples": len(pairs.sources),
        "metrics": metrics,
    }
    evaluation = Evaluation(
        pairs,
        asked.scored,
        summary,
        tuple(searches),
        attention_maps(translator, pairs.sources),
        default=data is None and split == "test" and not search,
    )
    _store(evaluation, translator)
    return evaluation


def attention_maps(translator: "Translator", sources: Sequence[str]) -> tuple[AttentionMap, ...]:
    """Where answers to the first sentences of a fitting length looked; () without attention."""
    chosen = [text for text in sources if len(text.split()) in MAPPED_WORDS][:MAPS]
    maps = (translator.attention(text) for text in chosen)
    return tuple(each for each in maps if each is not None)


def _search(translator: "Translator", pairs: Pairs, options: dict[str, Any]) -> SearchResult:
    config = translator.config.decoding.model_copy(update=options)
    translator.predict(pairs.sources[:2], **options)  # so that building the graph does not count
    began_at = time.perf_counter()
    answers = [answer.translation for answer in translator.predict(pairs.sources, **options)]
    seconds = time.perf_counter() - began_at
    name = f"beam of {config.beam}" if config.beam > 1 else "greedy"
    if config.temperature:
        name = f"drawn at temperature {config.temperature:g}"
    return SearchResult(
        name, ScoredTranslations(answers, pairs.targets, bleu_tokenizer(pairs.targets)), seconds
    )


def _store(evaluation: Evaluation, translator: "Translator") -> None:
    run, summary, pairs = translator.run, evaluation.summary, evaluation.pairs
    scored = evaluation.scored
    write_evaluation(
        run,
        summary,
        sentence_chrf=np.asarray(scored.sentence_chrf, np.float32),
        sha256=np.array(pairs.fingerprint),
    )
    path = evaluation_path(run, summary, "-answers").with_suffix(".json")
    rows = zip(pairs.sources, pairs.targets, scored.answers, strict=True)
    answers = [{"source": a, "reference": b, "answer": c} for a, b, c in rows]
    run.write_json(str(path.relative_to(run.path)), answers)
    if evaluation.default:
        run.write_json(METRICS, summary)
