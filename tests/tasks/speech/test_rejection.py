"""A margin of commands above `unknown`, chosen on validation."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from click.testing import Result
from scipy.special import softmax

from tests.quick import quick
from tests.tasks.toy_words import RATE_HZ, spoken, wav_bytes
from textapps.core.errors import ConfigurationError
from textapps.savedmodel.manifest import read_manifest
from textapps.tasks import lifecycle
from textapps.tasks.speech import data
from textapps.tasks.speech.task import TASK
from textapps.tasks.speech.threshold import reject_by
from textapps.tasks.speech.vocabulary import add_word
from textapps.training.decision import read_threshold, write_threshold
from textapps.training.run_directory import RunDirectory

Make = Callable[[str, str], Any]
KINDS = ("lstm", "gru")  # one that streams, one that reads clips both ways


@pytest.fixture(scope="module", params=quick(KINDS, "lstm"))
def rejecting(request: Any, trained: Make, untrained: Make, tmp_path_factory: Any) -> Any:
    """A recogniser of a copied run, with a threshold of 1.5 nats."""
    import copy
    import shutil

    make = trained if request.param == "lstm" else untrained
    again = copy.copy(make("speech", request.param))
    path = tmp_path_factory.mktemp("models") / "speech" / again.run.name
    again.run = RunDirectory.open(shutil.copytree(again.run.path, path))
    write_threshold(again.run, 1.5)
    again.set_up()
    return again


def expected(recognizer: Any, clips: Any, threshold: float) -> Any:
    """float[clips, labels] from the model's own logits, in NumPy."""
    model = recognizer.model
    logits = model.logits(model.front_end.frames(tf.constant(clips))).numpy().astype(np.float64)
    logits[:, recognizer.labels.index("unknown")] += threshold
    return softmax(logits, axis=1)


def test_scores_have_the_margin(rejecting: Any) -> None:
    clips = data.load_split(rejecting.config, "test", rejecting.labels).waveforms()[::3]
    scores = expected(rejecting, clips, 1.5)
    np.testing.assert_allclose(rejecting.scores(list(clips)), scores, atol=1e-5)
    answers = rejecting.predict(list(clips))
    best = [rejecting.labels[place] for place in np.argmax(scores, axis=1)]
    assert [answer.label for answer in answers] == best
    heard = list(rejecting.listener(60).answers([clips[0], clips[1]]))
    np.testing.assert_allclose(heard[0].scores[0], scores[0], atol=1e-4)


@pytest.mark.slow
def test_the_export_has_it(rejecting: Any, tmp_path: Path) -> None:
    options = {"verify": False, "warmup": False, "explain": True}
    written = rejecting.export(tmp_path, **options)
    assert read_manifest(written).decoding["rejection_threshold"] == 1.5
    signatures = tf.saved_model.load(str(written)).signatures
    clip = spoken("hiss", 7)
    given = signatures["waveform"](
        waveform=tf.constant(clip[None]), samples=tf.constant([len(clip)])
    )
    np.testing.assert_allclose(given["scores"], rejecting.scores([clip]), atol=1e-5)
    explained = signatures["explain"](audio_bytes=tf.constant([wav_bytes(clip)]))
    assert explained["label"].numpy()[0] == given["label"].numpy()[0]
    if "step" in signatures:
        step = signatures["step"]
        state = {
            name: tf.zeros([1, *spec.shape[1:]], spec.dtype)
            for name, spec in step.structured_input_signature[1].items()
            if name.startswith("state_")
        }
        whole = np.zeros((1, round(0.3 * RATE_HZ)), np.float32)
        whole[0, : len(clip)] = clip[: whole.shape[1]]
        found = step(waveform=tf.constant(whole), samples=tf.constant([whole.shape[1]]), **state)
        last = found["scores"][0, int(found["positions"][0]) - 1]
        np.testing.assert_allclose(last, rejecting.scores([whole[0]])[0], atol=1e-4)


def test_it_is_chosen_on_validation(trained: Make, copied: Any, caplog: Any) -> None:
    recognizer = copied(trained("speech", "lstm"))
    before = recognizer.scores([spoken("up", 80)])
    reject_by(recognizer, 0.3)
    threshold = read_threshold(recognizer.run)
    assert threshold == recognizer.answers.rejection.threshold
    clips = data.load_words(recognizer.config, "validation", recognizer.labels)
    answers = recognizer.predict(list(clips.waveforms()))
    other = [each.label for each, word in zip(answers, clips.words, strict=True) if word == "hiss"]
    other += [
        each.label for each, word in zip(answers, clips.words, strict=True) if word == "click"
    ]
    accepted = sum(label in recognizer.commands for label in other)
    assert len(other) == 4
    assert accepted <= 1
    again = lifecycle.load(TASK, recognizer.run)
    np.testing.assert_array_equal(
        again.scores([spoken("up", 80)]), recognizer.scores([spoken("up", 80)])
    )
    sirens = [spoken("hiss", number) for number in range(300, 305)]
    added = add_word(recognizer, "hiss", sirens, recognizer.run.path.parents[1])
    assert added.recognizer.answers.rejection.threshold == threshold
    reject_by(recognizer, None)
    np.testing.assert_array_equal(recognizer.scores([spoken("up", 80)]), before)


@pytest.mark.slow
def test_evaluate(
    trained: Make,
    copied: Any,
    cli: Callable[..., Result],
    monkeypatch: Any,
) -> None:
    recognizer = copied(trained("speech", "lstm"))
    monkeypatch.setattr(lifecycle, "load", lambda task, run: recognizer)
    run = ("--run", str(recognizer.run.path))
    result = cli("speech", "evaluate", "--false-accepts", "25%", "--json", *run)
    assert result.exit_code == 0, result.stderr
    assert "of 4 clips of other words are taken for a command" in result.stderr
    metrics = json.loads(result.stdout)["metrics"]
    assert metrics["false_accept_rate"] <= 1
    report = (recognizer.run.path / "report.html").read_text(encoding="utf-8")
    assert "Other words" in report
    assert cli("speech", "evaluate", "--false-accepts", "none", *run).exit_code == 0
    assert read_threshold(recognizer.run) is None


def test_a_run_without_other_words(untrained: Make) -> None:
    made = untrained("speech", "simple_rnn")
    closed = made.__class__(made.run, made.config, made.preprocessor, made.model, ("a", "b"))
    with pytest.raises(ConfigurationError, match="has no class 'unknown'"):
        reject_by(closed, 0.05)
