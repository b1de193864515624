"""The pretrained models of a folder: found by name, and refused if they are not whole."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from textapps.core.errors import RunError
from textapps.core.notices import NOTICE
from textapps.core.records import sha256_of
from textapps.pretrained import store
from textapps.pretrained.card import card
from textapps.pretrained.description import DESCRIPTION, Description, Figures
from textapps.pretrained.model import CARD

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """`make("imdb")` writes a model without weights into the store."""
    monkeypatch.setenv("TEXTAPPS_PRETRAINED_DIR", str(tmp_path))

    def write(name: str, task: str = "sentiment", **changes: object) -> Path:
        directory = tmp_path / name
        (directory / "preprocessor").mkdir(parents=True)
        (directory / "preprocessor" / "vocabulary.txt").write_text("größer\n", encoding="utf-8")
        fields = {
            "task": task,
            "name": name,
            "title": "tells films from books",
            "languages": ("English", "Tolvi"),
            "data": "twelve texts",
            "terms": "CC BY 4.0",
            "use": "tests",
            "not_for": "decisions about people",
            "inputs": ({"text": 'A "fine" film'},),
            "backbone": "gru",
            "preset": "tiny",
            "made": "2026-11-29",
            "commands": ("textapps sentiment train --data $TEXTS",),
            "weights": "int8",
            "parameters": 12_345,
            "figures": Figures(
                data="texts",
                split="test",
                examples=1_234,
                metrics={
                    "accuracy": 0.875,
                    "accuracy_low": 0.75,
                    "accuracy_high": 0.9375,
                    "seconds": 7.0,
                },
                full_precision={"accuracy": 0.8751},
            ),
            "sha256": {},
            **changes,
        }
        description = Description.model_validate(fields)
        (directory / CARD).write_text(card(description), encoding="utf-8")
        checksums = {
            path.relative_to(directory).as_posix(): sha256_of(path)
            for path in directory.rglob("*")
            if path.is_file()
        }
        description.model_copy(update={"sha256": checksums}).write(directory)
        return directory

    return write


def test_those_that_answer_by_default_come_first(make: Make) -> None:
    for name, task in (
        ("zoo", "generate"),
        ("es-en", "translate"),
        ("en-es", "translate"),
        ("abc", "sentiment"),
    ):
        make(name, task)
    assert store.names() == ["en-es", "abc", "es-en", "zoo"]
    assert [model.description.name for model in store.models("translate")] == ["en-es", "es-en"]
    defaults = {task: store.default_of(task) for task in store.DEFAULTS}
    names = {task: model and model.description.name for task, model in defaults.items()}
    assert names == {"sentiment": "abc", "generate": "zoo", "translate": "en-es", "speech": None}


def test_a_model_is_found_with_and_without_the_prefix(make: Make) -> None:
    path = make("imdb")
    for name in ("imdb", "pretrained:imdb"):
        model = store.find(name)
        assert (model.path, model.origin) == (path, "pretrained:imdb")
        assert model.bytes == sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
        model.verify()


def test_the_card_says_what_a_user_must_know(make: Make) -> None:
    make("imdb")
    text = store.find("imdb").card
    for part in (
        "# tells films from books",
        "`pretrained:imdb`",
        "English, Tolvi",
        "CC BY 4.0",
        "decisions about people",
        "12,345 parameters",
        "texts, test split, 1,234 examples",
        "| accuracy | 0.8750 (0.7500 to 0.9375) | 0.8751 |",
        'textapps sentiment predict "A \\"fine\\" film" --run pretrained:imdb',
        "textapps sentiment train --data $TEXTS",
        "8 bits",
    ):
        assert part in text
    assert "seconds" not in text


@pytest.mark.parametrize("name", ["imbd", "pretrained:imbd"])
def test_an_unknown_name(make: Make, name: str) -> None:
    make("imdb"), make("tang", "generate")
    with pytest.raises(
        RunError, match=r"unknown pretrained model 'imbd', .*imdb, tang; did you mean 'imdb'\?"
    ):
        store.find(name)


@pytest.mark.parametrize("name", ["", ".", "..", "../imdb", "imdb/preprocessor"])
def test_a_name_is_no_path(make: Make, name: str) -> None:
    make("imdb")
    with pytest.raises(RunError):
        store.find(name)


def test_no_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTAPPS_PRETRAINED_DIR", str(tmp_path / "none"))
    assert (store.names(), store.models(), store.default_of("speech")) == ([], [], None)
    with pytest.raises(RunError, match="no pretrained model 'imdb': TEXTAPPS_PRETRAINED_DIR names"):
        store.find("imdb")


def test_a_file_that_has_changed(make: Make) -> None:
    changed = make("imdb") / "preprocessor" / "vocabulary.txt"
    changed.write_text("groesser\n")
    with pytest.raises(
        RunError,
        match=rf"damaged: {changed} has the sha256 {sha256_of(changed)[:12]}…, not .*install",
    ):
        store.find("imdb").verify()


def test_a_file_that_was_not_copied(make: Make) -> None:
    missing = make("imdb") / CARD
    missing.unlink()
    model = store.find("imdb")
    with pytest.raises(RunError, match=rf"incomplete: {missing} cannot be read \(No such file"):
        model.verify()
    with pytest.raises(RunError, match="incomplete"):
        _ = model.card


def test_a_copy_that_ended_before_the_record(make: Make) -> None:
    directory = make("imdb")
    (directory / DESCRIPTION).unlink()
    assert store.names() == []  # it is not offered, and no other one takes its place
    make("abc")
    with pytest.raises(RunError, match="incomplete"):
        store.default_of("sentiment")
    make("tang", "generate")
    with pytest.raises(RunError, match=rf"{directory} is incomplete: pretrained.json cannot"):
        store.find("imdb")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('{"format": 2, "name": "imdb"}', "has format 2, .* reads format 1: install a newer"),
        ('{"format": 1, "name": "imdb"}', r"is damaged \(task: Field required\)"),
        ('{"format": 1, "na', "is damaged"),
        ("[]", "is damaged"),
    ],
)
def test_a_record_of_a_newer_format_or_damaged(
    make: Make, content: str, problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    (make("imdb") / DESCRIPTION).write_text(content)
    make("tang", "generate")
    with pytest.raises(RunError, match=problem):
        store.find("imdb")
    with caplog.at_level(NOTICE, "textapps"):
        assert [model.description.name for model in store.models()] == ["tang"]
    assert re.search(problem, caplog.text)


def test_an_unknown_key_of_the_record_is_an_error(make: Make) -> None:
    path = make("imdb") / DESCRIPTION
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "colour": "red"}))
    with pytest.raises(RunError, match="colour"):
        store.find("imdb")


def test_models_of_different_content_differ(make: Make) -> None:
    one, other = store.find(make("imdb").name), make("other")
    shutil.copy(one.path / DESCRIPTION, other / DESCRIPTION)
    with pytest.raises(RunError, match=rf"{other} holds the pretrained model 'imdb': rename"):
        store.find("other")
    assert len(one.fingerprint) == 16
    assert store.find(make("third").name).fingerprint != one.fingerprint
