"""Runs of every task looked into."""

import json
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from textapps.core.errors import DataError, RunError
from textapps.core.tokens import FIRST, PAD
from textapps.interpret.report import document
from textapps.interpret.section import Table
from textapps.tasks import inspection
from textapps.tasks.registry import get_task
from textapps.tasks.sentiment.inspect import _pieces
from textapps.tasks.start import first_model
from textapps.training.seeding import seed_everything

Make = Callable[[str, str], Any]
WHY = {"sentiment": "shares", "translate": "aligned", "speech": "sounds"}
OF_GENERATE = ["gradient", "connectivity", "state", "units", "unrolled"]


def sections(name: str, predictor: Any, *inputs: str, **options: Any) -> dict[str, Any]:
    few = {"distance": 12, "positions": 5} | options
    found = inspection.inspect(name, [predictor], inputs, **few)
    (run,) = json.loads(json.dumps(document(found)))["runs"]
    return {**run["sections"], "facts": run["facts"]}


SHOWN = [
    ("sentiment", "lstm"),
    ("generate", "gru"),
    ("generate", "jordan"),
    ("generate", "transformer"),
    ("translate", "simple_rnn"),
    ("translate", "transformer"),
    ("speech", "lstm"),  # which listens, and so reads one way
    ("speech", "gru"),
]


@pytest.mark.parametrize(("name", "kind"), SHOWN)
def test_every_task_shows_its_validation_data(untrained: Make, name: str, kind: str) -> None:
    found = sections(name, untrained(name, kind))
    expected = OF_GENERATE if name == "generate" else [WHY[name], "gradient", "state"]
    if kind == "transformer":
        expected = [*expected[: expected.index("state") + 1], "attention", *expected[3:]]
        assert "no gates" in found["state"]["note"]
    assert [key for key in found if key != "facts"] == expected
    for key in expected:
        assert found[key]["data"] or found[key]["note"]
    assert "validation" in found["facts"]["looked at"]


@pytest.mark.slow
def test_the_answer_that_is_explained_is_told(untrained: Make) -> None:
    classifier, text = untrained("sentiment", "lstm"), "a great film, and a night of it"
    (answer,) = classifier.predict([text])
    found = inspection.inspect("sentiment", [classifier], [text, "the film"], distance=5)
    (shares,) = [one for one in found.runs[0].sections if one.key == "shares"]
    table = shares.parts[0]
    assert isinstance(table, Table)
    assert table.caption == f"The answer to the first text is {answer.label}."
    assert table.rows[0] == (answer.label, f"{100 * answer.probability:.2f} %")
    assert len(table.rows) == len(classifier.labels)
    told = shares.data["probabilities"]
    assert told == pytest.approx(dict(zip(classifier.labels, answer.scores, strict=True)))

    recognizer = untrained("speech", "gru")
    data = sections("speech", recognizer)["sounds"]["data"]
    assert 1 / len(recognizer.labels) <= data["probability"] <= 1


@pytest.mark.slow
def test_gates_and_half_lives_of_a_generator(untrained: Make) -> None:
    found = sections("generate", untrained("generate", "lstm"), "the cat sat on the mat;\n" * 20)
    data = found["gradient"]["data"]
    assert data["distances"] == 12
    assert set(data) >= {"input_after", "state_after", "input_before", "state_before"}
    assert len(data["state_after"]["median"]) == 13
    assert list(found["state"]["data"]["block 1"]["gates"]) == ["forget", "input", "output"]
    assert len(found["units"]["data"]["findings"]) == 7


@pytest.mark.parametrize("name", ["sentiment", "generate", "translate", "speech"])
def test_the_first_weights_are_those_that_training_began_with(untrained: Make, name: str) -> None:
    """As `lifecycle` makes them, with what only training needs."""
    made, task = untrained(name, "gru"), get_task(name)
    first, begun = first_model(task, made.config, made.preprocessor, made.labels)
    assert "random seed" in begun
    split = task.load_training(made.config, made.labels)[0]
    batches = task.training_batches(made.config, made.preprocessor, split)
    seed_everything(made.config.random_seed)
    own = (made.config, made.preprocessor, made.labels)
    trainee = task.trainee(*own, batches, lambda rows: rows) if task.trainee else task.model(*own)
    trainee.build()
    started = {v.path: v.numpy() for v in trainee.trainable_variables}
    assert len(first.trainable_variables) == len(started)
    for variable in first.trainable_variables:
        assert np.array_equal(variable.numpy(), started[variable.path]), variable.path


