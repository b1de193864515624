"""Evaluating a translator on a split."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from textapps.core.notices import muted
from textapps.datasets.pairs.examples import Pairs
from textapps.decoding.config import SearchConfig
from textapps.evaluation.metrics.translation import (
    AttentionMap,
    ScoredTranslations,
    SearchResult,
    bleu_tokenizer,
    translation_metrics,
)
from textapps.preprocessing.text import in_form
from textapps.tasks.evaluation import costs, summarize
from textapps.tasks.task import Evaluation
from textapps.tasks.translate.predictor import Translator

RIGHT_LENGTH = (0.9, 1.1)  # translation tokens per reference token
MAPS = 4  # sentences whose attention is shown
MAPPED_WORDS = range(6, 13)  # the lengths of these sentences


@dataclass(frozen=True, kw_only=True)
class TranslateEvaluation(Evaluation[Pairs]):
    """Sentences, their answers beside the references, and the figures.

    `searches` are the ways of decoding; that of the configuration comes first. `advice` says what
    to do about the length of the translations, "" for nothing.
    """

    scored: ScoredTranslations
    searches: tuple[SearchResult, ...]
    maps: tuple[AttentionMap, ...]
    advice: str

    @property
    def remarks(self) -> tuple[str, ...]:
        """The advice, if there is one."""
        return (self.advice,) if self.advice else ()


def evaluate(translator: Translator, pairs: Pairs, split: str) -> TranslateEvaluation:
    """Evaluates a translator on the pairs of a split, also with greedy decoding."""
    own = _search(translator, pairs)
    searches = [own]
    if own.name != "greedy":
        greedy = translator.configured({"decoding.beam": 1, "decoding.temperature": 0.0})
        with muted():  # what is to be said of the texts was said by the first search
            searches.append(_search(greedy, pairs))
    metrics = {**translation_metrics(own.scored), **costs(translator)}
    rows = zip(pairs.sources, pairs.targets, own.scored.answers, strict=True)
    figures = {
        search.name: {
            **search.scored.figures(),
            "length_ratio": search.scored.length_ratio(),
            "seconds": search.seconds,
        }
        for search in searches
    }
    return TranslateEvaluation(
        examples=pairs,
        summary=summarize(translator.run, pairs, split, metrics),
        arrays={"sentence_chrf": np.asarray(own.scored.sentence_chrf, np.float32)},
        details={
            "-answers": [{"source": a, "reference": b, "answer": c} for a, b, c in rows],
            "-searches": {"signatures": own.scored.signatures, "searches": figures},
        },
        scored=own.scored,
        searches=tuple(searches),
        maps=attention_maps(translator, pairs.sources),
        advice=length_advice(own.scored.length_ratio(), translator.config.decoding),
    )


def length_advice(ratio: float, decoding: SearchConfig) -> str:
    """What to do if translations are shorter or longer than references; "" if they are not.

    >>> length_advice(0.84, SearchConfig(length_penalty=0.6))
    'length ratio 0.840: translations are shorter than references; try --length-penalty above 0.6'
    >>> length_advice(0.98, SearchConfig())
    ''
    """
    if RIGHT_LENGTH[0] <= ratio <= RIGHT_LENGTH[1]:
        return ""
    said = "shorter" if ratio < 1 else "longer"
    found = f"length ratio {ratio:.3f}: translations are {said} than references"
    if decoding.beam == 1 or decoding.temperature:
        return f"{found}; beam search (--beam 5) with a --length-penalty may help"
    if ratio > 1 and not decoding.length_penalty:
        return f"{found}, although --length-penalty is 0"
    where = "above" if ratio < 1 else "below"
    return f"{found}; try --length-penalty {where} {decoding.length_penalty:g}"


def attention_maps(translator: Translator, sources: Sequence[str]) -> tuple[AttentionMap, ...]:
    """The attention for the first sentences of a suitable length; () without attention."""
    chosen = [text for text in sources if len(text.split()) in MAPPED_WORDS][:MAPS]
    maps = (translator.attention(text) for text in chosen)
    return tuple(each for each in maps if each is not None)


def _search(translator: Translator, pairs: Pairs) -> SearchResult:
    config = translator.config.decoding
    with muted():
        translator.predict(pairs.sources[:2])  # so that tracing the graph is not timed
    began_at = time.perf_counter()
    answers = [answer.translation for answer in translator.predict(pairs.sources)]
    seconds = time.perf_counter() - began_at
    name = f"beam of {config.beam}" if config.beam > 1 else "greedy"
    if config.temperature:
        name = f"drawn at temperature {config.temperature:g}"
    references = in_form(pairs.targets, translator.config.preprocessor.unicode)
    scored = ScoredTranslations(answers, references, bleu_tokenizer(references))
    return SearchResult(name, scored, seconds)
