"""What must hold of every task with every backbone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from tests.quick import marks
from tests.tasks.tiny import PAIRS, TRAINED
from tests.tasks.toy_language import sentences
from tests.tasks.toy_words import WORDS, spoken, wav_bytes
from textapps.core.errors import ConfigurationError
from textapps.tasks import lifecycle
from textapps.tasks.registry import get_task
from textapps.training.run_directory import RunDirectory
from textapps.training.weights import CARRIED

Make = Callable[[str, str], Any]

RECORDINGS = [wav_bytes(spoken(word, 77)) for word in (*WORDS, "hiss")]


class Asked(NamedTuple):
    """How a predictor is asked, and how its export.

    inputs: of unequal lengths, so that padding is crossed.
    ask: predictor and inputs → strings, and numbers float[inputs, …].
    name: of the input of the default signature.
    ask_export: the answer of the signature → the same strings and numbers.
    """

    inputs: list[Any]
    ask: Callable[[Any, list[Any]], tuple[list[Any], Any]]
    name: str
    ask_export: Callable[[Any], tuple[list[Any], Any]]


def decoded(strings: Any) -> list[str]:
    return [text.decode() for text in strings.numpy()]


def classify(predictor: Any, inputs: list[Any]) -> tuple[list[str], Any]:
    answers = predictor.predict(inputs)
    return [each.label for each in answers], np.array([each.scores for each in answers])


def translate(predictor: Any, inputs: list[str]) -> tuple[list[str], Any]:
    answers = predictor.predict(inputs)
    return [each.translation for each in answers], np.array([each.score for each in answers])


ASKED = {
    "sentiment": Asked(
        ["a fine film", "", "it was awful " * 30, "映画", "so-so"],
        classify,
        "text",
        lambda found: (decoded(found["label"]), found["scores"]),
    ),
    "generate": Asked(
        ["the c", "", "the dog, größer, sat on the log.\nthe", "?"],
        lambda predictor, seeds: (predictor.generate(seeds), np.zeros(len(seeds))),
        "seed",
        lambda found: (decoded(found["text"]), np.zeros(len(found["text"]))),
    ),
    "translate": Asked(
        [*sentences(5, seed=9), "", "bab dek gin kos " * 20],
        translate,
        "source",
        lambda found: (decoded(found["translation"]), found["score"]),
    ),
    "speech": Asked(
        RECORDINGS,
        classify,
        "audio_bytes",
        lambda found: (decoded(found["label"]), found["scores"]),
    ),
}
# Characters are drawn from one seed after another: without a temperature the place is the same.
GREEDY = {"generate": {"decoding.temperature": 0.0, "decoding.length": 9}}

each_pair = pytest.mark.parametrize(
    ("task", "kind"),
    [
        pytest.param(*pair, id="-".join(pair), marks=marks(pair[1], "gru", "transformer"))
        for pair in PAIRS
    ],
)
each_trained = pytest.mark.parametrize(
    ("task", "kind"),
    [
        pytest.param(task, kind, id=f"{task}-{kind}", marks=marks(kind, *kinds))
        for task, kinds in TRAINED.items()
        for kind in kinds
    ],
)


@each_pair
def test_neighbours_and_batches_do_not_matter(untrained: Make, task: str, kind: str) -> None:
    """Of more inputs than go into one batch, so that they stand among others when turned round."""
    inputs, ask, *_ = ASKED[task]
    predictor = untrained(task, kind).configured(GREEDY.get(task, {}))
    many = inputs * (70 // len(inputs) + 1)
    strings, numbers = ask(predictor, many)
    others, turned = ask(predictor, many[::-1])
    assert others[::-1] == strings
    np.testing.assert_allclose(turned[::-1], numbers, atol=1e-5)
    for place, one in enumerate(inputs):
        (alone,), value = ask(predictor, [one])
        assert alone == strings[place]
        np.testing.assert_allclose(value[0], numbers[place], atol=1e-5)
    assert ask(predictor, [])[0] == []


@each_pair
def test_the_export_answers_as_the_run(
    untrained: Make, exported: Callable[..., Path], task: str, kind: str
) -> None:
    """In this process; the tests of each task ask some exports in a process without Keras."""
    asked, predictor = ASKED[task], untrained(task, kind)
    signatures = tf.saved_model.load(str(exported(task, kind))).signatures
    given = {asked.name: tf.constant(asked.inputs)}
    strings, numbers = asked.ask_export(signatures["serving_default"](**given))
    for place, one in enumerate(asked.inputs):
        (expected,), value = asked.ask(predictor, [one])
        assert strings[place] == expected
        np.testing.assert_allclose(numbers[place], value[0], atol=1e-5)


@each_trained
def test_what_training_gives_back_is_what_is_loaded(trained: Make, task: str, kind: str) -> None:
    """Bit for bit, although it is not loaded again."""
    predictor, (inputs, ask, *_) = trained(task, kind), ASKED[task]
    loaded = lifecycle.load(get_task(task), RunDirectory.open(predictor.run.path))
    assert (loaded.labels, loaded.config) == (predictor.labels, predictor.config)
    assert loaded.parameters == predictor.parameters == loaded.model.count_params()
    kept = [each for each in predictor.model.weights if CARRIED not in each.path]
    for ours, theirs in zip(loaded.model.weights, kept, strict=True):
        assert ours.path == theirs.path
        np.testing.assert_array_equal(ours, theirs)
    strings, numbers = ask(loaded, inputs)
    others, also = ask(predictor, inputs)
    assert strings == others
    np.testing.assert_array_equal(numbers, also)


@pytest.mark.parametrize("task", ASKED)
def test_unknown_formats_and_options_of_export(untrained: Make, tmp_path: Path, task: str) -> None:
    predictor = untrained(task, "gru")
    with pytest.raises(ConfigurationError, match=r"unknown format 'saved_mode'.*'saved_model'\?"):
        predictor.export(tmp_path, format="saved_mode")
    with pytest.raises(ConfigurationError, match=r"'verfy'.*'verify'\?"):
        predictor.export(tmp_path, verfy=False)
    assert not list(tmp_path.iterdir())
