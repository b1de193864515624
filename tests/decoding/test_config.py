"""What may be asked of decoding."""

import json

import pytest

from textapps.core.config import resolve
from textapps.core.errors import ConfigurationError
from textapps.decoding.config import DecodingConfig, option_schemas


@pytest.mark.parametrize(
    ("key", "bad"),
    [
        ("length", 0),
        ("length", 100_001),
        ("temperature", -0.1),
        ("temperature", float("nan")),
        ("top_k", -1),
        ("top_k", 2**31),
        ("top_p", 0.0),
        ("top_p", 1.01),
        ("min_p", -0.1),
        ("min_p", 1.01),
        ("repetition_penalty", 0.9),
        ("repetition_penalty", float("inf")),
        ("stop", ""),
    ],
)
def test_values_out_of_range_are_named(key: str, bad: object) -> None:
    with pytest.raises(ConfigurationError, match=key):
        resolve(DecodingConfig, flags={key: bad})


def test_the_ends_of_the_ranges_are_allowed() -> None:
    ends = {"length": 100_000, "temperature": 0, "top_k": 10**6, "top_p": 1, "min_p": 1}
    ends |= {"repetition_penalty": 100, "stop": "\n\n"}
    assert resolve(DecodingConfig, flags=ends).model_dump() == ends
    assert resolve(DecodingConfig).stop is None


def test_the_schemas_say_what_may_be_asked_for() -> None:
    """From them come signatures, request fields and the page's controls."""
    schemas = option_schemas(DecodingConfig(length=7, stop="\n"))
    assert list(schemas) == [*DecodingConfig.model_fields, "random_seed"]
    assert all(schema["description"].endswith(".") for schema in schemas.values())
    assert {name: schema["default"] for name, schema in schemas.items()} == {
        **DecodingConfig(length=7, stop="\n").model_dump(),
        "random_seed": 0,
    }
    optional = {name: schema["off"] for name, schema in schemas.items() if "off" in schema}
    assert optional == {"top_k": 0, "top_p": 1, "min_p": 0, "repetition_penalty": 1}
    for name in optional:  # what an export is asked to see that the option works
        for example in schemas[name]["examples"]:
            assert DecodingConfig(**{name: example}) != DecodingConfig(**{name: optional[name]})
    assert json.loads(json.dumps(schemas)) == schemas
