"""The row of a new word, on made-up embeddings."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textapps.core.errors import DataError
from textapps.tasks.speech.negatives import KINDS, Embedded
from textapps.tasks.speech.new_word import RIGIDITY, fitted, learn_word, threshold_above

WIDTH, LABELS = 5, 4


def made(count: int, place: float, kind: str, seed: int = 0) -> Embedded:
    """Embeddings around a point, with logits of about 1."""
    drawn = np.random.RandomState(seed + count)
    embeddings = drawn.normal(size=(count, WIDTH)).astype(np.float32)
    embeddings[:, 0] += place
    logits = drawn.normal(1, 0.1, size=(count, LABELS)).astype(np.float32)
    return Embedded(embeddings, logits, *[np.array([kind] * count)] * 2)


def together(*parts: Embedded) -> Embedded:
    return Embedded(
        *(np.concatenate([getattr(each, name) for each in parts]) for name in vars(parts[0]))
    )


NEGATIVES = together(made(60, 0, KINDS[0]), made(50, -1, KINDS[1]), made(20, -2, KINDS[2]))
CALIBRATION = together(made(41, 0.5, KINDS[0]), made(31, 0, KINDS[1]), made(12, 0, KINDS[2]))


def test_a_fitted_row_cannot_be_moved_to_less_loss() -> None:
    positives = made(14, 4, "")
    row = fitted(positives, NEGATIVES)

    def loss(kernel: np.ndarray, bias: float) -> float:
        """As the docstring says it, example by example."""
        total = RIGIDITY / 2 * float(kernel @ kernel)
        for side, is_word in ((positives, True), (NEGATIVES, False)):
            for embedding, logits in zip(side.embeddings, side.logits, strict=True):
                scores = np.exp(np.append(logits, kernel @ embedding + bias).astype(np.float64))
                probability = scores[-1] / scores.sum()
                total -= np.log(probability if is_word else 1 - probability) / len(side)
        return total

    least = loss(row.kernel, row.bias)
    for place in range(WIDTH + 1):
        for step in (-0.02, 0.02):
            moved = np.append(row.kernel, row.bias)
            moved[place] += step
            assert loss(moved[:-1], moved[-1]) > least


@pytest.mark.parametrize("share", [0.0, 0.05, 0.2])
def test_no_more_negatives_are_taken_than_may_be(share: float) -> None:
    positives = made(12, 1.5, "")
    learned = learn_word("lamp", ["a", "b", "c"], positives, (NEGATIVES, CALIBRATION), share)
    assert learned.false_accepts[KINDS[0]][1] == 41
    assert learned.false_accepts[KINDS[1]] == (0, 31)
    both = together(NEGATIVES, CALIBRATION)
    taken = (learned.row.margins(both)[both.kinds == KINDS[0]] > 0).sum()
    assert taken <= share * 101


def test_what_is_far_from_everything_is_recognised() -> None:
    positives = made(12, 9, "")
    learned = learn_word("lamp", ["a", "b", "c"], positives, (NEGATIVES, CALIBRATION), 0.05)
    assert learned.recognised == 3
    assert (learned.row.margins(made(30, 9, "", seed=5)) > 0).all()


def test_a_command_among_the_recordings_is_named(caplog: pytest.LogCaptureFixture) -> None:
    places = ["a.wav", "b.wav", "c.wav", "d.wav"]
    positives = together(made(12, 6, "", seed=1), made(4, -6, "", seed=2))
    negatives = NEGATIVES, CALIBRATION
    with pytest.raises(DataError, match=r"d\.wav: heard as 'up', unlike the other recordings"):
        learn_word("lamp", places, positives, negatives, 0.05, ("", "", "", "up"))
    learn_word("lamp", places, positives, negatives, 0.05)
    assert "d.wav: unlike the other recordings of 'lamp'" in caplog.text
    assert "a.wav" not in caplog.text


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=30), st.floats(0, 1, exclude_max=True))
def test_a_threshold_is_the_least_that_does(values: list[int], share: float) -> None:
    scores = np.array(values, np.float64)
    threshold = threshold_above(scores, share)
    allowed = int(share * len(scores))
    assert (scores > threshold).sum() <= allowed
    lower = scores[scores < threshold]
    if len(lower):
        assert (scores > lower.max()).sum() > allowed or threshold == scores.min()
