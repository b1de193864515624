"""The examples in an export's manifest: from the data of the model, short, the same every time."""

import base64
import io
import logging
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from textapps.core.names import TASKS
from textapps.datasets.corpus.examples import HeldCorpus
from textapps.savedmodel.manifest import read_manifest
from textapps.tasks.examples import short_ones
from textapps.tasks.generate.data import examples as seeds
from textapps.tasks.registry import get_task
from textapps.tasks.speech import data as speech_data

Make = Callable[[str, str], Any]
NAMES = {"sentiment": "text", "generate": "seed", "translate": "source", "speech": "audio_bytes"}


def validation(predictor: Any) -> Any:
    task = get_task(predictor.config.task)
    return task.load_split(predictor.config, "validation", predictor.labels)


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_an_export_has_examples_that_it_answers(
    untrained: Make, exported: Callable[..., Path], task: str
) -> None:
    predictor = untrained(task, "gru")
    manifest = read_manifest(exported(task, "gru"))
    assert manifest.data == validation(predictor).name
    assert manifest.exported.startswith("20")
    assert manifest.exported.endswith("+00:00")
    wanted: Counter[str | None] = Counter(
        {None: 2 if task == "generate" else 3}
    )  # the same two lines over and over
    if manifest.labels:
        split = validation(predictor)
        there = Counter(manifest.labels[label] for label in split.labels)
        wanted = Counter({label: min(3, there[label]) for label in manifest.labels})
    labels = [each.expected.get("label") for each in manifest.examples]
    assert Counter(labels) == wanted
    count = wanted.total()
    assert len({str(each.inputs) for each in manifest.examples}) == count
    given = [each.inputs[NAMES[task]] for each in manifest.examples]
    if task == "speech":
        given = [base64.b64decode(each["b64"]) for each in given if isinstance(each, dict)]
    signatures = tf.saved_model.load(str(exported(task, "gru"))).signatures
    answers = signatures["serving_default"](**{NAMES[task]: tf.constant(given)})
    assert {len(each) for each in answers.values()} == {count}
    if task == "speech":
        assert set(answers["error"].numpy()) == {b""}
    assert predictor.data_fields(3)["examples"] == manifest.examples


def test_they_stand_in_the_validation_split_with_what_is_right(untrained: Make) -> None:
    classifier, translator = untrained("sentiment", "gru"), untrained("translate", "gru")
    texts, pairs = validation(classifier), validation(translator)
    rows = zip(texts.texts, texts.labels, strict=True)
    right = {text: texts.label_names[label] for text, label in rows}
    for each in classifier.data_fields(2)["examples"]:
        assert right[each.inputs["text"]] == each.expected["label"]
    targets = dict(zip(pairs.sources, pairs.targets, strict=True))
    for each in translator.data_fields(4)["examples"]:
        assert targets[each.inputs["source"]] == each.expected["translation"]


def test_clips_sound_like_those_of_the_split(untrained: Make) -> None:
    recognizer = untrained("speech", "gru")
    clips = validation(recognizer)
    for label, each in enumerate(recognizer.data_fields(1)["examples"]):
        encoded = each.inputs["audio_bytes"]["b64"]
        samples, rate_hz = soundfile.read(io.BytesIO(base64.b64decode(encoded)), dtype="float32")
        row = np.flatnonzero(clips.labels == label)[0]
        expected = clips.waveforms([row])[0, : clips.lengths[row]]
        assert rate_hz == clips.rate_hz
        # Mu-law is within 1/16 of a sample's own size.
        np.testing.assert_allclose(samples, expected, atol=2e-3, rtol=1 / 16)


def test_clips_are_fewer_where_they_would_be_too_large(
    untrained: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    recognizer = untrained("speech", "gru")
    clips = validation(recognizer)
    two_each = 2 * len(clips.names) * int(clips.lengths.max())
    monkeypatch.setattr(speech_data, "EXAMPLE_BYTES", two_each)
    found = Counter(each.expected["label"] for each in speech_data.examples(clips, 3))
    there = Counter(clips.names[label] for label in clips.labels)
    assert found == {name: min(2, there[name]) for name in clips.names}
    assert max(there.values()) > 2


def test_seeds_begin_paragraphs_and_end_with_words() -> None:
    text = "\n\n".join(f"Number {n}:\nIt was {'very ' * n}cold that day" for n in range(2, 9))
    found = [each.inputs["seed"] for each in seeds(HeldCorpus("prose", text), 3)]
    assert len(set(found)) == 3
    for seed in found:
        assert isinstance(seed, str)
        assert seed.startswith("Number ")
        assert 20 < len(seed) <= 40
        assert seed.split()[-1] in ("very", "was", "cold", "that", "day")
    unspaced = HeldCorpus("lines", "一" * 90 + "\n" + "二" * 10)
    assert [each.inputs["seed"] for each in seeds(unspaced, 3)] == ["一" * 40, "二" * 10]


def test_none_are_taken_if_none_are_wanted_or_the_data_are_gone(
    untrained: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    classifier = untrained("sentiment", "simple_rnn")
    own = Path(classifier.config.data.source)
    assert classifier.data_fields(0) == {"data": own.name}
    gone = classifier.configured({"data.source": str(tmp_path / "gone.csv")})
    with caplog.at_level(logging.WARNING):
        path = gone.export(tmp_path, verify=False, warmup=False, explain=False)
    manifest = read_manifest(path)
    assert (manifest.data, manifest.examples) == ("gone.csv", ())
    assert "no examples for the web page" in caplog.text


def test_a_manifest_without_examples_is_read() -> None:
    """As exports had before."""
    golden = Path(__file__).parents[1] / "golden" / "sentiment" / "1"
    manifest = read_manifest(golden)
    assert (manifest.data, manifest.exported, manifest.examples) == ("", "", ())


@given(
    st.lists(st.text(max_size=200), max_size=20),
    st.integers(1, 5),
    st.randoms(use_true_random=False),
)
def test_short_ones_do_not_depend_on_the_order(texts: list[str], count: int, random: Any) -> None:
    found = [texts[row] for row in short_ones(texts, range(len(texts)), count)]
    assert len(set(found)) == len(found) == min(count, len({t for t in texts if t.strip()}))
    shuffled = random.sample(texts, len(texts))
    assert [shuffled[row] for row in short_ones(shuffled, range(len(texts)), count)] == found
