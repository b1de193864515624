"""What an evaluation says of the length of translations."""

import re

import pytest

from textapps.decoding.config import SearchConfig
from textapps.tasks.translate.evaluate import length_advice


@pytest.mark.parametrize("ratio", [0.9, 1.0, 1.1])
def test_nothing_is_said_of_translations_of_the_right_length(ratio: float) -> None:
    assert length_advice(ratio, SearchConfig()) == ""


@pytest.mark.parametrize(
    ("ratio", "decoding", "said"),
    [
        (0.8994, {"length_penalty": 0}, "ratio 0.899: translations are shorter .* above 0$"),
        (1.1006, {"length_penalty": 1.4}, "ratio 1.101: translations are longer .* below 1.4$"),
        (1.2, {"length_penalty": 0}, "longer than references, although --length-penalty is 0$"),
        (0.5, {"beam": 1}, r"shorter than references; beam search \(--beam 5\)"),
        (1.5, {"temperature": 0.7}, r"longer than references; beam search \(--beam 5\)"),
    ],
)
def test_the_advice_is_one_that_can_be_followed(
    ratio: float, decoding: dict[str, float], said: str
) -> None:
    """The penalty ranks what a beam search finds; greedy search and sampling find one answer."""
    advice = length_advice(ratio, SearchConfig.model_validate(decoding))
    assert re.search(said, advice)