@pytest.mark.slow
def test_without_the_run_it_started_from_there_is_no_before(
    untrained: Make, copied: Callable[[Any], Any]
) -> None:
    made = copied(untrained("generate", "gru"))
    made = made.configured({"start.init_from": "/nowhere/at/all"})
    found = sections("generate", made, "the cat sat on the mat")
    assert "no run at /nowhere/at/all" in found["gradient"]["data"]["begun"]
    assert "input_before" not in found["gradient"]["data"]


def test_without_its_data_it_asks_for_a_text(untrained: Make) -> None:
    made = untrained("generate", "gru").configured({"data.source": "nowhere.txt"})
    with pytest.raises(DataError, match=r"nowhere.txt.*; or give texts to look at"):
        sections("generate", made)


@pytest.mark.slow
def test_a_lesson_has_all_its_numbers(untrained: Make) -> None:
    found = sections("generate", untrained("generate", "gru"), "the mat", lesson=True)
    lesson = found["lesson"]["data"]
    assert lesson["symbols"] == sorted(set("the mat"))
    assert len(lesson["steps"]) == 6
    shares = np.array([step["shares"]["recurrent kernel"] for step in lesson["steps"]])
    total = np.array(lesson["gradients"]["recurrent kernel"])
    assert shares.sum(axis=0) == pytest.approx(total, rel=2e-2, abs=2e-3)
    assert set(lesson["steps"][0]["gates"]) == {"update", "reset"}


@pytest.mark.slow
def test_properties_of_the_users_own_are_looked_for(untrained: Make) -> None:
    own = {"cat": re.compile("cat")}
    text = "the cat sat on the mat;\n" * 15
    found = sections("generate", untrained("generate", "simple_rnn"), text, properties=own)
    assert found["units"]["data"]["findings"][-1]["property"] == "cat"


@pytest.mark.parametrize("name", ["sentiment", "generate", "translate"])
def test_a_text_of_two_characters_is_refused(untrained: Make, name: str) -> None:
    with pytest.raises(DataError, match=r"'ab' has .*characters: give a"):
        sections(name, untrained(name, "gru"), "ab")


def test_of_a_short_text_there_is_no_reach_but_the_rest(untrained: Make) -> None:
    found = sections("sentiment", untrained("sentiment", "lstm"), "a film")
    assert found["gradient"]["note"].startswith("Not shown: nothing here has 3 positions or more")
    assert found[WHY["sentiment"]]["data"]
    assert found["state"]["data"]


@pytest.mark.parametrize(
    ("stride", "pieces"), [(1, ["b", "a", "c"]), (2, ["b a", "c"]), (3, ["b a c"])]
)
def test_pieces_are_the_tokens_from_a_position_to_the_next(stride: int, pieces: list[str]) -> None:
    vocabulary = SimpleNamespace(tokens=["a", "b", "c"])
    classifier: Any = SimpleNamespace(
        preprocessor=SimpleNamespace(tokenizer=SimpleNamespace(vocabulary=vocabulary)),
        config=SimpleNamespace(model=SimpleNamespace(stride=stride)),
    )
    assert _pieces(classifier, np.array([FIRST + 1, FIRST, FIRST + 2, PAD])) == pieces


@pytest.mark.slow
@pytest.mark.parametrize("text", ["cat", "ж日x", "\n\n\n"])
def test_a_text_of_three_characters_is_enough(
    untrained: Make, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    found = sections("generate", untrained("generate", "lstm"), text)
    assert list(found)[:5] == OF_GENERATE
    assert "too few" in found["units"]["note"]
    assert ("read as unknown: 'ж', '日', 'x'" in caplog.text) == ("ж" in text)


@pytest.mark.slow
def test_of_a_long_text_it_says_which_part_it_looks_at(
    untrained: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "textapps")
    text = "the cat sat on the mat;\n" * 50_000
    found = sections("generate", untrained("generate", "simple_rnn"), text, characters=40)
    assert found["facts"]["looked at"] == "the first 40 of 1,200,000 characters of the text given"
    assert "--characters N looks at more" in caplog.text


def test_weights_that_are_not_numbers_are_refused(untrained: Make) -> None:
    import copy

    from textapps.tasks import lifecycle

    made = untrained("generate", "gru")
    broken = copy.copy(lifecycle.load(get_task("generate"), made.run))
    kernel = broken.model.head.kernel
    kernel.assign(np.full(kernel.shape, np.nan))
    with pytest.raises(RunError, match="head/kernel holds NaN or infinite numbers"):
        sections("generate", broken, "the cat sat")
