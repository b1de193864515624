"""The sections of a report on a translator."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from textapps.core.counted import counted
from textapps.evaluation.metrics.lengths import span, words
from textapps.evaluation.metrics.translation import (
    AttentionMap,
    LengthScores,
    ScoredTranslations,
    SearchResult,
    translation_by_length,
)
from textapps.evaluation.metrics.translation_faults import find_faults
from textapps.evaluation.reports import plots
from textapps.evaluation.reports.sections import (
    NAMES,
    NOT_TOLD,
    Headline,
    Plot,
    Section,
    Table,
    Texts,
    figure,
    percent,
    points,
)

KEYS = ("bleu", "chrf")
WORST, TYPICAL, BEST = 12, 6, 6  # shown sentences
LONGEST = 300  # shown characters of a sentence
BY_LENGTH_NOTE = (
    "Groups of about equally many sentences by source length in words; Chinese and Japanese "
    "characters are words of their own. The interval is from resampled sentences. Length ratio: "
    "translation tokens per reference token."
)


def translation_sections(
    sources: Sequence[str],
    scored: ScoredTranslations,
    *,
    metrics: Mapping[str, float],
    history: Sequence[Mapping[str, Any]] = (),
    maps: Sequence[AttentionMap] = (),
    searches: Sequence[SearchResult] = (),
    advice: str = "",
    seed: int = 0,
) -> list[Section]:
    """Results, decoding, curves, lengths, faults, sentences and attention maps.

    Args:
        sources: str[n].
        scored: the n translations and their references.
        metrics: the result of `translation_metrics` for them.
        history: the rows of history.csv.
        maps: attention maps of sentences that the caller has chosen.
        searches: decoding methods to compare, including that of `scored`.
        advice: what to do about the length ratio.
        seed: for resampling.
    """
    by_length = translation_by_length(sources, scored, seed=seed)
    sections: list[Section] = [_results(scored, metrics, advice)]
    if searches:
        sections.append(_decoding(searches))
    sections += [
        Plot(
            "Learning curves",
            plots.learning_curves(history, leave_out=("loss",)),
            "Metrics of training and validation over the training steps.",
            "Validation BLEU is of greedy translations.",
        ),
        Plot(
            "Scores by length",
            plots.translation_by_length(by_length, "source length, words"),
            "BLEU and chrF of groups of sentences by source length.",
        ),
        _lengths(by_length),
        _faults(scored),
        *_sentences(sources, scored),
        *(_attention(number, each) for number, each in enumerate(maps, 1)),
    ]
    return sections


def _results(scored: ScoredTranslations, metrics: Mapping[str, float], advice: str) -> Headline:
    figures = [(NAMES[key], *figure(metrics, key)) for key in KEYS]
    figures.append(("Length ratio", f"{scored.length_ratio():.3f}", "translations to references"))
    said = "; ".join(f"{NAMES[key]} {text}" for key, text in scored.signatures.items())
    return Headline(
        "Results",
        figures,
        f"On {counted(len(scored), 'sentence')}. The 95 % bootstrap intervals are below BLEU and "
        f"chrF. sacrebleu signatures: {said}." + (f" {advice.capitalize()}." if advice else ""),
    )


def _decoding(searches: Sequence[SearchResult]) -> Table:
    rows: list[tuple[str | float, ...]] = []
    for each in searches:
        figures, faults = each.scored.figures(), find_faults(each.scored)
        rows.append(
            (
                each.name,
                *(points(figures[key]) for key in KEYS),
                f"{each.scored.length_ratio():.3f}",
                *(len(rows_of) for rows_of in faults),
                f"{len(each.scored) / each.seconds:,.1f}" if each.seconds > 0 else "",
            )
        )
    names = ("", "BLEU", "chrF", "Length ratio", "Empty", "Too long", "Repeating", "Sentences/s")
    return Table("Decoding", names, rows, "The same sentences with different decoding methods.")


def _lengths(rows: Sequence[LengthScores]) -> Table:
    cells = [
        (
            span(row.shortest, row.longest, " to "),
            row.examples,
            points(row.bleu),
            f"{points(row.low)} to {points(row.high)}" if row.low < row.high else NOT_TOLD,
            points(row.chrf),
            f"{row.length_ratio:.3f}",
        )
        for row in rows
    ]
    names = ("Words", "Sentences", "BLEU", "95 % interval", "chrF", "Length ratio")
    return Table("Lengths", names, cells, BY_LENGTH_NOTE)


def _faults(scored: ScoredTranslations) -> Table:
    found = find_faults(scored)._asdict()
    return Table(
        "Faulty translations",
        ("", "Translations", "Share"),
        [
            (name.replace("_", " "), len(rows), percent(len(rows) / len(scored)))
            for name, rows in found.items()
        ],
        "Too long: more than twice as many tokens as the reference plus five. Repeating: a piece "
        "occurs three times in a row, which it does not in the reference.",
    )


def _sentences(sources: Sequence[str], scored: ScoredTranslations) -> list[Texts]:
    """The worst sentences, those in the middle, and the best, without overlap."""
    # Of equal ones the longest first: short sentences are more often entirely right or wrong.
    lengths = [len(words(source)) for source in sources]
    rising = np.lexsort((-np.array(lengths), scored.sentence_chrf))
    falling = np.lexsort((-np.array(lengths), -scored.sentence_chrf))
    worst = rising[:WORST]
    best = [i for i in falling if i not in worst][:BEST]
    others = [i for i in rising if i not in worst and i not in best]
    middle = max(0, (len(others) - TYPICAL) // 2)
    chosen = (
        ("Worst sentences", worst),
        ("Typical sentences", others[middle : middle + TYPICAL]),
        ("Best sentences", best),
    )
    return [
        Texts(heading, [_sentence(sources[i], scored, i) for i in places])
        for heading, places in chosen
    ]


def _sentence(source: str, scored: ScoredTranslations, row: int) -> tuple[str, dict[str, str]]:
    caption = (
        f"sentence {row + 1:,}: chrF {scored.sentence_chrf[row]:.1f}, "
        f"BLEU {scored.sentence_bleu[row]:.1f}"
    )
    lines = {
        "Source": source,
        "Reference": scored.references[row],
        "Translation": scored.answers[row],
    }
    return caption, {name: _shown(text) for name, text in lines.items()}


def _attention(number: int, each: AttentionMap) -> Plot:
    cut = max(len(each.source), len(each.target)) > plots.TOKENS_UP_TO
    return Plot(
        f"Attention {number}",
        plots.attention(each.weights, each.source, each.target),
        f"Attention of {len(each.target)} translation tokens over {len(each.source)} source "
        "tokens.",
        "The darker a cell, the more the translation token of its row attends to the source token."
        + (f" The first {plots.TOKENS_UP_TO} tokens." if cut else ""),
    )


def _shown(text: str) -> str:
    """The text in one line, shortened if it is long."""
    text = " ".join(text.split()) or "(empty)"
    return text if len(text) <= LONGEST else text[:LONGEST] + " …"
