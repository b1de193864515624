"""sacrebleu's paired bootstrap test of BLEU (Koehn 2004, as Moses computes it), two-sided."""

from collections.abc import Sequence

from textapps.evaluation.metrics.translation import BleuTokenizer


def paired_bleu(
    answers: Sequence[Sequence[str]],
    references: Sequence[str],
    tokenizer: BleuTokenizer,
    resamples: int = 1_000,
) -> dict[tuple[int, int], float]:
    """The p-value of each pair of systems, by their numbers.

    sacrebleu counts the resamples beyond the difference on one side of it, so its p-value is
    doubled here. It counts a difference of exactly 0 as no chance event: it gives
    1 / (resamples + 1), its smallest p-value, where two systems are equal. Here that is 1.

    Args:
        answers: of each system, str[n].
        references: str[n].

    >>> paired_bleu([["a red ball ."]] * 2, ["a red ball ."], "13a")
    {(0, 1): 1.0}
    """
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.significance import PairedTest, Result

    systems: list[tuple[str, Sequence[str]]] = [
        (str(number), list(each)) for number, each in enumerate(answers)
    ]
    found: dict[tuple[int, int], float] = {}
    for first in range(len(systems) - 1):
        metric = BLEU(tokenize=tokenizer, force=True)
        test = PairedTest(
            systems[first:],
            {"BLEU": metric},
            [list(references)],
            test_type="bs",
            n_samples=resamples,
        )
        _, results = test()
        scores = [each for each in results["BLEU"] if isinstance(each, Result)]
        for second, other in enumerate(scores[1:], first + 1):
            p_value = 1.0 if other.p_value is None else min(1.0, 2 * float(other.p_value))
            found[first, second] = 1.0 if other.score == scores[0].score else p_value
    return found
