"""The sections of a report on any model that predicts a text character by character."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from textapps.evaluation.metrics.language import language_metrics, paired_gain
from textapps.evaluation.metrics.text_metrics import Samples
from textapps.evaluation.reports import plots
from textapps.evaluation.reports.sections import (
    NAMES,
    Headline,
    Plot,
    Section,
    Surprise,
    Table,
    Texts,
    figure,
    percent,
)

KEYS = ("nats_per_character", "bits_per_character", "perplexity")
LONGEST_SURPRISE = 2000  # characters that are shown in colours: about two screens


def language_sections(
    text: str,
    nats: npt.ArrayLike,
    *,
    metrics: Mapping[str, float],
    ngrams: npt.ArrayLike,
    order: int,
    samples: Sequence[Samples],
    real: Samples,
    history: Sequence[Mapping[str, Any]] = (),
    seed: int = 0,
) -> list[Section]:
    """Results, comparison, curves, surprise and samples.

    Args:
        text: what was evaluated.
        nats: float[characters] of the model, as language.py has it.
        metrics: what `language_metrics` said of them.
        ngrams: float[orders, characters] of n-gram models on the same text, of order 1 first.
        order: of the n-gram model to compare with.
        samples: texts of the model.
        real: pieces as long out of the text, to compare the samples with.
        history: the rows of history.csv.
        seed: of the resampling.
    """
    ours, theirs = np.asarray(nats), np.asarray(ngrams)
    return [
        Headline(
            "Results",
            [(NAMES[key], *figure(metrics, key)) for key in KEYS],
            f"On {len(text):,} characters, each given what stands before it. Below each figure its "
            "95 % interval, from resampled blocks of the text.",
        ),
        _comparison(ours, theirs, metrics, order, seed=seed),
        Plot(
            "Learning curves",
            plots.learning_curves(history, leave_out=("loss",)),
            "Nats per character on training and validation text over the training steps.",
        ),
        Plot(
            "N-gram models by their order",
            plots.ngram_orders(theirs.mean(axis=1, dtype=np.float64), metrics[KEYS[0]]),
            f"Nats per character of n-gram models of the orders 1 to {len(theirs)}.",
        ),
        Surprise(
            "Surprise",
            text[:LONGEST_SURPRISE],
            ours[:LONGEST_SURPRISE].tolist(),
            "The beginning of the text. The deeper the colour, the less the model expected the "
            "character; the key is in nats, of which 0.69 is a chance of one in two.",
        ),
        Texts("Samples", [(each.name, each.texts[0]) for each in samples], typed=True),
        _variety([*samples, real]),
    ]


def _comparison(
    nats: npt.NDArray[Any],
    ngrams: npt.NDArray[Any],
    metrics: Mapping[str, float],
    order: int,
    *,
    seed: int,
) -> Table:
    rows = []
    for n, each in enumerate(ngrams, 1):
        found = language_metrics(each, resamples=0)
        rows.append((f"{n}-grams", *(figure(found, key)[0] for key in KEYS)))
    rows.append(("this model", *(figure(metrics, key)[0] for key in KEYS)))
    gain = paired_gain(nats, ngrams[order - 1], seed=seed)
    chance = f"p = {gain.p_value:.4f}" if gain.p_value else "p < 0.0001"
    return Table(
        "Beside n-grams",
        ("", *(NAMES[key] for key in KEYS)),
        rows,
        f"Against {order}-grams, the best on the validation text, this model gains "
        f"{gain.difference:+.4f} nats per character, 95 % interval {gain.low:+.4f} to "
        f"{gain.high:+.4f}, {chance} that it is no better (paired bootstrap on the same blocks). "
        "Interpolated modified Kneser-Ney, fitted on the training text.",
    )


def _variety(samples: Sequence[Samples]) -> Table:
    rows = [
        (
            each.name,
            percent(each.figures.distinct_1),
            percent(each.figures.distinct_2),
            percent(each.figures.repeated),
            each.figures.longest_repeat,
            percent(each.figures.copied),
            each.figures.longest_copy,
        )
        for each in samples
    ]
    return Table(
        "Variety of the samples",
        ("", "Distinct-1", "Distinct-2", "Repeated", "Longest repeat", "Copied", "Longest copy"),
        rows,
        f"Of {len(samples[0].texts)} samples of each kind. Distinct-1 and -2: different words "
        "and pairs of words as a share of all. Repeated: pieces of 8 characters that stood in the "
        "same sample before; copied: those that stand in the training text, as some of any text "
        "do; the longest pieces are of any length, in characters.",
    )
