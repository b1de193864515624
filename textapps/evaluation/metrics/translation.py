"""BLEU and chrF of translations against references.

BLEU (Papineni et al. 2002) and chrF (Popović 2015) are sacrebleu's (Post 2018), from 0 to 100,
computed from counts that are summed over the sentences. docs/evaluation.md defines every metric.
"""

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from textapps.core.errors import ConfigurationError, DataError, unknown
from textapps.evaluation.metrics.bootstrap import Floats, interval, limits, resampled
from textapps.evaluation.metrics.lengths import HAN, KANA, length_groups, words
from textapps.evaluation.metrics.sacrebleu_private import score, sentence_counts

BleuTokenizer = Literal["13a", "intl", "zh", "char", "none"]
BLEU_TOKENIZERS = get_args(BleuTokenizer)  # sacrebleu's others need more packages or the network
GROUP_RESAMPLES = 300


class LengthScores(NamedTuple):
    """Sentences whose sources have [shortest, longest] words.

    low and high are the 95 % interval of BLEU; length_ratio is translation tokens per reference
    token.
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
    """Translations and references, with sacrebleu's counts.

    Args:
        answers, references: str[n], translations with one reference each.
        tokenizer: BLEU's tokenizer, by sacrebleu's name.

    Raises:
        ConfigurationError: the tokenizer is unknown.
        DataError: there are no sentences, or the numbers of both differ.

    >>> scored = ScoredTranslations(["a red ball ."], ["a red ball ."])
    >>> round(scored.figures()["bleu"], 3), scored.signatures["bleu"].split("|")[3]
    (100.0, 'tok:13a')
    """

    def __init__(
        self, answers: Sequence[str], references: Sequence[str], tokenizer: str = "13a"
    ) -> None:
        if tokenizer not in BLEU_TOKENIZERS:
            raise ConfigurationError(unknown("BLEU tokenizer", tokenizer, BLEU_TOKENIZERS))
        if len(answers) != len(references):
            raise DataError(
                f"there are {len(answers)} translations but {len(references)} references"
            )
        if not len(answers):
            raise DataError("there are no sentences to evaluate on")
        from sacrebleu.metrics.bleu import BLEU
        from sacrebleu.metrics.chrf import CHRF

        self.answers, self.references = list(answers), list(references)
        # force: no warning if translations look tokenized already.
        self._bleu, self._chrf = BLEU(tokenize=tokenizer, force=True), CHRF()
        self._sentence_bleu = BLEU(tokenize=tokenizer, effective_order=True)
        self._of_bleu = sentence_counts(self._bleu, self.answers, self.references)
        self._of_chrf = sentence_counts(self._chrf, self.answers, self.references)

    def __len__(self) -> int:
        """The number of sentences."""
        return len(self.answers)

    @property
    def examples(self) -> int:
        """The same, under the name that comparisons use."""
        return len(self)

    def behind(self, metric: str) -> int:
        """On how many sentences a metric rests."""
        return len(self)

    def of(self, counts: Floats) -> dict[str, float]:
        """`figures`, under the name that comparisons use."""
        return self.figures(counts)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """int64[n, 2]: the number of tokens of each translation and its reference, for BLEU."""
        return self._of_bleu[:, :2]

    @property
    def signatures(self) -> dict[str, str]:
        """sacrebleu's signatures of `bleu` and `chrf`, to report with the scores."""
        return {"bleu": str(self._bleu.get_signature()), "chrf": str(self._chrf.get_signature())}

    def figures(self, counts: Floats | None = None) -> dict[str, float]:
        """bleu and chrf of all sentences, in which the i-th occurs counts[i] times, float64[n]."""
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
        """Translation tokens per reference token, of all sentences or of some, bool[n]."""
        answers, references = self.lengths[members if members is not None else ...].sum(axis=0)
        return float(answers / max(1, references))

    @cached_property
    def sentence_bleu(self) -> Floats:
        """float64[n]: BLEU of each sentence, without orders for which it is too short."""
        return np.array([score(self._sentence_bleu, row) for row in self._of_bleu])

    @cached_property
    def sentence_chrf(self) -> Floats:
        """float64[n]: chrF of each sentence, better suited to single sentences than BLEU."""
        return np.array([score(self._chrf, row) for row in self._of_chrf])


class SearchResult(NamedTuple):
    """The translations of all sentences by one decoding method, and its seconds."""

    name: str
    scored: ScoredTranslations
    seconds: float


class AttentionMap(NamedTuple):
    """The attention of each target token over the source: float[target, source], non-negative."""

    source: Sequence[str]
    target: Sequence[str]
    weights: npt.ArrayLike


def corpus_bleu(answers: Sequence[str], references: Sequence[str], tokenizer: str = "13a") -> float:
    """BLEU only, as in `ScoredTranslations` but in half the time, for validation."""
    from sacrebleu.metrics.bleu import BLEU

    return float(BLEU(tokenize=tokenizer, force=True).corpus_score(answers, [references]).score)


def bleu_tokenizer(references: Sequence[str]) -> BleuTokenizer:
    """The BLEU tokenizer for these references: sacrebleu's default unless a script has no spaces.

    >>> [bleu_tokenizer([text]) for text in ("Ein Ball .", "两只狗在跑。", "犬が走っている。")]
    ['13a', 'zh', 'char']
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

    The 95 % intervals come from `resamples` bootstrap samples of the sentences (Koehn 2004); 0
    omits them.
    """
    estimate = scored.figures()
    draws = [scored.figures(counts) for counts in resampled(len(scored), resamples, seed)]
    metrics = {}
    for name, value in estimate.items():
        metrics[name] = value
        if resamples:
            metrics |= limits(name, value, [draw[name] for draw in draws])
    return metrics


def translation_by_length(
    sources: Sequence[str], scored: ScoredTranslations, *, groups: int = 6, seed: int = 0
) -> list[LengthScores]:
    """The scores of at most `groups` groups of about equally many sentences, by source length."""
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
