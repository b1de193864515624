"""The export of a generator: verified, and asked from a process of plain TensorFlow."""

import json
import os
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests import processes
from textapps.decoding.config import DecodingConfig, option_schemas
from textapps.decoding.options import DTYPES
from textapps.savedmodel.manifest import read_manifest
from textapps.tasks.generate import export_cases, signatures
from textapps.tasks.generate.export_cases import Question, steady
from textapps.tasks.generate.signatures import Signatures

Make = Callable[[str, str], Any]

EXPORTED = ("lstm", "transformer")  # whose states are of several leaves

# What a client of any TensorFlow server does: it knows names, and no textapps or Keras.
CLIENT = """
import json, sys
sys.modules.update(dict.fromkeys(["keras", "tf_keras", "textapps"]))
import tensorflow as tf


def ask(signature, values):
    inputs = signature.structured_input_signature[1]
    return signature(**{k: tf.constant(values[k], spec.dtype) for k, spec in inputs.items()})


def answer(signatures, question):
    given = question["inputs"]
    if "cuts" not in question:
        try:
            found = ask(signatures[question["signature"]], given)
        except tf.errors.InvalidArgumentError as error:
            return {"error": str(error)}
        texts = [text.decode() for text in found["text"].numpy()]
        return {k: v.numpy().tolist() for k, v in found.items() if k != "text"} | {"text": texts}
    at, texts = ask(signatures["start"], given), [b""] * len(given["seed"])
    for lengths in question["cuts"]:
        at = ask(signatures["continue"], {**given, **at, "length": lengths})
        texts = [before + more for before, more in zip(texts, at["text"].numpy())]
    return {"text": [text.decode() for text in texts]}


answers = []
for directory, questions in json.load(sys.stdin):
    signatures = tf.saved_model.load(directory).signatures
    answers.append([answer(signatures, question) for question in questions])
json.dump(answers, sys.stdout)
"""


def rows_of(questions: Sequence[Question]) -> dict[str, list[Any]]:
    values = [{**q.decoding.model_dump(), **q._asdict()} for q in questions]
    return {name: [each[name] for each in values] for name in ("seed", *DTYPES)}


def in_pieces(lengths: list[int], draw: random.Random) -> list[list[int]]:
    """The lengths of all rows cut into calls, of which each gives every row at least one."""
    calls = draw.randint(1, min(lengths))
    rows = []
    for length in lengths:
        ends = sorted(draw.sample(range(1, length), calls - 1))
        rows.append(np.diff([0, *ends, length]).tolist())
    return [list(call) for call in zip(*rows, strict=True)]


WANTED = (
    Question("the cat", 5, DecodingConfig(length=33, temperature=0.9)),
    Question("", 6, DecodingConfig(length=21, temperature=1.5, top_k=4)),
    Question("the dog, größer", 7, DecodingConfig(length=9, top_p=0.8)),
    Question("on", 2**40, DecodingConfig(length=28, repetition_penalty=1.4)),
    Question("sat", 0, DecodingConfig(length=30, temperature=0)),
    Question("log", 9, DecodingConfig(length=24, temperature=1.5, min_p=0.2)),
    Question("the ", 8, DecodingConfig(length=26, temperature=1.0)),
)
BAD = (
    *(("length", value) for value in (0, 100_001)),
    *(("temperature", value) for value in (-0.5, 101.0, float("nan"))),
    ("top_k", -1),
    *(("top_p", value) for value in (0.0, 1.5)),
    *(("min_p", value) for value in (-0.1, 1.5)),
    ("repetition_penalty", 0.5),
)


@pytest.fixture(scope="module")
def kept(untrained: Make) -> dict[str, list[Question]]:
    """What each backbone is asked."""
    return {kind: steady(untrained("generate", kind), WANTED) for kind in EXPORTED}


