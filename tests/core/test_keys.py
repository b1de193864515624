"""Tests of textapps.core.keys: what a field says of itself, and that every real field says it."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from textapps.core.config import Section, resolve
from textapps.core.config_errors import section_of
from textapps.core.keys import Option, Options, keys_of
from textapps.core.names import TASKS
from textapps.tasks.registry import get_presets

UNITS = Option("--units", metavar="N", commands=("train", "export"))


class Block(Section):
    units: Annotated[int, UNITS] = Field(5, ge=2, le=2_000, description="Width.")
    rate: float | None = Field(None, gt=0, lt=1, description="Share.")
    kind: Literal["a", "b"] = Field("b", description="Kind.")
    strides: tuple[Annotated[int, Field(ge=1, le=16)], ...] = Field((2, 1), description="Strides.")


class Config(Section):
    seed: int = Field(0, ge=0, description="Seed.")
    encoder: Block = Block()
    decoder: Annotated[Block, Options(rate=Option("--rate"))] = Block()


def test_keys_of_sections_and_their_sections() -> None:
    keys = {key.name: key for key in keys_of(Config)}
    assert list(keys) == [
        "seed",
        *(f"{side}.{name}" for side in ("encoder", "decoder") for name in Block.model_fields),
    ]
    assert [key.kind for key in keys.values()][:5] == [int, int, float, str, tuple]
    assert [key.limits for key in keys.values()][:5] == [
        "at least 0",
        "2 to 2,000",
        "above 0, below 1",
        "",
        "each 1 to 16",
    ]
    assert [key.default_text for key in keys.values()][:5] == ["0", "5", "", "b", "[2, 1]"]
    assert keys["encoder.kind"].choices == ("a", "b")
    assert keys["decoder.units"].environment == "TEXTAPPS_DECODER__UNITS"
    assert keys["decoder.units"].description == "Width."


def test_an_option_of_a_field_and_one_that_a_configuration_adds() -> None:
    options = {key.name: key.option for key in keys_of(Config) if key.option}
    assert options == {
        "encoder.units": UNITS,
        "decoder.units": UNITS,
        "decoder.rate": Option("--rate"),
    }


def configuration(task: str) -> type[Section]:
    found: type[Section] = get_presets(task).config
    return found


def models(model: type[BaseModel]) -> set[type[BaseModel]]:
    inner = (section_of(model, name) for name in model.model_fields)
    return {model}.union(*(models(each) for each in inner if each is not None))


@pytest.mark.parametrize("task", TASKS)
def test_every_field_describes_itself_in_one_sentence_of_one_line(task: str) -> None:
    for key in keys_of(configuration(task)):
        text = key.description
        assert text.endswith("."), key
        assert text[0].isupper(), key
        assert "\n" not in text, key
    assert all(model.__doc__ for model in models(configuration(task)))


@pytest.mark.parametrize("task", TASKS)
def test_no_command_has_two_options_of_one_name(task: str) -> None:
    found = [
        (command, name)
        for key in keys_of(configuration(task))
        if key.option
        for command in key.option.commands
        for name in key.option.name.split("/")
    ]
    assert len(found) == len(set(found))


@pytest.mark.parametrize("task", TASKS)
def test_every_default_is_a_value_that_set_takes(task: str) -> None:
    """The text of a default, as the documentation shows it, gives the default again."""
    model = configuration(task)
    keys = [key for key in keys_of(model) if key.name != "task"]
    given = {key.environment: key.default_text for key in keys if key.kind is not tuple}
    assert resolve(model, environ=given) == resolve(model)
