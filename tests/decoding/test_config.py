"""What may be asked of decoding."""

import pytest

from textapps.core.config import resolve
from textapps.core.errors import ConfigurationError
from textapps.decoding.config import DecodingConfig


@pytest.mark.parametrize(
    ("key", "bad"),
    [
        ("length", 0),
        ("length", 100_001),
        ("temperature", -0.1),
        ("temperature", float("nan")),
        ("top_k", -1),
        ("top_p", 0.0),
        ("top_p", 1.01),
        ("repetition_penalty", 0.9),
        ("repetition_penalty", float("inf")),
        ("stop", ""),
    ],
)
def test_values_out_of_range_are_named(key: str, bad: object) -> None:
    with pytest.raises(ConfigurationError, match=key):
        resolve(DecodingConfig, flags={key: bad})


def test_the_ends_of_the_ranges_are_allowed() -> None:
    ends = {"length": 100_000, "temperature": 0, "top_k": 10**6, "top_p": 1, "stop": "\n\n"}
    config = resolve(DecodingConfig, flags={**ends, "repetition_penalty": 100})
    assert config.model_dump() == {**ends, "repetition_penalty": 100}
    assert resolve(DecodingConfig).stop is None