@pytest.fixture(scope="module")
def answers(
    exported: Callable[..., Path], kept: dict[str, list[Question]]
) -> dict[str, list[dict[str, Any]]]:
    """What all exports answer, in one process that has neither Keras nor textapps.

    To what each was asked, as a whole and three times in pieces; of the LSTM also to each bad
    option, to a good question, and to the same with more of the top than there is.
    """
    draw, asked = random.Random(7), []
    for kind in EXPORTED:
        inputs = rows_of(kept[kind])
        cuts = [in_pieces(inputs["length"], draw) for _ in range(3)]
        questions: list[dict[str, Any]] = [{"signature": "generate", "inputs": inputs}]
        questions += [{"inputs": inputs, "cuts": each} for each in cuts]
        if kind == "lstm":
            good = rows_of([Question("the", 1, DecodingConfig(length=3))])
            changed = [{name: [value]} for name, value in (*BAD, ("top_k", 10**6))]
            questions += [
                {"signature": "generate", "inputs": {**good, **change}} for change in [*changed, {}]
            ]
        asked.append((str(exported("generate", kind)), questions))
    child = processes.run(
        [sys.executable, "-I", "-c", CLIENT],
        input=json.dumps(asked),
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
    )
    assert child.returncode == 0, child.stderr[-2000:]
    return dict(zip(EXPORTED, json.loads(child.stdout), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("kind", EXPORTED)
def test_start_and_continue_in_any_pieces_are_generate(
    answers: dict[str, list[dict[str, Any]]],
    kept: dict[str, list[Question]],
    untrained: Make,
    kind: str,
) -> None:
    """The run's own text, of every row."""
    assert len(kept[kind]) >= 3
    whole, *pieces = answers[kind][:4]
    assert whole["text"] == export_cases._texts(untrained("generate", kind), kept[kind])
    assert [len(text) for text in whole["text"]] == rows_of(kept[kind])["length"]
    for answer in pieces:
        assert answer == whole


def test_options_out_of_range_fail_by_name(answers: dict[str, list[dict[str, Any]]]) -> None:
    *refused, clipped, plain = answers["lstm"][4:]
    for (name, _), answer in zip(BAD, refused, strict=True):
        too_large = rf"input \'{name}\' exceeds the limit"
        assert f"{name} must be " in answer["error"] or too_large in answer["error"]
    assert len(plain["text"]) == 1
    assert clipped == plain  # more than all characters is all


def test_what_the_manifest_says(exported: Callable[..., Path], untrained: Make) -> None:
    manifest = read_manifest(exported("generate", "lstm"))
    assert (manifest.task, manifest.name, manifest.backbone) == ("generate", "tiny-lstm", "lstm")
    assert manifest.state == ("state_0_h", "state_0_c", "state_1_seen")
    defaults = untrained("generate", "lstm").config.decoding
    assert manifest.decoding == defaults.model_dump()
    assert manifest.options == option_schemas(defaults)
    names = {name: tuple(each.inputs) for name, each in manifest.signatures.items()}
    at, options = ("logits", *manifest.state, "position"), tuple(DTYPES)
    assert names == {
        "serving_default": ("seed",),
        "generate": ("seed", *options),
        "score": ("text",),
        "start": ("seed",),
        "continue": (*at, *options),
        "step": ("ids", "state_0_h", "state_0_c"),
        "explain": ("text",),
    }
    outputs = {name: set(each.outputs) for name, each in manifest.signatures.items()}
    assert outputs["start"] == set(at)
    assert outputs["continue"] == {"text", *at}
    assert outputs["step"] == {"logits", "state_0_h", "state_0_c"}
    assert outputs["score"] == {"log_likelihood", "characters"}


def with_decoding(generator: Any, **values: Any) -> Any:
    config = generator.config.model_copy(update={"decoding": DecodingConfig(**values)})
    return type(generator)(generator.run, config, generator.preprocessor, generator.model)


@pytest.mark.slow
@pytest.mark.parametrize(
    "decoding",
    [
        {"length": 40, "stop": "\n"},
        {"length": 40, "stop": "the", "temperature": 1.5, "repetition_penalty": 1.1},
        {"length": 40, "temperature": 0},
    ],
)
def test_the_default_signature_has_the_options_of_the_run(
    trained: Make, decoding: dict[str, Any]
) -> None:
    generator = with_decoding(trained("generate", "lstm"), **decoding)
    seeds = ["the c", "", "sat on the log"]
    found = Signatures(generator).answer("serving_default", {"seed": seeds})["text"]
    expected = [generator.generate([seed])[0] for seed in seeds]
    assert [text.decode() for text in found] == expected
    if "stop" in decoding:
        assert any(len(text) < 40 for text in expected)
        assert not any(decoding["stop"] in text for text in expected)


@pytest.mark.parametrize("kind", ["gru", "transformer"])
def test_a_long_text_is_scored_in_pieces(
    untrained: Make, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signatures, "PROMPT_CHUNK", 13)
    generator = untrained("generate", kind)
    texts = ["the cat sat on the log;\nthe mat, größer, sat", "", "t", "映 dog\0", "sat on 13 logs"]
    found = Signatures(generator).answer("score", {"text": texts})
    assert found["characters"].tolist() == [len(text) for text in texts]
    expected = [-generator.nats(text).sum() for text in texts]
    np.testing.assert_allclose(found["log_likelihood"], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_steady_leaves_out_what_hangs_on_small_differences(
    trained: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Noise of a tenth changes some long text of many, but not what is nearly certain."""
    generator = trained("generate", "lstm")
    certain = [Question("the cat sat on th", 0, DecodingConfig(length=1, temperature=0))] * 2
    open_ = [Question("the", seed, DecodingConfig(length=60, temperature=3)) for seed in range(3)]
    assert steady(generator, [*certain, *open_]) == [*certain, *open_]
    monkeypatch.setattr(export_cases, "NOISE", 0.1)
    assert steady(generator, [*certain, *open_]) == certain
    assert steady(generator, open_) == open_  # better than nothing to ask


def test_step_reads_each_row_up_to_its_padding(untrained: Make) -> None:
    generator = untrained("generate", "lstm")
    asked = Signatures(generator)
    start = asked.answer("start", {"seed": ["the", "sat on"]})
    state = {name: start[name] for name in asked.state[:-1]}
    ids, lengths = generator.preprocessor.ids(tf.constant(["\nthe", "\nsat on"]))
    zeros = {name: np.zeros_like(value) for name, value in state.items()}
    found = asked.answer("step", {"ids": ids, **zeros})
    assert lengths.numpy().tolist() == [4, 7]
    for name, value in found.items():
        np.testing.assert_allclose(value, start[name], atol=1e-5)
