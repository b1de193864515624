import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.significance import PairedTest

from textapps.evaluation.metrics.paired_bleu import paired_bleu
from textapps.evaluation.metrics.translation import ScoredTranslations

REFERENCES = [f"the {word} ball rolls over the red floor ." for word in "abcdefghijk"]
GOOD = [text.replace("rolls", "runs") for text in REFERENCES]
BAD = [text.replace("over the", "on a") for text in REFERENCES[:7]] + REFERENCES[7:]


def scored(answers: list[str]) -> ScoredTranslations:
    return ScoredTranslations(answers, REFERENCES)


def test_the_p_value_is_twice_that_of_sacrebleu_which_counts_one_side() -> None:
    systems = [("baseline", GOOD), ("system", BAD)]
    test = PairedTest(systems, {"BLEU": BLEU()}, [REFERENCES], test_type="bs", n_samples=1_000)
    expected = test()[1]["BLEU"][1].p_value
    assert 1 / 1_001 < expected < 1
    found = paired_bleu([scored(one) for one in (REFERENCES, GOOD, BAD)])
    assert list(found) == [(0, 1), (0, 2), (1, 2)]
    assert found[1, 2] == pytest.approx(min(1, 2 * expected))


def test_equal_systems_have_one_although_sacrebleu_gives_its_smallest() -> None:
    systems = [("baseline", GOOD), ("system", GOOD)]
    test = PairedTest(systems, {"BLEU": BLEU()}, [REFERENCES], test_type="bs", n_samples=1_000)
    assert test()[1]["BLEU"][1].p_value == pytest.approx(1 / 1_001)
    assert paired_bleu([scored(GOOD), scored(GOOD)]) == {(0, 1): 1.0}
