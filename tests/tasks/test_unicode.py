"""Texts with composed and decomposed accents, and with invisible characters, are the same text."""

import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from textapps.savedmodel.loading import load_saved_model
from textapps.tasks import lifecycle
from textapps.tasks.registry import get_task

TEXTS = ("größer, the cat", "the döner sat on the ẛ̣ log", "at 가 が film")
ANSWERS: dict[str, Callable[[Any, list[str]], Any]] = {
    "sentiment": lambda classifier, texts: classifier.scores(texts).round(5).tolist(),
    "generate": lambda generator, texts: [generator.nats(text).tolist() for text in texts],
    "translate": lambda translator, texts: [
        (one.translation, round(one.score, 3)) for one in translator.predict(texts)
    ],
}
KINDS = {"sentiment": "lstm", "generate": "transformer", "translate": "transformer"}
INPUTS = {"sentiment": "text", "generate": "seed", "translate": "source"}


def variants(text: str) -> list[str]:
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    return [composed, decomposed, "\ufeff" + composed.replace("t", "t\u00ad\u200d\u2060")]


@pytest.mark.parametrize(
    "task",
    [
        "translate",
        *(pytest.param(t, marks=pytest.mark.exhaustive) for t in ("sentiment", "generate")),
    ],
)
def test_one_answer(
    task: str, untrained: Callable[..., Any], exported: Callable[..., Path]
) -> None:
    predictor = untrained(task, KINDS[task])
    saved = load_saved_model(exported(task, KINDS[task]))
    for text in TEXTS:
        first, *others = ANSWERS[task](predictor, variants(text))
        assert others == [first] * 2
        outputs = saved.signatures["serving_default"](**{INPUTS[task]: tf.constant(variants(text))})
        for name, values in outputs.items():
            first, *others = values.numpy().tolist()
            assert others == [pytest.approx(first) if name != "text" else first] * 2


@pytest.mark.slow
@pytest.mark.parametrize("task", ANSWERS)
def test_a_run_of_an_earlier_version_keeps_its_texts_as_they_are(
    task: str, untrained: Callable[..., Any], copied: Callable[[Any], Any]
) -> None:
    run = copied(untrained(task, KINDS[task])).run
    config = (run.path / "config.toml").read_text(encoding="utf-8")
    assert 'unicode = "nfc"\n' in config
    run.write_text("config.toml", config.replace('unicode = "nfc"\n', ""))
    earlier = lifecycle.load(get_task(task), run)
    assert earlier.config.preprocessor.unicode == "raw"
    composed, _, invisible = ANSWERS[task](earlier, variants(TEXTS[0]))
    assert composed != invisible
