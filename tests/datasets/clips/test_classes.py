import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textapps.core.config import resolve
from textapps.core.errors import ConfigurationError, DataError
from textapps.datasets.clips.classes import class_names, class_of, quotas, shares
from textapps.datasets.clips.config import ClipsConfig

WORDS = ["yes", "no", "bird", "no", "cat"]


def names(words: list[str] = WORDS, *, noise: bool = True, **config: object) -> list[str]:
    return class_names("words", words, ClipsConfig.model_validate(config), noise=noise)


def test_the_order_of_classes(caplog: pytest.LogCaptureFixture) -> None:
    assert names(commands=("yes", "cat")) == ["yes", "cat", "unknown", "silence"]
    assert names(commands=("yes", "cat"), unknown=0, silence=0) == ["yes", "cat"]
    assert names() == ["bird", "cat", "no", "yes", "silence"]
    assert names(["10", "9"], silence=0) == ["9", "10"]
    assert names(["yes", "unknown", "silence"], noise=False) == ["yes", "unknown", "silence"]
    assert caplog.messages == []


def test_classes_that_cannot_be_made(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "textapps"):
        assert names(["yes", "no"], commands=("no", "yes"), noise=False) == ["no", "yes"]
    assert caplog.messages == [
        "words: no word besides the commands, so no class 'unknown'",
        "words: no folder _background_noise_ to cut silence from, so no class 'silence'",
    ]
    with pytest.raises(DataError, match=r"unknown command 'brid', choose .*did you mean 'bird'"):
        names(commands=("yes", "brid"))
    with pytest.raises(DataError, match="only one class, 'no'; at least two"):
        names(["no"], silence=0)
    with pytest.raises(DataError, match="words: no clips"):
        names([], silence=0)


def test_what_a_word_counts_to() -> None:
    config = ClipsConfig(commands=("yes", "no"))
    assert class_of("bird", ("yes", "no"), config) is None
    assert class_of("unknown", ("yes", "no", "unknown"), config) == "unknown"
    assert class_of("silence", ("yes", "silence"), config) == "silence"


def test_commands_as_text_and_what_is_none() -> None:
    assert resolve(ClipsConfig, flags={"commands": "yes, no"}).commands == ("yes", "no")
    for commands, message in (
        ("yes,,no", "a command is empty"),
        ("yes,no,yes", "'yes' is named twice"),
        ("yes,silence", "'silence' is not a command: data.silence sets"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            resolve(ClipsConfig, flags={"commands": commands})
    with pytest.raises(ConfigurationError, match=r"less than or equal to 0\.5"):
        resolve(ClipsConfig, flags={"unknown": "0.7"})


@given(st.integers(1, 5000), st.floats(0.01, 0.5), st.floats(0.01, 0.4))
def test_shares_are_of_all_clips(commands: int, unknown: float, silence: float) -> None:
    config = ClipsConfig(unknown=unknown, silence=silence)
    unknowns, silences = shares(commands, ("a", "unknown", "silence"), config)
    total = commands + unknowns + silences
    for count, share in ((unknowns, unknown), (silences, silence)):
        assert count == 1 or abs(count - share * total) <= 1.5
    assert shares(commands, ("a", "silence"), config)[0] == 0


@given(st.lists(st.integers(1, 40), min_size=1, max_size=12), st.integers(0, 200))
def test_quotas_are_as_even_as_can_be(counts: list[int], total: int) -> None:
    taken = quotas(counts, total)
    assert sum(taken) == min(total, sum(counts))
    assert all(0 <= one <= count for one, count in zip(taken, counts, strict=True))
    unexhausted = [one for one, count in zip(taken, counts, strict=True) if one < count]
    if unexhausted:
        assert max(unexhausted) - min(unexhausted) <= 1
        assert max(taken) <= min(unexhausted) + 1
