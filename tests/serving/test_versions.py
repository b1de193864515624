"""Several versions of a model served at once."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.serving import models
from textapps.serving.errors import NotFound
from textapps.serving.repository import Repository


def length(repository: Repository, version: int | None = None) -> int:
    """The answer of a version of `lengths` to a text of four letters: four and its number."""
    inputs = {"text": models.strings("four")}
    found = repository.find("m", version).predict("serving_default", inputs)
    return int(asyncio.run(found)["length"][0])


def states(repository: Repository) -> dict[int, str]:
    return {status.version: status.state for status in repository.statuses("m")}


def test_the_newest_few_are_served(directory: Path, place: Callable[..., Path]) -> None:
    repository = Repository(directory, versions=2)
    for version in (1, 2, 3):
        place("m", version, "lengths", version)
    repository.poll()
    assert states(repository) == {3: "AVAILABLE", 2: "AVAILABLE"}
    assert [length(repository), length(repository, 3), length(repository, 2)] == [7, 7, 6]
    with pytest.raises(NotFound):
        repository.find("m", 1)
    place("m", 4, "lengths", 4)
    repository.poll()
    assert [length(repository), length(repository, 3)] == [8, 7]
    with pytest.raises(NotFound):
        repository.find("m", 2)
    shutil.rmtree(directory / "m" / "4")
    repository.poll()
    assert [length(repository), length(repository, 2)] == [7, 6]


def test_one_that_fails_does_not_count(directory: Path, place: Callable[..., Path]) -> None:
    repository = Repository(directory, versions=2)
    for version in (1, 2, 3):
        place("m", version, "lengths", version)
    (directory / "m" / "2" / "saved_model.pb").write_bytes(b"junk")
    repository.poll()
    assert [length(repository), length(repository, 1)] == [7, 5]
    assert states(repository) == {3: "AVAILABLE", 2: "END", 1: "AVAILABLE"}
