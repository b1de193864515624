"""Texts beyond the length of a model: how many there are is said once."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from textapps.batch.inputs import model_sha256
from textapps.batch.job import Job
from textapps.batch.local import run_local
from textapps.batch.run import run_batch
from textapps.core.notices import NOTICE
from textapps.preprocessing.text import TextPreprocessor
from textapps.tasks import lifecycle
from textapps.tasks.registry import get_task
from textapps.tasks.rows import Asked

KINDS = {"sentiment": "lstm", "translate": "transformer"}


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What was logged since the last call."""
    caplog.set_level(NOTICE, "textapps")

    def messages() -> list[str]:
        found = [one.getMessage() for one in caplog.records if "max_tokens" in one.getMessage()]
        caplog.clear()
        return found

    return messages


def test_sentiment_predict(untrained: Callable[..., Any], said: Callable[[], list[str]]) -> None:
    classifier = untrained("sentiment", "lstm")
    long, short = "film " * 201, "x" * 500 + " film" * 199
    classifier.predict([short, long, "film", f"{long}."])
    expected = (
        "texts of more than 200 tokens (preprocessor.max_tokens): 2 of 4; only the beginning of "
        "each is read"
    )
    assert said() == [expected]
    classifier.predict([short])
    assert said() == []
    texts = [Asked(text) for text in [long, *["film"] * 1_100, long]]
    assert len(list(get_task("sentiment").rows(classifier, texts, {}))) == 1_102
    assert said() == [expected.replace("2 of 4", "2 of 1,102")]


BLANK = ("", " \t\u3000\u00a0", "\u200b\ufeff", "<br /><b>", "\x00")
READ = ("film", "!", "7", "\u00a0film", "<br />film", "映画", "é", "☃", "ש", "<", "ж")


@pytest.mark.parametrize("tokens", ["word", "char"])
def test_texts_without_a_token_are_counted(
    tokens: str, untrained: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(NOTICE, "textapps")
    classifier = untrained("sentiment", "lstm")
    tokenizer = classifier.preprocessor.tokenizer
    config = tokenizer.config.model_copy(update={"tokens": tokens})
    classifier = copy.copy(classifier)
    classifier.preprocessor = copy.copy(classifier.preprocessor)
    classifier.preprocessor.tokenizer = TextPreprocessor(config, tokenizer.vocabulary)
    classifier.predict([*BLANK, *READ])
    assert caplog.messages == [
        "texts without a token that could be read: 5 of 16; all get the same answer"
    ]
    caplog.clear()
    classifier.predict(READ)
    assert caplog.messages == []


@pytest.mark.slow
def test_translate_predict(untrained: Callable[..., Any], said: Callable[[], list[str]]) -> None:
    translator = untrained("translate", "transformer")
    long, short = "Bab dek gin kos " * 8, "Bab dek gin. " * 20
    expected = (
        "texts with a sentence of more than 21 tokens (preprocessor.max_tokens): 1 of 3; only the "
        "beginning of each is read"
    )
    translator.predict([long, short, "Bab."])
    assert said() == [expected]
    translator.predict([long, short, "Bab."], split_sentences=False)
    assert said() == [expected.replace("1 of 3", "2 of 3")]
    texts = [Asked(text) for text in [long, *["Bab."] * 299]]
    assert len(list(get_task("translate").rows(translator, texts, {"beam": 1}))) == 300
    assert said() == [expected.replace("1 of 3", "1 of 300")]


@pytest.mark.slow
@pytest.mark.parametrize("task", KINDS)
def test_training_and_evaluation(
    task: str,
    tiny: Callable[..., Any],
    tmp_path: Any,
    untrained: Callable[..., Any],
    copied: Callable[[Any], Any],
    said: Callable[[], list[str]],
) -> None:
    simplest = {"decoding.beam": 1} if task == "translate" else {}
    config = tiny(task, KINDS[task], **{"preprocessor.max_tokens": 2}, **simplest)
    prepared = lifecycle.begin(get_task(task), config, tmp_path)
    (message, *others) = said()
    noun = "texts" if task == "sentiment" else "sentences"
    assert message.startswith(f"training {noun} of more than 2 tokens (preprocessor.max_tokens): ")
    assert len(others) == (0 if task == "sentiment" else 1)
    found = get_task(task)
    found.validation_batches(config, prepared.preprocessor, prepared.validation)
    assert said()[0].startswith(f"validation {noun} of more than 2 tokens")
    model = found.model(config, prepared.preprocessor, prepared.labels)
    model.build()
    predictor = found.predictor(prepared.run, config, prepared.preprocessor, model, prepared.labels)
    found.evaluate(predictor, prepared.validation, "validation")
    assert len(said()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("task", KINDS)
def test_batch_inference(task: str, exported: Callable[..., Any], tmp_path: Any) -> None:
    kind = {"sentiment": "text", "translate": "source"}[task]
    model = exported(task, KINDS[task])
    source = tmp_path / "in.txt"
    source.write_text("Bab dek film.\n" * 9 + "Bab dek film " * 300 + "\n\n", encoding="utf-8")
    job = Job(model, model_sha256(model), kind, None, 4, tmp_path / "answers")
    for finished in (0, 1):  # the second time the file's record says it
        summary = run_batch(job, [source], lambda *given: run_local(*given, int))
        assert (summary.long_rows, summary.finished_before) == (1, finished)
