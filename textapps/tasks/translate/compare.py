"""A translator's part of a comparison with others on the same sentences."""

import hashlib
import math
from collections.abc import Mapping, Sequence

import numpy as np

from textapps.datasets.pairs.examples import Pairs
from textapps.evaluation.metrics.differences import resamples_for
from textapps.evaluation.metrics.paired_bleu import paired_bleu
from textapps.evaluation.metrics.translation import (
    ScoredTranslations,
    bleu_tokenizer,
    translation_metrics,
)
from textapps.preprocessing.text import in_form
from textapps.tasks.answered import ASKED, Answered, Ask, KnownTests, spread
from textapps.tasks.translate.about import ABOUT
from textapps.tasks.translate.predictor import Translator


def answered(translator: Translator, pairs: Pairs) -> Answered:
    """The translator's answers to the sentences, by its own way of decoding."""
    form = translator.config.preprocessor.unicode
    references = in_form(pairs.targets, form)
    answers = [answer.translation for answer in translator.predict(pairs.sources)]
    scored = ScoredTranslations(answers, references, bleu_tokenizer(references))

    def item(row: int) -> Mapping[str, str]:
        return {
            "": f"sentence {row + 1:,}",
            "Source": pairs.sources[row],
            "Reference": pairs.targets[row],
        }

    return Answered(
        identity=_identity(pairs, references),
        metrics=translation_metrics(scored),
        scored=scored,
        merit=np.asarray(scored.sentence_chrf),
        exact=False,
        noun="sentence",
        item=item,
        told=lambda row: f"{answers[row] or '(empty)'} (chrF {scored.sentence_chrf[row]:.1f})",
        ask=asking(translator, pairs),
        asked=f"{ASKED} sentences from all over the split",
    )


def _identity(pairs: Pairs, references: Sequence[str]) -> str:
    """Of the pairs and of the references in the run's Unicode form."""
    return hashlib.sha256(repr((pairs.fingerprint, list(references))).encode()).hexdigest()


def known_tests(answers: Sequence[Answered]) -> KnownTests:
    """The p-values of BLEU, by the test of sacrebleu."""
    systems = [one.scored for one in answers if isinstance(one.scored, ScoredTranslations)]
    comparisons = len(ABOUT.compared) * math.comb(len(systems), 2)
    resamples = resamples_for(comparisons, fewest=1_000)
    return {("bleu", pair): p for pair, p in paired_bleu(systems, resamples).items()}


def asking(translator: Translator, pairs: Pairs) -> Ask:
    """Translates some of the sentences."""
    sources = [pairs.sources[row] for row in spread(len(pairs))]
    return lambda count: translator.predict(sources[:count])
