"""What must hold of a trained recogniser, whatever its backbone."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.quick import quick
from tests.tasks.tiny import TRAINED
from tests.tasks.toy_words import RATE_HZ, WORDS, noise, spoken
from textapps.backbones.registry import BACKBONES
from textapps.tasks.lifecycle import evaluate, write_report
from textapps.tasks.speech import evaluate as evaluation
from textapps.tasks.speech.task import TASK

Make = Callable[[str, str], Any]
LABELS = (*WORDS, "unknown", "silence")
SOUNDS = {
    "a word": spoken("up", 71),
    "one sample": np.ones(1, np.float32),
    "shorter than a window": spoken("stay", 3)[:100],
    "all zeros": np.zeros(2_400, np.float32),
    "as loud as can be": np.tile(np.float32([1, -1]), 1_000),
    "three seconds": noise()[: 3 * RATE_HZ],
}

each_trained = pytest.mark.parametrize("kind", quick(TRAINED["speech"], *TRAINED["speech"]))


@each_trained
def test_it_learns_and_metrics_json_holds_every_figure(
    trained: Make, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "STREAM_SECONDS", 40.0)
    recognizer = trained("speech", kind)
    summary = recognizer.evaluate()
    metrics = summary.pop("metrics")
    assert summary == {
        "task": "speech",
        "run": recognizer.run.name,
        "data": "words",
        "split": "test",
        "examples": 33,
    }
    assert metrics["accuracy"] >= 28 / 33
    assert metrics["parameters"] == recognizer.parameters
    shares = ("accuracy", "false_accept_rate", "false_reject_rate", "miss_rate")
    for name in (*shares, "accuracy_20_db", "accuracy_reverberation", "false_alarms_per_hour"):
        low, high = metrics[f"{name}_low"], metrics[f"{name}_high"]
        assert low <= metrics[name] <= high + 1e-9
    assert metrics["commands_said"] > 5
    assert metrics["miss_rate"] < 0.5
    assert metrics["speakers"] == 4
    assert 0 < metrics["milliseconds_per_clip"] < 10_000
    stored = json.loads((recognizer.run.path / "metrics.json").read_bytes())
    assert stored == {**summary, "metrics": metrics}


@pytest.mark.parametrize("kind", BACKBONES)
def test_answers_are_labels_with_their_probabilities(untrained: Make, kind: str) -> None:
    recognizer = untrained("speech", kind)
    assert (recognizer.labels, recognizer.commands) == (LABELS, WORDS)
    sounds = list(SOUNDS.values())
    for answer, scores in zip(recognizer.predict(sounds), recognizer.scores(sounds), strict=True):
        assert answer.label == LABELS[int(np.argmax(scores))]
        assert answer.probability == max(answer.scores)
        assert answer.scores == tuple(map(float, scores))
        assert np.isfinite(scores).all()
        assert scores.sum() == pytest.approx(1, abs=1e-5)
    assert recognizer.predict([]) == []


@pytest.mark.parametrize("kind", BACKBONES)
def test_neighbours_do_not_matter(untrained: Make, kind: str) -> None:
    recognizer = untrained("speech", kind)
    sounds = [*SOUNDS.values(), *(spoken(word, 88) for word in WORDS)] * 9
    together = recognizer.scores(sounds)
    np.testing.assert_allclose(recognizer.scores(sounds[::-1])[::-1], together, atol=1e-5)
    for sound, scores in zip(sounds[:9], together[:9], strict=True):
        np.testing.assert_allclose(recognizer.scores([sound])[0], scores, atol=1e-5)


@each_trained
def test_commands_are_heard_in_a_stream(trained: Make, kind: str) -> None:
    """Each in the second after it began, with the words known that are said."""
    recognizer = trained("speech", kind)
    said = [(6_000 + 9_600 * place, WORDS[place % 3]) for place in range(9)]
    stream = 0.1 * noise(9)[: 6_000 + 9_600 * 9]
    for place, (start, word) in enumerate(said):
        sound = spoken(word, 300 + place)
        stream[start : start + len(sound)] += sound
    pieces = np.array_split(stream, 41)
    heard = list(recognizer.listen(iter(pieces)))
    right = [
        any(
            each.label == word and 0 <= each.time_ms - 1_000 * start / RATE_HZ < 1_000
            for each in heard
        )
        for start, word in said
    ]
    assert sum(right) >= 6, heard
    assert all(0.6 <= each.probability <= 1 for each in heard)
    whole = list(recognizer.listen([stream]))
    assert [each[:2] for each in whole] == [each[:2] for each in heard]
    np.testing.assert_allclose([each[2] for each in whole], [each[2] for each in heard], atol=1e-4)
    assert list(recognizer.listen(iter(pieces), threshold=1.0)) == []


def test_the_report(trained: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "STREAM_SECONDS", 30.0)
    recognizer = trained("speech", "lstm")
    evaluated = evaluate(TASK, recognizer, split="train")
    assert not evaluated.default
    page = write_report(TASK, recognizer, evaluated).read_text(encoding="utf-8")
    assert page.count("<svg") >= 6
    for text in ("words, train: ", "In a stream", "Noise", "Worst speakers", "größer, down"):
        assert text in page
    assert len(evaluated.noisy) == len(evaluation.RATIOS_DB)
    assert [row.name for row in evaluated.conditions] == ["40_db_quieter", "reverberation"]
    assert "40 dB quieter" in page
    with np.load(recognizer.run.path / "evaluations" / "words-train.npz") as arrays:
        np.testing.assert_array_equal(arrays["scores"], evaluated.scores)
        assert arrays["scores_10_db"].shape == evaluated.scores.shape
        assert arrays["scores_40_db_quieter"].shape == evaluated.scores.shape
