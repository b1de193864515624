"""What is known of a translator from its answers beside the references: BLEU and chrF.

BLEU (Papineni et al. 2002) and chrF (Popović 2015) are sacrebleu's (Post 2018), from 0 to 100,
and follow from counts that are added up over the sentences. docs/evaluation.md says what every
figure means.
"""

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from textapps.core.errors import ConfigurationError, DataError, unknown
from textapps.evaluation.metrics.bootstrap import Floats, interval, resampled
from textapps.evaluation.metrics.lengths import HAN, KANA, length_groups, words
from textapps.evaluation.metrics.sacrebleu_private import score, sentence_counts

Cut = Literal["13a", "intl", "zh", "char", "none"]
CUTS = get_args(Cut)  # sacrebleu's others need more packages or the network
GROUP_RESAMPLES = 300


class LengthScores(NamedTuple):
    """Sentences whose sources have [shortest, longest] words; low and high = 95 % of the BLEU.

    length_ratio = tokens of the answers to those of the references.
    """

    shortest: int
    longest: int
    examples: int
    bleu: float
    low: float
    high: float
    chrf: float
    length_ratio: float


class ScoredTranslations:
    """Answers beside their references, counted by sacrebleu.

    Args:
        answers, references: str[n], one reference for each answer.
        cut: how BLEU cuts a sentence into tokens, by the name that sacrebleu gives it.

    Raises:
        ConfigurationError: an unknown cut.
        DataError: no sentences, or not the same number of both.

    >>> scored = ScoredTranslations(["a red ball ."], ["a red ball ."])
    >>> round(scored.figures()["bleu"], 3), scored.signatures["bleu"].split("|")[3]
    (100.0, 'tok:13a')
    """

    def __init__(self, answers: Sequence[str], references: Sequence[str], cut: str = "13a") -> None:
        if cut not in CUTS:
            raise ConfigurationError(unknown("cut of BLEU", cut, CUTS))
        if len(answers) != len(references):
            raise DataError(f"there are {len(answers)} answers to {len(references)} references")
        if not len(answers):
            raise DataError("there are no sentences to evaluate on")
        from sacrebleu.metrics.bleu import BLEU
        from sacrebleu.metrics.chrf import CHRF

        self.answers, self.references = list(answers), list(references)
        # force: does not warn of answers that look as if they had been cut already.
        self._bleu, self._chrf = BLEU(tokenize=cut, force=True), CHRF()
        self._sentence_bleu = BLEU(tokenize=cut, effective_order=True)
        self._of_bleu = sentence_counts(self._bleu, self.answers, self.references)
        self._of_chrf = sentence_counts(self._chrf, self.answers, self.references)

    def __len__(self) -> int:
        """How many sentences there are."""
        return len(self.answers)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """int64[n, 2]: the tokens of each answer and of its reference, as BLEU cuts them."""
        return self._of_bleu[:, :2]

    @property
    def signatures(self) -> dict[str, str]:
        """What sacrebleu says of how `bleu` and `chrf` were computed, to quote with the figures."""
        return {"bleu": str(self._bleu.get_signature()), "chrf": str(self._chrf.get_signature())}

    def figures(self, counts: Floats | None = None) -> dict[str, float]:
        """bleu and chrf of all sentences, the i-th standing counts[i] times, float64[n]."""
        if counts is None:
            counts = np.ones(len(self))
        return {
            name: score(metric, (of * counts[:, None]).sum(axis=0))
            for name, metric, of in (
                ("bleu", self._bleu, self._of_bleu),
                ("chrf", self._chrf, self._of_chrf),
            )
        }

    def length_ratio(self, members: npt.NDArray[np.bool_] | None = None) -> float:
        """Tokens of the answers to those of the references, of all or of some, bool[n]."""
        answers, references = self.lengths[members if members is not None else ...].sum(axis=0)
        return float(answers / max(1, references))

    @cached_property
    def sentence_bleu(self) -> Floats:
        """float64[n]: BLEU of each sentence, without the orders for which it is too short."""
        return np.array([score(self._sentence_bleu, row) for row in self._of_bleu])

    @cached_property
    def sentence_chrf(self) -> Floats:
        """float64[n]: chrF of each sentence, by which single ones are better compared."""
        return np.array([score(self._chrf, row) for row in self._of_chrf])


class SearchResult(NamedTuple):
    """The answers to all sentences that a way of decoding gave, and its seconds."""

    name: str
    scored: ScoredTranslations
    seconds: float


class AttentionMap(NamedTuple):
    """Where each token of an answer looked in its source: float[target, source], none negative."""

    source: Sequence[str]
    target: Sequence[str]
    weights: npt.ArrayLike


def corpus_bleu(answers: Sequence[str], references: Sequence[str], cut: str = "13a") -> float:
    """BLEU alone, as `ScoredTranslations`, but in half of the time: for validation."""
    from sacrebleu.metrics.bleu import BLEU

    return float(BLEU(tokenize=cut, force=True).corpus_score(answers, [references]).score)


def cut_for(references: Sequence[str]) -> Cut:
    """How BLEU should cut such sentences: by sacrebleu's default, but where no spaces are written.

    >>> cut_for(["Ein Ball ."]), cut_for(["两只狗在跑。"]), cut_for(["犬が走っている。"])
    ('13a', 'zh', 'char')
    """
    found = [word for reference in references for word in words(reference)]
    han = sum(bool(re.match(f"[{HAN}]", word)) for word in found)
    kana = sum(bool(re.match(f"[{KANA}]", word)) for word in found)
    if not found or 2 * (han + kana) < len(found):
        return "13a"
    return "zh" if han > 10 * kana else "char"


def translation_metrics(
    scored: ScoredTranslations, *, resamples: int = 1000, seed: int = 0
) -> dict[str, float]:
    """bleu and chrf, with `<name>_low` and `_high`.

    The intervals hold 95 % and come from `resamples` bootstrap samples of the sentences (Koehn
    2004); 0 leaves them out.
    """
    estimate = scored.figures()
    draws = [scored.figures(counts) for counts in resampled(len(scored), resamples, seed)]
    metrics = {}
    for name, value in estimate.items():
        metrics[name] = value
        if resamples:
            low, high = interval(value, [draw[name] for draw in draws])
            metrics[f"{name}_low"], metrics[f"{name}_high"] = low, high
    return metrics


def translation_by_length(
    sources: Sequence[str], scored: ScoredTranslations, *, groups: int = 6, seed: int = 0
) -> list[LengthScores]:
    """The figures of at most `groups` groups of about equally many sentences by words of source."""
    rows = []
    for shortest, longest, members in length_groups([len(words(s)) for s in sources], groups):
        figures = scored.figures(members.astype(np.float64))
        draws = []
        for drawn in resampled(int(members.sum()), GROUP_RESAMPLES, seed):
            counts = np.zeros(len(scored))
            counts[members] = drawn
            draws.append(scored.figures(counts)["bleu"])
        rows.append(
            LengthScores(
                shortest,
                longest,
                int(members.sum()),
                figures["bleu"],
                *interval(figures["bleu"], draws),
                figures["chrf"],
                scored.length_ratio(members),
            )
        )
    return rows
